"""A notifier on a real database, its doors open, its clock in the test's hand, its receivers real sockets."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from schemas.envelope import Envelope, kafka_headers
from services.chassis.clock import ServiceClock
from services.chassis.database import Database, real_now
from services.chassis.dead_letters import Record
from services.chassis.keys import ApiKey, KeyRing, digest, new_secret
from services.chassis.migrations import DATABASES, migrate
from services.chassis.outbox import Outbox, timestamp, unpack
from services.chassis.web import Chassis, make_app
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.notifier.adapters import messages
from services.notifier.adapters.channels import signing
from services.notifier.adapters.channels.webhook import WebhookClient
from services.notifier.adapters.delivery_queue import DeliveryDesk
from services.notifier.adapters.preference_repository import PreferenceBook
from services.notifier.adapters.queries import ReadingRoom
from services.notifier.adapters.subscription_repository import SubscriptionBook
from services.notifier.adapters.templates import Templates
from services.notifier.adapters.unit_of_work import IntakeWork
from services.notifier.application.send_messages import Post, tell_people
from services.notifier.domain.unsubscribe import token
from services.notifier.entrypoints.http_deliveries import delivery_routes
from services.notifier.entrypoints.http_preferences import preference_routes, unsubscribe_routes
from services.notifier.entrypoints.http_stream import Bell, stream_routes
from services.notifier.entrypoints.http_subscriptions import Hooks, subscription_routes
from services.notifier.entrypoints.kafka_consumer import Listener, Translate
from services.notifier.entrypoints.workers import HookSender
from services.notifier.main import learned, person
from tests.integration.notifier.receivers import Postbox, Receiver

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TABLES = (
    "account, contact, person, preference, refused_address, feed, withdrawn, subscription, delivery, attempt,"
    " in_app, inbox, outbox, dead_letter, api_key, consumer_offset"
)


class HandClock(ServiceClock):
    """A service clock that stands where the test puts it."""

    now_is = NOON

    def at(self, real: datetime) -> datetime:
        return HandClock.now_is


@dataclass
class Notifier:
    """The notifier's doors on one database."""

    database: Database
    http: httpx.AsyncClient
    listener: Listener
    desk: DeliveryDesk
    sender: HookSender
    postbox: Postbox
    post: Post
    unsubscribe_key: bytes
    offset: int = 0

    async def hear(self, topic: str, *records: Record) -> None:
        async with self.database.transaction() as connection:
            await self.listener(connection, records, await real_now(connection))

    def letter(self, topic: str, type_: str, key: str, data: Mapping[str, object], event_id: str) -> Record:
        self.offset += 1
        envelope = Envelope(event_id, "/test", type_, key, HandClock.now_is, orjson.dumps(data))
        headers = tuple(kafka_headers(envelope))
        return Record(topic, 0, self.offset, key.encode(), envelope.data, headers, 0)

    def touchpoint(self, kind: str = "due", **more: Any) -> Record:
        data = touchpoint(**more)
        event_id = f"{data['touchpoint_id']}:{data['sequence']}:{kind}"
        type_ = f"drumbeat.touchpoint.{kind}.v1"
        return self.letter("touchpoint.events", type_, str(data["account_id"]), data, event_id)

    async def due(self, **more: Any) -> None:
        await self.hear("touchpoint.events", self.touchpoint("due", **more))

    async def know_acme(self, version: int = 1, **more: Any) -> None:
        record = {**ACME, "version": version, **more}
        letter = self.letter(
            "directory.accounts", "drumbeat.account.directory.v1", "acme", record, f"acme:{version}"
        )
        await self.hear("directory.accounts", letter)

    async def know_carl(self, **more: Any) -> None:
        record = {"csm_id": "carl", "name": "Carl", "email": "carl@vendor.example", "version": 1, **more}
        letter = self.letter("directory.csms", "drumbeat.csm.directory.v1", "carl", record, "carl:1")
        await self.hear("directory.csms", letter)

    async def tell_people(self) -> int:
        """One pass of the people sender; answers how many it claimed."""
        claims, directory, now = await self.desk.claim_people(50)
        if claims:
            await self.desk.complete(await tell_people(claims, directory, now, post=self.post))
        return len(claims)

    async def call_hooks(self) -> None:
        """Run the webhook sender until nothing is ready."""
        while await self.sender.claim_once() == 0:
            await self.sender.close()

    async def deliveries(self, **query: str) -> list[dict[str, Any]]:
        answer = await self.http.get("/v1/deliveries", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def outbox(self) -> list[tuple[str, str, dict[str, str], Any]]:
        """(topic, key, headers, data) of everything said so far."""
        rows = await self.database.pool.fetch("SELECT topic, key, headers, payload FROM outbox ORDER BY id")
        return [
            (row[0], row[1], {n: v.decode() for n, v in unpack(row[2])}, orjson.loads(row[3])) for row in rows
        ]

    async def finished(self) -> list[dict[str, Any]]:
        said = await self.outbox()
        return [data for _, _, headers, data in said if headers["ce_type"] == "drumbeat.delivery.finished.v1"]

    async def ready_again(self) -> None:
        """Let the real clock's waits be over."""
        await self.database.pool.execute(
            "UPDATE delivery SET next_at = clock_timestamp() WHERE state = 'pending'"
        )


ACME: dict[str, Any] = {
    "account_id": "acme",
    "name": "Acme & Sons",
    "timezone": "Europe/Berlin",
    "contacts": [
        {"contact_id": "ann", "name": "Ann", "email": "ann@acme.example", "role": "champion"},
        {"contact_id": "ben", "name": "Ben", "email": "ben@acme.example", "role": "admin"},
    ],
}


def touchpoint(**more: Any) -> dict[str, Any]:
    owner = more.pop("owner", "automation")
    base: dict[str, Any] = {
        "touchpoint_id": "11111111-1111-4111-8111-111111111111",
        "account_id": "acme",
        "touchpoint_type": "tips",
        "status": "due",
        "due_at": timestamp(HandClock.now_is),
        "released_at": timestamp(HandClock.now_is),
        "deadline": timestamp(HandClock.now_is + timedelta(days=7)),
        "window": {
            "from": timestamp(HandClock.now_is),
            "to": timestamp(HandClock.now_is + timedelta(days=1)),
        },
        "owner": {"kind": owner, "csm_id": "carl" if owner == "csm" else None, "email": None},
        "channel": "email",
        "purpose": "Three ways to import faster",
        "reason": {"rule": "tips", "policy": "p1", "facts": [], "text": "weekly tips in adoption"},
        "sequence": 3,
        "topic": "education",
        "minutes": 0,
        "audience": [],
    }
    return {**base, **more}


@pytest.fixture(scope="session")
def migrated(postgres: EmbeddedPostgres) -> EmbeddedPostgres:
    asyncio.run(migrate(postgres.url, ["notifier"]))
    return postgres


@pytest.fixture
async def database(migrated: EmbeddedPostgres) -> AsyncGenerator[Database]:
    HandClock.now_is = NOON
    made = await Database.open(migrated.url, DATABASES["notifier"])
    await made.pool.execute(f"TRUNCATE {TABLES} RESTART IDENTITY")
    yield made
    await made.close()


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    made = Receiver()
    await made.server.start_server()
    yield made
    await made.server.close()


@pytest.fixture
async def notifier(database: Database) -> AsyncGenerator[Notifier]:
    async with assembled(database, live=True) as made:
        yield made


@pytest.fixture
async def held_notifier(database: Database) -> AsyncGenerator[Notifier]:
    async with assembled(database, live=False) as made:
        yield made


class assembled:  # noqa: N801 - read as a verb: `async with assembled(...)`
    def __init__(self, database: Database, *, live: bool) -> None:
        self.database, self.live = database, live
        self.client = WebhookClient(allow_private=True, deadline=2.0)

    async def __aenter__(self) -> Notifier:
        await self.client.start()
        outbox, clock = Outbox("/drumbeat/notifier"), HandClock(NOON, NOON, 1.0)
        choices = PreferenceBook(self.database, outbox, clock)
        secret, templates, postbox = await choices.secret(), Templates(), Postbox()
        desk = DeliveryDesk(self.database, outbox, clock, "test:1")
        sender = HookSender(
            desk, poster=self.client, sign=signing.headers, instant=timestamp, reported=lambda: None
        )
        self.http = self._app(clock, choices, secret, templates, sender)
        return Notifier(
            database=self.database,
            http=self.http,
            listener=Listener(
                work=lambda connection: IntakeWork(connection, outbox),
                translate=Translate(messages.heard, learned, person),
                outbox=outbox,
                clock=clock,
                live=self.live,
            ),
            desk=desk,
            sender=sender,
            postbox=postbox,
            post=Post(
                postbox,
                templates,
                lambda who, topic: f"http://test/v1/unsubscribe/{token(secret, who, topic)}",
                self.live,
            ),
            unsubscribe_key=secret,
        )

    def _app(
        self,
        clock: HandClock,
        choices: PreferenceBook,
        secret: bytes,
        templates: Templates,
        sender: HookSender,
    ) -> httpx.AsyncClient:
        keys, (key_id, key) = KeyRing(), new_secret()
        keys.learn(ApiKey(key_id, digest(key), frozenset({"admin"})))

        async def ready() -> None:
            return None

        app = make_app(Chassis("notifier", clock, keys, ready), title="notifier")
        reading = ReadingRoom(self.database)
        hooks = Hooks(
            book=SubscriptionBook(self.database),
            reading=reading,
            door=self.client,
            sign=signing.headers,
            shown=signing.shown,
            clock=clock,
            wake=sender.claiming.wake,
        )
        app.include_router(subscription_routes(hooks))
        app.include_router(delivery_routes(reading, clock))
        app.include_router(stream_routes(reading, Bell()))
        app.include_router(preference_routes(choices))
        app.include_router(unsubscribe_routes(choices, secret, templates))
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://test",
            headers={"Authorization": f"Bearer {key}"},
        )

    async def __aexit__(self, *problem: object) -> None:
        await self.http.aclose()
        await self.client.stop()
