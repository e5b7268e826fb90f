"""What an account and a fact cost: processor time by process, and bytes, of all services at work.

    python -m tests.benchmarks costs [--quick]

A book is taken in, then a mix of facts about it: each is a phase, whose processor time is that of each service, of the
sessions of its database, of the rest of PostgreSQL, and of Kafka, less what all of them take at rest. Processor time, not
rates: it hardly depends on what else the machine does. docs/scaling.md is derived from these figures.
"""

import argparse
import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import asyncpg

from services.chassis.database import database_url
from services.chassis.kafka import Message, Producer
from services.chassis.schema_versions import DATABASES
from services.chassis.settings import Kafka
from tests.benchmarks.events import START, account_id, message, portfolio
from tests.benchmarks.figures import Figure, cpu_seconds
from tests.benchmarks.mixed_events import Mix
from tests.stack import SERVICES, Stack, until

BEGIN: Final = START + timedelta(days=18)  # of the service clock: after the last fact
ACCOUNTS, FACTS = 200, 5_000
PEOPLE: Final = 40  # who lead the accounts of `events.portfolio`
HISTORY_DAYS: Final = 7
REST_SECONDS: Final = 20.0
SESSIONS: Final = (
    "SELECT datname, pid FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()"
)
SIZES: Final = """
SELECT coalesce(i.inhparent::regclass, c.oid::regclass)::text AS name, sum(pg_total_relation_size(c.oid))::bigint AS bytes
FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
WHERE c.relkind IN ('r', 'm') AND c.relnamespace = 'public'::regnamespace GROUP BY 1
"""
MOVED: Final = {
    "rules_engine": "SELECT (SELECT sum(next_offset) FROM consumer_offset), (SELECT count(*) FROM outbox)",
    "scheduler": """
        SELECT (SELECT sum(next_offset) FROM consumer_offset), (SELECT count(*) FROM outbox),
            (SELECT count(*) FROM announcement), (SELECT count(*) FROM touchpoint WHERE released_at IS NOT NULL)
    """,
    "notifier": """
        SELECT (SELECT sum(next_offset) FROM consumer_offset), (SELECT count(*) FROM outbox),
            (SELECT count(*) FROM delivery), (SELECT count(*) FROM delivery WHERE state <> 'pending')
    """,
}
"""What changes while there is work, first records that were read, then records that were not sent yet."""
LOGGED: Final = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
STILL_SECONDS: Final = 12.0  # longer than changes wait until an account is quiet
COUNTS: Final = {
    "rules_engine": {
        "facts": "SELECT count(*) FROM receipt",
        "decisions": "SELECT count(*) FROM decision",
        "accounts": "SELECT count(*) FROM account",
        "unreadable facts": "SELECT count(*) FROM dead_letter",
    },
    "scheduler": {
        "touchpoints": "SELECT count(*) FROM touchpoint",
        "released": "SELECT count(*) FROM touchpoint WHERE released_at IS NOT NULL",
    },
    "notifier": {
        "deliveries": "SELECT count(*) FROM delivery",
        "ended": "SELECT count(*) FROM delivery WHERE state <> 'pending'",
    },
}


@dataclass(frozen=True, slots=True)
class Reading:
    """At one moment: seconds of processor time by part, bytes by table, and rows by kind."""

    at: float
    seconds: Mapping[str, float]
    bytes: Mapping[str, int]
    counts: Mapping[str, int]


class Costs:
    """Readings of a stack whose services run."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._sessions: dict[tuple[str, int], float] = {}

    async def _rows(self, service: str, statement: str) -> list[Any]:
        connection = await asyncpg.connect(database_url(self._stack.postgres.url, DATABASES[service]))
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    async def read(self) -> Reading:
        seconds = {name: cpu_seconds(self._stack.processes[name].child.pid) for name in SERVICES}
        seconds["kafka"] = self._stack.kafka.processor_seconds()
        for name, pid in await self._rows("rules_engine", SESSIONS):
            with contextlib.suppress(FileNotFoundError):  # it has ended since
                self._sessions[name, pid] = cpu_seconds(pid)
        for service, database in DATABASES.items():
            seconds[f"{service} database"] = sum(
                used for (name, _), used in self._sessions.items() if name == database
            )
        of_sessions = sum(used for name, used in seconds.items() if name.endswith("database"))
        seconds["rest of PostgreSQL"] = cpu_seconds(self._stack.postgres.pid) - of_sessions
        sizes: dict[str, int] = {}
        counts: dict[str, int] = {}
        for service, statements in COUNTS.items():
            sizes |= {f"{service} {row['name']}": row["bytes"] for row in await self._rows(service, SIZES)}
            for kind, statement in statements.items():
                counts[kind] = (await self._rows(service, statement))[0][0]
        sizes |= self._topics()
        sizes["write-ahead log"] = int((await self._rows("rules_engine", LOGGED))[0][0])
        return Reading(time.monotonic(), seconds, sizes, counts)

    def _topics(self) -> dict[str, int]:
        """Bytes of each topic's records."""
        found: dict[str, int] = {}
        for log in self._stack.kafka.folder.rglob("*.log"):
            topic = log.parent.name.rpartition("-")[0]
            if log.name != "kafka.log" and topic:
                found[f"kafka {topic}"] = found.get(f"kafka {topic}", 0) + log.stat().st_size
        return found

    async def at_rest(self) -> None:
        """Wait until nothing has moved for a while."""
        last: list[object] = []
        since = time.monotonic()

        async def nothing_moves() -> bool:
            nonlocal last, since
            rows = [(await self._rows(service, MOVED[service]))[0] for service in SERVICES]
            now: list[object] = [tuple(row) for row in rows]
            if now != last or any(row[1] for row in rows):
                last, since = now, time.monotonic()
            await asyncio.sleep(1)
            return time.monotonic() - since > STILL_SECONDS

        await until(nothing_moves, 200, "nothing moves")


def book(accounts: int) -> Iterable[Message]:
    """People, accounts with a contact each, and a week of their usage."""
    for number in range(PEOPLE):
        data = {"name": f"CSM {number}", "email": f"csm-{number}@example.com", "timezone": "Europe/Berlin"}
        person = message("csm.described", number, data, f"csm-{number}", START)
        yield person._replace(
            key=f"csm-{number}".encode(),
            headers=[
                (name, f"csm-{number}".encode() if name == "ce_subject" else value)
                for name, value in person.headers
            ],
        )
    yield from portfolio(accounts)
    for number in range(accounts):
        name = account_id(number)
        contact = {"contact_id": f"{name}-ann", "email": f"ann@{name}.example", "role": "champion"}
        yield message("contact.described", number, contact, f"contact-{number}", START)
    yield from Mix(accounts).history(HISTORY_DAYS)


async def run(stack: Stack, arguments: argparse.Namespace) -> list[Figure]:
    """Prints what each phase took, and answers the processor time of an account and of a fact."""
    accounts, facts = (40, 400) if arguments.quick else (ACCOUNTS, FACTS)
    stack.environment["DRUMBEAT_CLOCK__START"] = BEGIN.isoformat()
    await stack.run()
    costs = Costs(stack)
    await costs.at_rest()
    producer = Producer(Kafka(bootstrap_servers=stack.kafka.bootstrap), client_id="bench")
    resting = await costs.read()
    await asyncio.sleep(REST_SECONDS)
    empty = await costs.read()
    idle = spent_between(resting, empty, {})
    idle = {part: used / (empty.at - resting.at) for part, used in idle.items()}
    _print("at rest, a second", idle, 1)
    await _send(producer, book(accounts))
    await costs.at_rest()
    taken = await costs.read()
    of_account = _phase("the book, an account", empty, taken, idle, accounts)
    await _send(producer, Mix(accounts).take(facts))
    await costs.at_rest()
    told = await costs.read()
    assert not told.counts["unreadable facts"]
    of_fact = _phase("the mix, a fact", taken, told, idle, facts)
    await producer.stop()
    return [
        _figure("processor time of a fact of the mix", of_fact),
        _figure("processor time of a new account", of_account),
    ]


async def _send(producer: Producer, messages: Iterable[Message]) -> None:
    listed = list(messages)
    for at in range(0, len(listed), 5000):
        assert all(await producer.send(listed[at : at + 5000], timeout=60))


def spent_between(before: Reading, after: Reading, idle: Mapping[str, float]) -> dict[str, float]:
    """Seconds of processor time by part, without what it takes at rest."""
    lasted = after.at - before.at
    return {
        part: max(0.0, after.seconds[part] - before.seconds[part] - idle.get(part, 0.0) * lasted)
        for part in after.seconds
    }


def _phase(
    what: str, before: Reading, after: Reading, idle: Mapping[str, float], number: int
) -> dict[str, float]:
    """Microseconds of each part for each of so many things."""
    spent = spent_between(before, after, idle)
    _print(what, spent, number)
    rows = {kind: count - before.counts[kind] for kind, count in after.counts.items()}
    print("   rows:", ", ".join(f"{kind} {count}" for kind, count in rows.items()))
    grown = {name: size - before.bytes.get(name, 0) for name, size in after.bytes.items()}
    largest = sorted(((size, name) for name, size in grown.items() if size / number >= 10), reverse=True)
    print("   bytes of each:", ", ".join(f"{name} {size / number:,.0f}" for size, name in largest))
    return {part: used / number * 1e6 for part, used in spent.items()}


def _print(what: str, spent: Mapping[str, float], number: int) -> None:
    print(f"\n{what}: " + ", ".join(f"{part} {used / number * 1e6:,.0f} us" for part, used in spent.items()))


def _figure(what: str, spent: Mapping[str, float]) -> Figure:
    total = sum(spent.values())
    of_database = sum(used for part, used in spent.items() if "database" in part or "PostgreSQL" in part)
    ratio = of_database / total if total else 0.0
    return Figure(what, total, of_database, ratio, "us", "PostgreSQL's share of it", more=spent)
