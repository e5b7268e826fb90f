"""A scheduler on a real database, with a clock that the test sets."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from schemas.envelope import Envelope, kafka_headers
from services.calendar.person_book import PersonBook
from services.calendar.person_levelling import PersonLevelling, level_person
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.dead_letters import Record
from services.chassis.keys import ApiKey, KeyRing, digest, new_secret
from services.chassis.migrations import migrate
from services.chassis.outbox import Outbox, unpack
from services.chassis.schema_versions import DATABASES
from services.chassis.web import Chassis, make_app
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.scheduler.adapters.announcement_repository import PostgresAnnouncements
from services.scheduler.adapters.book_repository import PostgresBooks
from services.scheduler.adapters.calendar_repository import PostgresCalendarRepository
from services.scheduler.adapters.capacity_queries import PostgresCapacity
from services.scheduler.adapters.closed_days import read_account_days
from services.scheduler.adapters.coming import read_coming
from services.scheduler.adapters.directory_repository import PostgresDirectoryRepository
from services.scheduler.adapters.feed_repository import PostgresFeeds
from services.scheduler.adapters.handover_repository import PostgresHandovers
from services.scheduler.adapters.promise_queries import PostgresPromiseReader
from services.scheduler.adapters.promise_repository import PostgresPromises
from services.scheduler.adapters.queries import PostgresReader
from services.scheduler.adapters.queue_repository import PostgresQueue
from services.scheduler.adapters.reminder_repository import PostgresReminders
from services.scheduler.application.announce_changes import LONGEST_WAIT, announce_changes
from services.scheduler.application.level_books import level_next_book
from services.scheduler.application.ports import Keep
from services.scheduler.domain.feed import Publisher
from services.scheduler.entrypoints.http_actions import UnitOfWork, action_routes
from services.scheduler.entrypoints.http_capacity import capacity_routes
from services.scheduler.entrypoints.http_closed_days import closed_days_routes
from services.scheduler.entrypoints.http_coming import coming_routes
from services.scheduler.entrypoints.http_feeds import FeedServices, feed_routes
from services.scheduler.entrypoints.http_handovers import HandoverUnit, handover_routes
from services.scheduler.entrypoints.http_promises import promise_routes
from services.scheduler.entrypoints.http_schedule import schedule_routes
from services.scheduler.entrypoints.http_touchpoints import read_routes
from services.scheduler.entrypoints.kafka_consumer import RecordHandler
from services.scheduler.entrypoints.promise_watcher import PromiseWatcher
from services.scheduler.entrypoints.workers import (
    Releaser,
    Sweep,
    Sweeper,
    horizon_sweep,
    leaver_sweep,
    overdue_sweep,
    prune_sweep,
    reminder_sweep,
)
from tests.late_app import LateApp

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
CONSOLE = "https://drumbeat.example"
TABLES = """account_calendar, rhythm, touchpoint, agenda, lapsing, change, person, early_outcome, inbox, outbox,
    dead_letter, api_key, consumer_offset, announcement, policy_in_force, account_alias, assignment, hand_act,
    due_touchpoint, closed_touchpoint, archived_touchpoint, archived_contact, erased_account, csm_mark, csm_book,
    data_release, left_person, calendar_feed, busy_calendar, reminder_position, missed_reminder, promise,
    promise_mark"""
REASON: dict[str, object] = {"rule": "red", "policy": "p1", "facts": [], "text": "because"}

MOST_IN_A_BATCH = 100
SECRET = b"s" * 32
"""Under which records of keys are signed."""


class FixedClock(ServiceClock):
    """A service clock that the test sets."""

    now_is = MONDAY

    def at(self, real: datetime) -> datetime:
        return FixedClock.now_is

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


@dataclass
class Scheduler:
    """The scheduler's entrypoints on one database."""

    database: Database
    http: httpx.AsyncClient
    keys: KeyRing = field(default_factory=KeyRing)
    outbox: Outbox = field(default_factory=lambda: Outbox("/drumbeat/scheduler"))
    clock: FixedClock = field(default_factory=lambda: FixedClock(MONDAY, MONDAY, 1.0))
    counted: dict[str, int] = field(default_factory=dict[str, int])
    offset: int = 0
    late: LateApp = field(default_factory=lambda: LateApp(FastAPI))
    audited: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Entries of the audit log that were in the outbox."""

    @property
    def app(self) -> FastAPI:
        return self.late.app

    def count(self, what: str, number: int) -> None:
        self.counted[what] = self.counted.get(what, 0) + number

    def queue(self, connection: Connection) -> PostgresQueue:
        return PostgresQueue(connection, self.outbox, CONSOLE)

    def calendars(self, connection: Connection) -> PostgresCalendarRepository:
        return PostgresCalendarRepository(connection, self.outbox, CONSOLE)

    def record(self, topic: str, key: str, headers: Any, value: bytes | None) -> Record:
        self.offset += 1
        return Record(topic, 0, self.offset, key.encode(), value, tuple(headers), 0)

    def event(self, topic: str, kind: str, key: str, data: Mapping[str, object], **attributes: Any) -> Record:
        envelope = Envelope(
            id=attributes.get("id", f"e{self.offset}"),
            source=attributes.get("source", "/test"),
            type=kind,
            subject=key,
            time=attributes.get("time", FixedClock.now_is),
            data=orjson.dumps(data),
        )
        return self.record(topic, key, kafka_headers(envelope), envelope.data)

    def tombstone(self, topic: str, key: str) -> Record:
        return self.record(topic, key, (), None)

    @property
    def handler(self) -> RecordHandler:
        return RecordHandler(
            self.clock, self.outbox, self.calendars, PostgresDirectoryRepository, self.count, [SECRET]
        )

    async def consume(self, *records: Record) -> None:
        """As the consumer does: a transaction for each batch. The database ends one that takes 20 seconds."""
        for first in range(0, len(records), MOST_IN_A_BATCH):
            async with self.database.transaction() as connection:
                await self.handler(connection, records[first : first + MOST_IN_A_BATCH], MONDAY)

    def plan(
        self,
        version: int,
        rhythms: Sequence[object] = (),
        touchpoints: Sequence[object] = (),
        account: str = "acme",
        avoid: Sequence[object] = (),
        *,
        merged_from: Sequence[str] = (),
        withdrawn: Sequence[str] = (),
    ) -> Record:
        data: dict[str, object] = {
            "account_id": account,
            "version": version,
            "policy": "p1",
            "rhythms": rhythms,
            "touchpoints": touchpoints,
            "avoid": avoid,
            "changes": [],
            "merged_from": merged_from,
            "withdrawn": withdrawn,
            "decided_at": FixedClock.now_is,
        }
        return self.event("touchpoint.commands", "drumbeat.plan.adjusted.v1", account, data)

    def outcome(self, data: Mapping[str, object], account: str = "acme", **attributes: Any) -> Record:
        return self.event(
            "touchpoint.outcomes", "drumbeat.touchpoint.settled.v1", account, data, **attributes
        )

    async def describe(self, csm_id: str, **more: object) -> None:
        record = {"csm_id": csm_id, "version": 1, **more}
        await self.consume(self.event("directory.csms", "drumbeat.csm.directory.v1", csm_id, record))

    async def release(self) -> float:
        releaser = Releaser(self.database, self.clock, self.queue, lambda: None, self.count)
        return await releaser.run_once()

    def reminders(self, connection: Connection) -> PostgresReminders:
        return PostgresReminders(connection, self.outbox, CONSOLE)

    def promises(self, connection: Connection) -> PostgresPromises:
        return PostgresPromises(connection, self.calendars(connection), self.outbox, CONSOLE)

    async def watch(self) -> None:
        """Look at promises until there is nothing more to look at now."""
        watcher = PromiseWatcher(self.database, self.clock, self.promises, lambda: None, self.count)
        while await watcher.run_once() == 0:
            continue

    async def remind(self) -> float | None:
        return await self._sweep(reminder_sweep(self.reminders))

    async def mark_overdue(self) -> float | None:
        return await self._sweep(overdue_sweep(self.queue))

    async def extend(self) -> float | None:
        return await self._sweep(horizon_sweep(self.calendars))

    async def share_out(self) -> None:
        """Share out what people who have left had."""
        sweep = leaver_sweep(self.calendars, PostgresHandovers, PostgresReader(self.database))
        while await self._sweep(sweep) is not None:
            continue

    async def level(self) -> None:
        """Level until nobody is marked, with the horizon worker between the passes, as the services do."""
        await self.database.pool.execute("UPDATE csm_mark SET marked_at = marked_at - interval '1 hour'")
        while await self.level_next() or await self.extend() == 0:
            await self.database.pool.execute("UPDATE csm_mark SET marked_at = marked_at - interval '1 hour'")

    async def level_next(self) -> bool:
        """Level somebody who is marked; whether anybody was."""
        async with self.database.transaction() as connection:
            books = PostgresBooks(connection, self.calendars(connection))
            result = await level_next_book(books, level_at_once, FixedClock.now_is)
        for kind, number in result.counts().items():
            self.count(kind, number)
        return result.books > 0

    async def prune(self, closed_days: int = 800, outcome_days: int = 40) -> float | None:
        keep = Keep(timedelta(days=closed_days), timedelta(days=outcome_days))
        return await self._sweep(prune_sweep(self.queue, keep))

    async def leave_feed(self, days: int = 91) -> None:
        """Let every change be so many days old by the real clock, and prune the feed."""
        await self.database.pool.execute(
            "UPDATE change SET written_at = written_at - $1::interval", timedelta(days=days)
        )
        while await self.prune() == 0:
            continue

    async def _sweep(self, sweep: Sweep) -> float | None:
        return await Sweeper(self.database, self.clock, sweep, lambda: None, self.count).run_once()

    async def announce(self, after: timedelta = LONGEST_WAIT) -> None:
        """Announce what is to be announced so much later by the real clock."""
        claimed = True
        while claimed:
            async with self.database.transaction() as connection:
                claimed = await self.announce_on(connection, after) > 0

    async def announce_on(self, connection: Connection, after: timedelta) -> int:
        later = await real_now(connection) + after
        announcements = PostgresAnnouncements(connection, self.outbox, CONSOLE)
        return await announce_changes(announcements, later, self.clock.at(later))

    async def sent(self) -> list[dict[str, Any]]:
        """The events once every account is quiet, oldest first; they are deleted from the outbox."""
        await self.announce()
        return await self.sent_at_once()

    async def sent_at_once(self) -> list[dict[str, Any]]:
        """The events in the outbox, oldest first; they are deleted from it. `audited` keeps the entries of the log."""
        rows = await self.database.pool.fetch("DELETE FROM outbox RETURNING id, topic, headers, payload")
        found: list[dict[str, Any]] = [
            {
                "topic": row["topic"],
                **{name: value.decode() for name, value in unpack(row["headers"])},
                "data": None if row["payload"] is None else orjson.loads(row["payload"]),
            }
            for row in sorted(rows, key=lambda row: row["id"])
        ]
        self.audited += [each["data"] for each in found if each["topic"] == "audit.entries"]
        return [each for each in found if each["topic"] != "audit.entries"]

    async def event_kinds(self) -> list[str]:
        return [each["ce_type"].split(".")[-2] for each in await self.sent()]

    async def list_touchpoints(self, **filters: object) -> list[dict[str, Any]]:
        answer = await self.http.get("/v1/touchpoints", params={"limit": 500, **filters})  # type: ignore[dict-item]
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]


async def level_at_once(book: PersonBook, now: datetime) -> PersonLevelling:
    return level_person(book, now)


def rhythm(every_days: int = 7, **changed: object) -> dict[str, object]:
    return {
        "touchpoint_type": "check_in",
        "every_days": every_days,
        "channel": "call",
        "owner": "csm",
        "csm_id": "ada",
        "reason": REASON,
        "topic": "account",
        "minutes": 30,
        "urgency": "soon",
        "audience": ["champion"],
        **changed,
    }


def tips(every_days: int = 7) -> dict[str, object]:
    return rhythm(
        every_days, touchpoint_type="tips", owner="marketing", csm_id=None, channel="email", topic="education"
    )


def one_off(name: str, start: datetime, end: datetime, **changed: object) -> dict[str, object]:
    return {
        "id": name,
        "touchpoint_type": "kickoff",
        "window": {"from": start, "to": end},
        "channel": "meeting",
        "owner": "csm",
        "csm_id": "ada",
        "reason": REASON,
        "topic": "account",
        **changed,
    }


def season(start: datetime, end: datetime | None, *types: str, name: str = "season") -> dict[str, object]:
    return {"name": name, "from": start, "to": end, "touchpoint_types": types, "text": "it is not the time"}


@pytest.fixture(scope="session")
def scheduler_url(postgres: EmbeddedPostgres) -> str:
    asyncio.run(migrate(postgres.url, ["scheduler"]))
    return postgres.url


@pytest.fixture
async def scheduler(scheduler_url: str) -> AsyncGenerator[Scheduler]:
    database = await Database.open(scheduler_url, DATABASES["scheduler"])
    await database.pool.execute(f"TRUNCATE {TABLES}")
    FixedClock.now_is = MONDAY
    key_id, key = new_secret()
    keys = KeyRing()
    keys.learn(ApiKey(key_id, digest(key), frozenset({"read", "act"})))

    async def ready() -> str | None:
        return None

    clock, late = FixedClock(MONDAY, MONDAY, 1.0), LateApp(lambda: _app(made, clock, ready))
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(late, raise_app_exceptions=False),
        base_url="http://scheduler",
        headers={"Authorization": f"Bearer {key}"},
    )
    made = Scheduler(database, http, keys=keys, late=late)
    yield made
    await http.aclose()
    await database.close()


def _app(made: Scheduler, clock: FixedClock, ready: Callable[[], Awaitable[str | None]]) -> FastAPI:
    app, database = make_app(Chassis("scheduler", clock, made.keys, ready), title="scheduler"), made.database
    reader = PostgresReader(database)
    app.include_router(read_routes(reader, clock))
    app.include_router(capacity_routes(reader, PostgresCapacity(database), clock))
    app.include_router(closed_days_routes(partial(read_account_days, database)))
    app.include_router(coming_routes(partial(read_coming, database), reader, clock))
    app.include_router(schedule_routes(reader, clock))
    app.include_router(promise_routes(PostgresPromiseReader(database)))
    unit = HandoverUnit(database, clock, made.calendars, PostgresHandovers, reader, lambda: None)
    app.include_router(handover_routes(unit))
    publisher = Publisher("Vendor Ltd", CONSOLE)
    app.include_router(feed_routes(FeedServices(PostgresFeeds(database), clock, publisher, CONSOLE)))
    app.include_router(action_routes(UnitOfWork(database, clock, made.calendars, reader, lambda: None)))
    return app


def at(moment: datetime) -> datetime:
    """Set the clock."""
    FixedClock.now_is = moment
    return moment
