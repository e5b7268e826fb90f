"""A notifier on a real database, with a clock that the test sets and receivers on real sockets."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import pytest
from fastapi import FastAPI

from schemas.envelope import Envelope, kafka_headers
from schemas.times import format_instant
from services.chassis.clock import ServiceClock
from services.chassis.clock import real_now as real_clock
from services.chassis.database import Database, real_now
from services.chassis.dead_letters import Record
from services.chassis.faults import fault
from services.chassis.keys import ApiKey, KeyRing, digest, new_secret
from services.chassis.migrations import migrate
from services.chassis.outbox import Outbox, unpack
from services.chassis.private_targets import EVERYTHING
from services.chassis.schema_versions import DATABASES
from services.chassis.secret_box import SecretBox
from services.chassis.settings import Retention
from services.chassis.web import Chassis, make_app
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.notifier.adapters import mode_repository
from services.notifier.adapters.channels.sns import SnsVerifier
from services.notifier.adapters.channels.webhook import WebhookClient
from services.notifier.adapters.clients.calendar_client import CalendarClient
from services.notifier.adapters.clients.facts_client import FactsClient
from services.notifier.adapters.clients.service_client import ServiceClient
from services.notifier.adapters.day_repository import DayRepository
from services.notifier.adapters.delivery_queue import DeliveryQueue
from services.notifier.adapters.draft_reader import DraftRepository
from services.notifier.adapters.endpoint_watch import EndpointWatch
from services.notifier.adapters.engagement_requests import EngagementReporter, EngagementRequestRepository
from services.notifier.adapters.inbound_repository import InboundRepository
from services.notifier.adapters.mail_recorder import MailRecorder
from services.notifier.adapters.message_reader import MessageReader
from services.notifier.adapters.objection_repository import ObjectionRepository
from services.notifier.adapters.people_repository import PeopleRepository
from services.notifier.adapters.phrases import load_people_phrases, load_phrases
from services.notifier.adapters.preference_repository import PreferenceRepository
from services.notifier.adapters.queries import Queries
from services.notifier.adapters.secret_repository import load_link_keys
from services.notifier.adapters.service_mail_repository import ServiceMailRepository
from services.notifier.adapters.subscription_repository import SubscriptionRepository
from services.notifier.adapters.templates import Templates
from services.notifier.adapters.text_consents import TextConsents
from services.notifier.adapters.unit_of_work import UnitOfWork
from services.notifier.application.answer_news import AnswerWriter
from services.notifier.application.calendar import CalendarAway
from services.notifier.application.customer_links import links_of
from services.notifier.application.draft_mail import DraftMailing, send_draft_mails
from services.notifier.application.open_day import read_day
from services.notifier.application.preview import PreviewSources
from services.notifier.application.send_messages import send_messages
from services.notifier.application.send_to_customers import CustomerSending
from services.notifier.application.sending import OwnerSending, Sending
from services.notifier.application.service_mail import MailEnd, ServiceMailing, send_service_mail
from services.notifier.application.write_customer_mail import CustomerWriter
from services.notifier.domain.action_token import action_links
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.draft_link import draft_links
from services.notifier.domain.link_token import LinkKeys
from services.notifier.domain.request_limit import RequestLimit
from services.notifier.entrypoints.action_pages import ActionServices
from services.notifier.entrypoints.customer_pages import PageServices
from services.notifier.entrypoints.draft_pages import DraftPages
from services.notifier.entrypoints.http_actions import action_routes
from services.notifier.entrypoints.http_deliveries import delivery_routes
from services.notifier.entrypoints.http_drafts import draft_routes
from services.notifier.entrypoints.http_inbound import LARGER_BODIES, inbound_routes
from services.notifier.entrypoints.http_inbound_sms import SmsServices, sms_routes
from services.notifier.entrypoints.http_messages import message_routes
from services.notifier.entrypoints.http_opt_out import opt_out_routes
from services.notifier.entrypoints.http_page import page_routes
from services.notifier.entrypoints.http_preferences import preference_routes
from services.notifier.entrypoints.http_preview import PreviewServices, preview_routes
from services.notifier.entrypoints.http_provider_events import ProviderServices, provider_routes
from services.notifier.entrypoints.http_stream import WakeSignal, stream_routes
from services.notifier.entrypoints.http_subscriptions import SubscriptionServices, subscription_routes
from services.notifier.entrypoints.http_tracking import TrackingServices, tracking_routes
from services.notifier.entrypoints.http_unsubscribe import unsubscribe_routes
from services.notifier.entrypoints.kafka_consumer import Consumer
from services.notifier.entrypoints.workers import WebhookSender
from tests.integration.notifier.calendar_server import CalendarServer
from tests.integration.notifier.receivers import Facts, KeptMail, Receiver
from tests.late_app import LateApp
from tests.unit.notifier.sns_signer import TOPIC, SnsSigner

ADDRESSES = AddressKey(b"a" * 32)
BOX = SecretBox([b"s" * 32])
POSTMARK_SECRET = "a secret of sixteen characters"
SMS_TOKEN = "token-of-the-sms-account"
MEASURED = frozenset({"opened", "clicked"})
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TABLES = (
    "account, contact, person, preference, address_consent, refused_address, feed, withdrawn, subscription, delivery,"
    " delivery_queue, delivery_unsent, presented_program, in_app, inbox, outbox, mode, account_alias, dead_letter,"
    " api_key, consumer_offset, content, catalogue, undelivered_event, written_message, program_reservation,"
    " service_mail, invitation, inbound_mail, draft, draft_recipient, counted_message, counted_talk,"
    " engagement_request, measuring_objection"
)


CONTENT = {
    "tips": """---
subject: "A tip{{ account.name | otherwise: }}"
---
Hello {{ contact.first_name | otherwise: there }},

import faster in three steps, at {{ account.name }}.
""",
    "in_app_guide": """---
subject: "Import in three steps"
---
Begin with the file.
""",
    "cadence_changed": """---
subject: "How we keep in touch"
---
From now on:

{{ cadence.list }}
""",
}


GATHERED = """
UPDATE delivery_queue SET next_at = clock_timestamp() WHERE next_at < clock_timestamp() + interval '5 seconds'
"""


class SetClock(ServiceClock):
    """A service clock that shows the time that the test sets."""

    now_is = NOON

    def at(self, real: datetime) -> datetime:
        return SetClock.now_is


@dataclass
class Notifier:
    """The parts of a notifier on one database."""

    database: Database
    http: httpx.AsyncClient
    consumer: Consumer
    queue: DeliveryQueue
    sender: WebhookSender
    mailer: KeptMail
    sending: Sending
    link_keys: LinkKeys
    facts: Facts
    calendar: CalendarServer
    days: DayRepository
    calendar_client: CalendarClient
    watch: EndpointWatch
    mailing: ServiceMailing
    sns: SnsSigner
    drafts: DraftMailing
    reporter: EngagementReporter
    offset: int = 0

    async def consume(self, *records: Record) -> None:
        async with self.database.transaction() as connection:
            await self.consumer(connection, records, await real_now(connection))
            fault("consumer.before_commit")

    def record(self, topic: str, type_: str, key: str, data: Mapping[str, object], event_id: str) -> Record:
        self.offset += 1
        envelope = Envelope(event_id, "/test", type_, key, SetClock.now_is, orjson.dumps(data))
        headers = tuple(kafka_headers(envelope))
        return Record(topic, 0, self.offset, key.encode(), envelope.data, headers, 0)

    def touchpoint(self, kind: str = "due", **more: Any) -> Record:
        data = touchpoint(**more)
        event_id = f"{data['touchpoint_id']}:{data['sequence']}:{kind}"
        type_ = f"drumbeat.touchpoint.{kind}.v1"
        return self.record("touchpoint.events", type_, str(data["account_id"]), data, event_id)

    async def due(self, **more: Any) -> None:
        await self.consume(self.touchpoint("due", **more))

    async def add_acme(self, version: int = 1, **more: Any) -> None:
        data = {**ACME, "version": version, **more}
        event_id = f"acme:{version}"
        record = self.record("directory.accounts", "drumbeat.account.directory.v1", "acme", data, event_id)
        await self.consume(record)

    async def add_carl(self, **more: Any) -> None:
        days = ["mon", "tue", "wed", "thu", "fri"]
        carl = {"csm_id": "carl", "name": "Carl", "email": "carl@vendor.example", "working_days": days}
        data = {**carl, "version": 1, **more}
        await self.consume(self.record("directory.csms", "drumbeat.csm.directory.v1", "carl", data, "carl:1"))

    async def add_content(
        self, touchpoint_type: str, text: str, language: str = "en", version: int = 1
    ) -> None:
        data = {
            "language": language,
            "touchpoint_type": touchpoint_type,
            "reader": "customer",
            "text": text,
            "policy": "p1",
            "version": version,
        }
        key = f"{language}/{touchpoint_type}"
        type_ = "drumbeat.content.directory.v1"
        await self.consume(self.record("directory.content", type_, key, data, f"{key}:{version}"))

    async def add_policy(self, *types: Mapping[str, object], version: int = 1, **more: object) -> None:
        """Make a policy with these touchpoint types the one in force."""
        usual = {"owner": "automation", "channel": "email", "purpose": "", "topic": "education"}
        data = {
            "policy": f"p{version}",
            "touchpoint_types": [{**usual, **fields} for fields in types],
            "quiet_hours": {"from": "20:00", "to": "08:00"},
            "version": version,
            **more,
        }
        type_ = "drumbeat.policy.directory.v1"
        await self.consume(self.record("directory.policy", type_, "policy", data, f"policy:{version}"))

    async def send_draft_mails(self) -> int:
        """Send the mails about drafts; returns how many drafts they were about."""
        await self.database.pool.execute(
            "UPDATE draft SET mail_at = clock_timestamp() WHERE mail_at IS NOT NULL"
        )
        return (await send_draft_mails(self.drafts, 50)).drafts

    async def send_messages(self) -> int:
        """One pass of the message sender; returns how many it claimed."""
        claims, directory, now = await self.queue.claim_messages(50)
        if claims:
            await self.queue.complete(await send_messages(claims, directory, now, sending=self.sending))
        return len(claims)

    async def send_service_mails(self) -> int:
        """Send those that are due; returns how many there were."""
        unwritten: list[MailEnd] = []
        count = 0
        while await send_service_mail(self.mailing, unwritten):
            count += 1
        return count

    async def open_days(self) -> int:
        """One pass of the day opener; returns how many days it opened."""
        opened = 0
        for opening in await self.days.mornings():
            try:
                await self.days.open(opening, await read_day(opening, self.calendar_client))
            except CalendarAway:
                continue
            opened += 1
        return opened

    async def send_gathered(self) -> None:
        """Send what is gathered, and what follows from it."""
        while True:
            await self.database.pool.execute(GATHERED)
            if not await self.send_messages():
                return

    async def send_webhooks(self) -> None:
        """Run the webhook sender until nothing is ready."""
        while await self.sender.claim_once() == 0:
            await self.sender.close()

    async def deliveries(self, **query: str) -> list[dict[str, Any]]:
        answer = await self.http.get("/v1/deliveries", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def outbox(self) -> list[tuple[str, str, dict[str, str], Any]]:
        """(topic, key, headers, data) of all messages so far."""
        rows = await self.database.pool.fetch("SELECT topic, key, headers, payload FROM outbox ORDER BY id")
        return [
            (row[0], row[1], {n: v.decode() for n, v in unpack(row[2])}, orjson.loads(row[3])) for row in rows
        ]

    async def finished(self) -> list[dict[str, Any]]:
        return [
            data
            for _, _, headers, data in await self.outbox()
            if headers["ce_type"] == "drumbeat.delivery.finished.v1"
        ]

    async def ready_again(self) -> None:
        """End all waits on the real clock."""
        await self.database.pool.execute("UPDATE delivery_queue SET next_at = clock_timestamp()")


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
        "due_at": format_instant(SetClock.now_is),
        "released_at": format_instant(SetClock.now_is),
        "deadline": format_instant(SetClock.now_is + timedelta(days=7)),
        "window": {
            "from": format_instant(SetClock.now_is),
            "to": format_instant(SetClock.now_is + timedelta(days=1)),
        },
        "owner": owner
        if isinstance(owner, dict)
        else {"kind": owner, "csm_id": "carl" if owner == "csm" else None, "email": None},
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


@asynccontextmanager
async def refused_connections(server: EmbeddedPostgres) -> AsyncGenerator[None]:
    """The database of the notifier takes no connection, as when its server is away."""
    admin = await asyncpg.connect(server.url)
    name = DATABASES["notifier"]
    await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    try:
        yield
    finally:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        await admin.close()


@pytest.fixture
async def database(migrated: EmbeddedPostgres) -> AsyncGenerator[Database]:
    SetClock.now_is = NOON
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
async def notifier_on_hold(database: Database) -> AsyncGenerator[Notifier]:
    async with assembled(database, live=False) as made:
        yield made


class assembled:  # noqa: N801 - read as a verb: `async with assembled(...)`
    def __init__(self, database: Database, *, live: bool) -> None:
        self.database, self.live = database, live
        self.client = WebhookClient(EVERYTHING, BOX, deadline_seconds=2.0)
        self.calendar = CalendarServer()
        self.facts, self.mailer = Facts(), KeptMail()
        self.service_mails = ServiceMailRepository(database, BOX, ADDRESSES)
        self.outbox, self.sns = Outbox("/drumbeat/notifier"), SnsSigner()
        self.key_file = Path(tempfile.mkdtemp()) / "api-key"
        self.key_file.write_text("db_test_key")

    async def __aenter__(self) -> Notifier:
        await self.client.start()
        await self.facts.server.start_server()
        self.others = ServiceClient(self.key_file)
        self.facts_client = FactsClient(self.facts.url, self.facts.url, self.others)
        await self.calendar.server.start_server()
        self.calendar_client = CalendarClient(self.calendar.url, self.others)
        async with self.database.transaction() as connection:
            await mode_repository.begin(connection, "live" if self.live else "hold")
        outbox, clock = self.outbox, SetClock(NOON, NOON, 1.0)
        preferences = PreferenceRepository(self.database, outbox, clock, ADDRESSES)
        templates, mailer = Templates(), self.mailer
        async with self.database.transaction() as connection:
            key = self.link_keys = await load_link_keys(connection, BOX, await real_now(connection))
        queue = DeliveryQueue(self.database, outbox, clock, ADDRESSES, "test:1")
        sender = WebhookSender(queue, client=self.client, reported=lambda: None)
        links = links_of("http://test", key, real_clock)
        writer = CustomerWriter(templates, load_phrases(), links, "Northwind", "1 Long Road\nSpringfield")
        sending = Sending(
            mailer,
            templates,
            CustomerSending(writer, self.facts_client),
            OwnerSending(
                load_people_phrases(), self.facts_client, action_links("http://test", key), "http://console"
            ),
            queue,
            MailRecorder(queue, reported=lambda: None),
            fallback_to="ops@vendor.example",
        )
        answers = AnswerWriter(
            load_people_phrases(), action_links("http://test", key), "http://console", "ops@vendor.example"
        )
        inbound = InboundRepository(
            self.database, outbox, clock, ADDRESSES, self.service_mails, answers, lambda: None, MEASURED
        )
        keys, (key_id, api_key) = KeyRing(), new_secret()
        keys.learn(ApiKey(key_id, digest(api_key), frozenset({"admin"})))
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(
                LateApp(partial(self._app, keys, preferences, inbound, sending, sender))
            ),
            base_url="http://test",
            headers={"Authorization": f"Bearer {api_key}"},
        )
        made = Notifier(
            database=self.database,
            http=self.http,
            consumer=Consumer(
                work=lambda connection: UnitOfWork(connection, outbox, ADDRESSES),
                outbox=outbox,
                clock=clock,
                fallback_to="ops@vendor.example",
            ),
            queue=queue,
            sender=sender,
            mailer=mailer,
            sending=sending,
            link_keys=key,
            facts=self.facts,
            calendar=self.calendar,
            days=DayRepository(self.database, outbox, clock, ADDRESSES),
            calendar_client=self.calendar_client,
            watch=EndpointWatch(
                self.database, outbox, clock, self.service_mails, timedelta(days=5), "ops@vendor.example"
            ),
            mailing=ServiceMailing(
                self.service_mails, PeopleRepository(self.database, ADDRESSES), writer, mailer
            ),
            sns=self.sns,
            drafts=DraftMailing(
                DraftRepository(self.database, clock, ADDRESSES),
                writer,
                load_people_phrases(),
                mailer,
                draft_links("http://test", key),
                "http://console",
                "ops@vendor.example",
            ),
            reporter=EngagementReporter(self.database, inbound),
        )
        for touchpoint_type, text in CONTENT.items():
            await made.add_content(touchpoint_type, text)
        return made

    def _app(
        self,
        keys: KeyRing,
        preferences: PreferenceRepository,
        inbound: InboundRepository,
        sending: Sending,
        sender: WebhookSender,
    ) -> FastAPI:
        async def ready() -> None:
            return None

        clock, link_keys = SetClock(NOON, NOON, 1.0), self.link_keys
        app = make_app(Chassis("notifier", clock, keys, ready), title="notifier", larger_bodies=LARGER_BODIES)
        queries = Queries(self.database)
        services = SubscriptionServices(
            subscriptions=SubscriptionRepository(self.database, BOX),
            queries=queries,
            client=self.client,
            clock=clock,
            wake_sender=sender.claiming.wake,
        )
        app.include_router(subscription_routes(services))
        app.include_router(delivery_routes(queries, clock))
        app.include_router(stream_routes(queries, WakeSignal()))
        app.include_router(
            message_routes(
                MessageReader(self.database, queries), PeopleRepository(self.database, ADDRESSES), Retention()
            )
        )
        app.include_router(preference_routes(preferences))
        actions = ActionServices(
            keys=link_keys,
            calendar=self.calendar_client,
            people=PeopleRepository(self.database, ADDRESSES),
            book=load_people_phrases(),
            render=sending.render,
        )
        drafts = DraftRepository(self.database, clock, ADDRESSES)
        customers = sending.customers.writer
        pages = DraftPages(
            drafts, customers, link_keys, actions.people, actions.book, actions.render, "http://console"
        )
        app.include_router(draft_routes(drafts, customers))
        app.include_router(action_routes(replace(actions, others=pages)))
        page = PageServices(
            keys=link_keys,
            render=sending.render,
            book=load_phrases(),
            people=PeopleRepository(self.database, ADDRESSES),
            preferences=preferences,
            facts=self.facts_client,
            calendar=self.calendar_client,
            organization="Northwind",
            objections=ObjectionRepository(self.database, MEASURED),
            closed={},
        )
        app.include_router(page_routes(page))
        requests = EngagementRequestRepository(self.database, MEASURED)
        app.include_router(tracking_routes(TrackingServices(link_keys, requests, page.objections, page)))
        app.include_router(inbound_routes(inbound))
        consents = TextConsents(self.database, clock, ADDRESSES, preferences, lambda: None)
        app.include_router(sms_routes(SmsServices(inbound, consents, SMS_TOKEN, "http://test")))
        sns = SnsVerifier(TOPIC, self.sns.fetch, lambda: NOON)
        app.include_router(provider_routes(ProviderServices(inbound, sns, POSTMARK_SECRET)))
        app.include_router(
            opt_out_routes(page, self.service_mails, RequestLimit(5, 50, timedelta(minutes=1)))
        )
        app.include_router(unsubscribe_routes(page))
        people = PeopleRepository(self.database, ADDRESSES)
        preview = PreviewServices(
            sources=PreviewSources(people, self.calendar_client, sending),
            now=lambda: SetClock.now_is,
            real_now=lambda: NOON,
        )
        app.include_router(preview_routes(preview))
        return app

    async def __aexit__(self, *problem: object) -> None:
        await self.http.aclose()
        await self.client.stop()
        await self.others.close()
        await self.facts.server.close()
        await self.calendar.server.close()
