"""A year of a whole book: 10,000 accounts of 150 people, from their events to the sums, in two processes.

The limit is 20 seconds. The peer is the floor in the same run: what evaluating each account once, planning its year once
and levelling each person's book once would cost, on as many cores.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from services.cadence.account.event_file import read_event_file
from services.cadence.policy.load import SHIPPED, policy_texts
from services.chassis.worker_pool import WorkerPool
from services.simulation.book import Period
from services.simulation.from_events import EventBook, book_of_events
from services.simulation.jobs import Job, add_up, plan_jobs, simulate
from services.simulation.totals import Totals, Wanted
from tests.benchmarks.figures import Figure

NOW: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
PROCESSES: Final = 2
LIMIT_SECONDS: Final = 20.0
ACCOUNTS, PEOPLE, DAYS = 10_000, 150, 365
REVENUES: Final = (1_500, 12_000, 60_000, 60_000, 250_000)
COLORS: Final = ("green", "green", "yellow", "red")


def run(*, quick: bool) -> list[Figure]:
    accounts, people = (134, 2) if quick else (ACCOUNTS, PEOPLE)
    book = read_book(accounts, people)
    with ThreadPoolExecutor(1) as thread:  # the benchmarks run in an event loop
        seconds, document = thread.submit(asyncio.run, measure(book, DAYS)).result()
        floor, _ = thread.submit(asyncio.run, measure(book, 0)).result()
    limit = LIMIT_SECONDS * accounts / ACCOUNTS
    what = f"{accounts:,} accounts x {DAYS} days simulated"
    return [
        Figure(
            what, seconds * 1000, limit * 1000, seconds / limit, "ms", f"the limit, {limit:g} s",
            at_most=1.0, more={"work": document["work"]},
        ),
        Figure(what, seconds * 1000, floor * 1000, seconds / floor, "ms", "planned and levelled once: the floor"),
    ]  # fmt: skip


async def measure(book: EventBook, days: int) -> tuple[float, dict[str, object]]:
    """Seconds of real time of a simulation over so many days, the start of its processes included; its document."""
    wanted, period = Wanted(days), Period(book.now, days)
    pool = WorkerPool(
        PROCESSES, seconds=3_600, megabytes=8_192, most_waiting=0, module="services.simulation.jobs"
    )
    began = time.perf_counter()
    try:
        jobs: list[Job] = plan_jobs(book.rules, book.accounts, book.colleagues, period, wanted, PROCESSES)
        results: list[Totals] = await pool.run_all(simulate, jobs)
    finally:
        await pool.close()
    return time.perf_counter() - began, add_up(results, "bench", period, wanted)


def read_book(accounts: int, people: int) -> EventBook:
    """The same book in every run."""
    dice = random.Random(3)
    events = [
        _event("csm.described", f"csm-{number:03}", {"timezone": "Europe/Berlin"}) for number in range(people)
    ]
    for number in range(accounts):
        name, arr = f"acc-{number:05}", dice.choice(REVENUES)
        starts = NOW - timedelta(days=dice.randrange(20, 340))
        contract = {
            "contract_id": f"c-{number}",
            "status": "active",
            "starts_on": f"{starts:%Y-%m-%d}",
            "renews_on": f"{starts + timedelta(days=365):%Y-%m-%d}",
            "arr": arr,
        }
        zone = dice.choice(("Europe/Berlin", "America/New_York", "UTC"))
        events += [
            _event(
                "account.described",
                name,
                {"arr": arr, "csm_id": f"csm-{number % people:03}", "timezone": zone},
            ),
            _event("contract.changed", name, contract),
            _event("health.scored", name, {"color": dice.choice(COLORS)}),
        ]
    content = b"\n".join(map(orjson.dumps, events))
    return book_of_events(read_event_file(content, "book"), policy_texts(SHIPPED), NOW)


def _event(kind: str, subject: str, data: Mapping[str, object]) -> dict[str, object]:
    return {
        "specversion": "1.0", "type": f"drumbeat.{kind}.v1", "source": "/bench", "id": f"{kind}-{subject}",
        "subject": subject, "time": f"{NOW:%Y-%m-%dT%H:%M:%SZ}", "data": data,
    }  # fmt: skip
