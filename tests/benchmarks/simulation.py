"""A year of a whole book: 10,000 accounts of 150 people, from their events to the sums, in two processes.

The limit is 20 seconds. The floors are measured in the same run on as many cores: the evaluations of the year alone, as
many as the simulation makes, at moments spread over it; and each account planned and each book levelled once, with all
that its year holds, which no simulation touch by touch does without.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import orjson

from services.cadence.account.codec import decode
from services.cadence.account.event_file import read_event_file
from services.cadence.evaluation import evaluate_account
from services.cadence.policy.load import SHIPPED, policy_texts
from services.chassis.worker_pool import WorkerPool
from services.simulation.book import DAY, Period
from services.simulation.from_events import EventBook, book_of_events
from services.simulation.jobs import Job, add_up, plan_jobs, simulate
from services.simulation.totals import Wanted
from tests.benchmarks.figures import Figure

NOW: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
PROCESSES: Final = 2
LIMIT_SECONDS: Final = 20.0
ACCOUNTS, PEOPLE, DAYS = 10_000, 150, 365
REVENUES: Final = (1_500, 12_000, 60_000, 60_000, 250_000)
J = TypeVar("J")
T = TypeVar("T")
COLORS: Final = ("green", "green", "yellow", "red")


def run(*, quick: bool) -> list[Figure]:
    accounts, people = (134, 2) if quick else (ACCOUNTS, PEOPLE)
    book = read_book(accounts, people)
    with ThreadPoolExecutor(1) as thread:  # the benchmarks run in an event loop
        seconds, document = thread.submit(asyncio.run, measure(book, DAYS)).result()
        once, _ = thread.submit(asyncio.run, measure(book, 0)).result()
        evaluations = document["work"]["evaluations"]
        floor = thread.submit(asyncio.run, measure_evaluations(book, evaluations // accounts)).result()
    limit = LIMIT_SECONDS * accounts / ACCOUNTS
    what = f"{accounts:,} accounts x {DAYS} days simulated"
    return [
        Figure(
            what, seconds * 1000, limit * 1000, seconds / limit, "ms", f"the limit, {limit:g} s",
            at_most=1.0, more={"work": document["work"]},
        ),
        Figure(
            what, seconds * 1000, floor * 1000, seconds / floor, "ms",
            f"its {evaluations:,} evaluations alone: the floor",
        ),
        Figure(what, seconds * 1000, once * 1000, seconds / once, "ms", "planned and levelled once"),
    ]  # fmt: skip


async def measure(book: EventBook, days: int) -> tuple[float, dict[str, Any]]:
    """Seconds of real time of a simulation over so many days, the start of its processes included; its document."""
    wanted, period = Wanted(days), Period(book.now, days)
    began = time.perf_counter()
    jobs = plan_jobs(book.rules, book.accounts, book.colleagues, period, wanted, PROCESSES)
    results = await run_all(simulate, jobs)
    return time.perf_counter() - began, add_up(results, "bench", period, wanted)


async def measure_evaluations(book: EventBook, times: int) -> float:
    """Seconds of real time of so many evaluations of each account, the start of their processes included."""
    wanted, period = Wanted(DAYS), Period(book.now, DAYS)
    began = time.perf_counter()
    jobs = plan_jobs(book.rules, book.accounts, book.colleagues, period, wanted, PROCESSES)
    await run_all(evaluate_over_days, [(job, times) for job in jobs])
    return time.perf_counter() - began


def evaluate_over_days(task: tuple[Job, int]) -> int:
    """Evaluate each account of a job so many times, at moments spread over its days, and read the plans."""
    job, times = task
    policy, portfolio = job.rules.load()
    moments = [job.period.now + number * job.period.days * DAY / times for number in range(times)]
    items = 0
    for account in job.part.accounts:
        facts, issued = decode(account.account_id, account.state)
        for moment in moments:
            items += len(evaluate_account(policy, facts, issued, portfolio, moment).plan.rhythms)
    return items


async def run_all(function: Callable[[J], T], jobs: Sequence[J]) -> list[T]:
    """The results of jobs, each in a process of its own."""
    pool = WorkerPool(
        PROCESSES, seconds=3_600, megabytes=8_192, most_waiting=0, module="services.simulation.jobs"
    )
    try:
        return await pool.run_all(function, jobs)
    finally:
        await pool.close()


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
