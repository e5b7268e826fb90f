"""A scheduler on a real database, its doors open, its clock in the test's hand."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from schemas.envelope import Envelope, kafka_headers
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database
from services.chassis.dead_letters import Record
from services.chassis.keys import ApiKey, KeyRing, digest, new_secret
from services.chassis.migrations import DATABASES, migrate
from services.chassis.outbox import Outbox, unpack
from services.chassis.web import Chassis, make_app
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.scheduler.adapters.calendar import PostgresCalendar
from services.scheduler.adapters.people import PostgresDirectory
from services.scheduler.adapters.queries import Queries
from services.scheduler.adapters.queue import PostgresQueue
from services.scheduler.adapters.sweep import claim_accounts
from services.scheduler.entrypoints.acts import act_routes
from services.scheduler.entrypoints.api import read_routes
from services.scheduler.entrypoints.consumer import Intake
from services.scheduler.entrypoints.desk import Answers, Counter
from services.scheduler.entrypoints.loops import Extender, Lapser, Releaser

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
TABLES = """account_calendar, rhythm, touchpoint, agenda, lapsing, change, person, early_outcome, inbox, outbox,
    dead_letter, api_key, consumer_offset"""
REASON: dict[str, object] = {"rule": "red", "policy": "p1", "facts": [], "text": "because"}


class HandClock(ServiceClock):
    """A service clock that stands where the test puts it."""

    now_is = MONDAY

    def at(self, real: datetime) -> datetime:
        return HandClock.now_is

    def real_seconds(self, span: timedelta) -> float:
        return span.total_seconds()


@dataclass
class House:
    """The scheduler's doors on one database."""

    database: Database
    http: httpx.AsyncClient
    outbox: Outbox = field(default_factory=lambda: Outbox("/drumbeat/scheduler"))
    clock: HandClock = field(default_factory=lambda: HandClock(MONDAY, MONDAY, 1.0))
    counts: dict[str, int] = field(default_factory=dict[str, int])
    offset: int = 0

    def count(self, what: str, number: int) -> None:
        self.counts[what] = self.counts.get(what, 0) + number

    def queue(self, connection: Connection) -> PostgresQueue:
        return PostgresQueue(connection, self.outbox)

    def calendar(self, connection: Connection) -> PostgresCalendar:
        return PostgresCalendar(connection, self.outbox)

    def record(self, topic: str, key: str, headers: Any, value: bytes | None) -> Record:
        self.offset += 1
        return Record(topic, 0, self.offset, key.encode(), value, tuple(headers), 0)

    def letter(self, topic: str, kind: str, key: str, data: Mapping[str, object], **said: Any) -> Record:
        envelope = Envelope(
            id=said.get("id", f"e{self.offset}"),
            source=said.get("source", "/test"),
            type=kind,
            subject=key,
            time=said.get("time", HandClock.now_is),
            data=orjson.dumps(data),
        )
        return self.record(topic, key, kafka_headers(envelope), envelope.data)

    def tombstone(self, topic: str, key: str) -> Record:
        return self.record(topic, key, (), None)

    def intake(self) -> Intake:
        return Intake(self.clock, self.outbox, self.calendar, PostgresDirectory, self.count)

    async def hear(self, *records: Record) -> None:
        async with self.database.transaction() as connection:
            await self.intake()(connection, records, MONDAY)

    def plan(
        self,
        version: int,
        rhythms: Sequence[object] = (),
        touchpoints: Sequence[object] = (),
        account: str = "acme",
        avoid: Sequence[object] = (),
    ) -> Record:
        data: dict[str, object] = {
            "account_id": account,
            "version": version,
            "policy": "p1",
            "rhythms": rhythms,
            "touchpoints": touchpoints,
            "avoid": avoid,
            "changes": [],
            "decided_at": HandClock.now_is,
        }
        return self.letter("touchpoint.commands", "drumbeat.plan.adjusted.v1", account, data)

    def outcome(self, data: Mapping[str, object], account: str = "acme", **said: Any) -> Record:
        return self.letter("touchpoint.outcomes", "drumbeat.touchpoint.settled.v1", account, data, **said)

    async def release(self) -> float:
        releaser = Releaser(self.database, self.clock, self.queue, lambda: None, self.count)
        return await releaser.run_once()

    async def lapse(self) -> float | None:
        return await Lapser(self.database, self.clock, self.queue, lambda: None, self.count).run_once()

    async def extend(self) -> float | None:
        extender = Extender(
            self.database, self.clock, claim_accounts, self.calendar, lambda: None, self.count
        )
        return await extender.run_once()

    async def told(self) -> list[dict[str, Any]]:
        """What stands in the outbox, oldest first, and is taken out of it."""
        rows = await self.database.pool.fetch("DELETE FROM outbox RETURNING id, topic, headers, payload")
        return [
            {
                "topic": row["topic"],
                **{name: value.decode() for name, value in unpack(row["headers"])},
                "data": None if row["payload"] is None else orjson.loads(row["payload"]),
            }
            for row in sorted(rows, key=lambda row: row["id"])
        ]

    async def kinds(self) -> list[str]:
        return [each["ce_type"].split(".")[-2] for each in await self.told()]

    async def listed(self, **asked: object) -> list[dict[str, Any]]:
        answer = await self.http.get("/v1/touchpoints", params={"limit": 500, **asked})  # type: ignore[dict-item]
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]


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
async def house(scheduler_url: str) -> AsyncGenerator[House]:
    database = await Database.open(scheduler_url, DATABASES["scheduler"])
    await database.pool.execute(f"TRUNCATE {TABLES}")
    HandClock.now_is = MONDAY
    key_id, key = new_secret()
    keys = KeyRing()
    keys.learn(ApiKey(key_id, digest(key), frozenset({"read", "act"})))

    async def ready() -> str | None:
        return None

    clock = HandClock(MONDAY, MONDAY, 1.0)
    app = make_app(Chassis("scheduler", clock, keys, ready), title="scheduler")
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url="http://scheduler",
        headers={"Authorization": f"Bearer {key}"},
    )
    made = House(database, http)
    app.include_router(read_routes(Answers(Queries(database), clock)))
    app.include_router(act_routes(Counter(database, clock, made.calendar, lambda: None)))
    yield made
    await http.aclose()
    await database.close()


def at(moment: datetime) -> datetime:
    """Put the clock there."""
    HandClock.now_is = moment
    return moment
