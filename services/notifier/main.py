"""The notifier put together: the only place where doors and adapters meet."""

from dataclasses import dataclass

from fastapi import FastAPI

from schemas.directory import AccountRecord, CsmRecord
from schemas.topics import broker_configs
from services.chassis.batches import Subscription
from services.chassis.clock import real_now
from services.chassis.dead_letter_routes import dead_letter_routes
from services.chassis.loops import Loop
from services.chassis.openapi_export import always_ready, print_openapi, run_command, unplugged
from services.chassis.outbox import timestamp
from services.chassis.service import Identity, Parts, Readiness, Runtime, serve
from services.chassis.settings import Settings
from services.chassis.topics import TopicSpec
from services.chassis.web import Chassis, make_app
from services.notifier import settings
from services.notifier.adapters import messages
from services.notifier.adapters.channels import signing
from services.notifier.adapters.channels.email import Mailer, Tls
from services.notifier.adapters.channels.webhook import WebhookClient
from services.notifier.adapters.delivery_queue import DeliveryDesk
from services.notifier.adapters.preference_repository import PreferenceBook
from services.notifier.adapters.queries import ReadingRoom
from services.notifier.adapters.subscription_repository import SubscriptionBook
from services.notifier.adapters.templates import Templates
from services.notifier.adapters.unit_of_work import IntakeWork
from services.notifier.application.send_messages import Post
from services.notifier.application.update_directory import Learned
from services.notifier.domain.unsubscribe import token
from services.notifier.entrypoints.http_deliveries import delivery_routes
from services.notifier.entrypoints.http_preferences import preference_routes, unsubscribe_routes
from services.notifier.entrypoints.http_stream import Bell, stream_routes
from services.notifier.entrypoints.http_subscriptions import Hooks, subscription_routes
from services.notifier.entrypoints.kafka_consumer import TOPICS, Listener, Translate
from services.notifier.entrypoints.workers import HookSender, people_sender, sweep

IDENTITY = Identity(
    "notifier", settings.http, [TopicSpec(name, configs) for name, configs in broker_configs()]
)


@dataclass(frozen=True, slots=True)
class House:
    """What the doors of the service share."""

    reading: ReadingRoom
    book: SubscriptionBook
    choices: PreferenceBook
    client: WebhookClient
    templates: Templates
    bell: Bell
    unsubscribe_key: bytes


def learned(record: AccountRecord) -> Learned:
    words = tuple(messages.preference_of(each) for each in record.preferences)
    return Learned(account=messages.account_of(record), version=record.version, preferences=words)


def person(record: CsmRecord) -> Learned:
    return Learned(person=messages.person_of(record), version=record.version)


def mailer(own: Settings) -> Mailer:
    email = own.email
    return Mailer(
        settings.mail_host(own),
        email.port,
        sender=email.sender,
        redirect_to=email.redirect_to,
        username=email.username,
        password=email.password,
        tls=Tls(email.tls),
    )


async def furnish(runtime: Runtime) -> House:
    choices = PreferenceBook(runtime.database, runtime.outbox, runtime.clock)
    client = WebhookClient(allow_private=runtime.settings.webhook_allow_private)
    await client.start()
    return House(
        reading=ReadingRoom(runtime.database),
        book=SubscriptionBook(runtime.database),
        choices=choices,
        client=client,
        templates=Templates(),
        bell=Bell(),
        unsubscribe_key=await choices.secret(),
    )


async def build(runtime: Runtime) -> Parts:
    """Wire the service."""
    house = await furnish(runtime)
    live = runtime.settings.mode == "live"
    desk = DeliveryDesk(runtime.database, runtime.outbox, runtime.clock, runtime.owner)
    await desk.inherit()
    base = settings.public_url(runtime.settings)
    mail = mailer(runtime.settings)

    def unsubscribe_url(contact_id: str, topic: str | None) -> str:
        return f"{base}/v1/unsubscribe/{token(house.unsubscribe_key, contact_id, topic)}"

    wake_relay = runtime.relay.wake
    people = people_sender(desk, Post(mail, house.templates, unsubscribe_url, live), wake_relay)
    hooks = HookSender(
        desk, poster=house.client, sign=signing.headers, instant=timestamp, reported=wake_relay
    )

    def after_commit() -> None:
        wake_relay()
        hooks.claiming.wake()
        people.wake()
        house.bell.ring()

    listener = Listener(
        work=lambda connection: IntakeWork(connection, runtime.outbox),
        translate=Translate(messages.heard, learned, person),
        outbox=runtime.outbox,
        clock=runtime.clock,
        live=live,
    )
    sweeping = sweep(desk, [people], interval=settings.SWEEP_EVERY)
    return Parts(
        app=lambda ready: make(runtime, house, hooks, ready),
        subscriptions=(Subscription(settings.GROUP, TOPICS, listener, after_commit),),
        loops=(people, hooks.claiming, hooks.settling, sweeping, pruning(house.reading)),
        close=(hooks.close, mail.stop, house.client.stop),
    )


def pruning(reading: ReadingRoom) -> Loop:
    async def run_once() -> float | None:
        return 0 if await reading.prune(real_now() - settings.KEEP_ANNOUNCEMENTS) else None

    return Loop("prune", interval=settings.PRUNE_EVERY, run_once=run_once)


def make(runtime: Runtime, house: House, sender: HookSender, ready: Readiness) -> FastAPI:
    app = make_app(Chassis("notifier", runtime.clock, runtime.keys, ready), title="notifier")
    hooks = Hooks(
        book=house.book,
        reading=house.reading,
        door=house.client,
        sign=signing.headers,
        shown=signing.shown,
        clock=runtime.clock,
        wake=sender.claiming.wake,
    )
    app.include_router(subscription_routes(hooks))
    app.include_router(delivery_routes(house.reading, runtime.clock))
    app.include_router(stream_routes(house.reading, house.bell))
    app.include_router(preference_routes(house.choices))
    app.include_router(unsubscribe_routes(house.choices, house.unsubscribe_key, house.templates))
    app.include_router(dead_letter_routes(runtime.database, runtime.outbox))
    return app


def documented() -> FastAPI:
    """The app without its wires, for its OpenAPI document."""
    runtime = unplugged("notifier")
    house = House(
        reading=ReadingRoom(runtime.database),
        book=SubscriptionBook(runtime.database),
        choices=PreferenceBook(runtime.database, runtime.outbox, runtime.clock),
        client=WebhookClient(allow_private=False),
        templates=Templates(),
        bell=Bell(),
        unsubscribe_key=b"",
    )
    desk = DeliveryDesk(runtime.database, runtime.outbox, runtime.clock, runtime.owner)
    hooks = HookSender(
        desk, poster=house.client, sign=signing.headers, instant=timestamp, reported=runtime.relay.wake
    )
    return make(runtime, house, hooks, always_ready)


def main() -> None:
    run_command(
        "notifier",
        {"serve": lambda _: serve(IDENTITY, build), "openapi": lambda _: print_openapi(documented())},
    )
