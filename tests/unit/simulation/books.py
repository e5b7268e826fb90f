"""Books to simulate: events of a few accounts and people under the shipped policy."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import orjson

from services.cadence.account.event_file import read_event_file
from services.cadence.policy.load import SHIPPED, policy_texts
from services.simulation.book import Period
from services.simulation.from_events import EventBook, book_of_events
from services.simulation.jobs import add_up, plan_jobs, simulate
from services.simulation.totals import Wanted

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
REVENUES = (250_000, 60_000, 12_000, 900)


def event(kind: str, subject: str, data: Mapping[str, object]) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "type": f"drumbeat.{kind}.v1",
        "source": "/crm",
        "id": f"{kind}-{subject}",
        "subject": subject,
        "time": "2026-03-02T09:00:00Z",
        "data": data,
    }


def person(csm_id: str, **described: object) -> dict[str, object]:
    return event("csm.described", csm_id, {"name": csm_id, "timezone": "Europe/Berlin", **described})


def account(name: str, arr: float = 60_000, **described: object) -> list[dict[str, object]]:
    contract = {
        "contract_id": f"c-{name}",
        "status": "active",
        "starts_on": "2025-08-01",
        "renews_on": "2026-08-01",
    }
    return [
        event("account.described", name, {"name": name, "arr": arr, **described}),
        event("contract.changed", name, contract),
        event("health.scored", name, {"color": "green"}),
    ]


def small_book() -> bytes:
    """Two people with four accounts each, of four segments."""
    events = [person("ana"), person("ben")]
    for number in range(8):
        owner = ("ana", "ben")[number % 2]
        events += account(f"acc-{number}", REVENUES[number // 2], csm_id=owner)
    return write(events)


def write(events: Sequence[dict[str, object]]) -> bytes:
    return b"\n".join(map(orjson.dumps, events))


def book_of(content: bytes) -> EventBook:
    """The book of a file of events under the shipped policy."""
    return book_of_events(read_event_file(content, "book"), policy_texts(SHIPPED), None)


def simulated(content: bytes, wanted: Wanted, processes: int = 1) -> dict[str, object]:
    """The document of a simulation of the accounts of a file."""
    return simulate_book(book_of(content), wanted, processes)


def simulate_book(book: EventBook, wanted: Wanted, processes: int = 1) -> dict[str, object]:
    period = Period(book.now, wanted.days)
    jobs = plan_jobs(book.rules, book.accounts, book.colleagues, period, wanted, processes)
    return add_up(list(map(simulate, jobs)), "p", period, wanted)
