"""The notifier's composition root: the only module that knows both entrypoints and adapters."""

from dataclasses import dataclass

import structlog
from fastapi import FastAPI

from schemas.topics import broker_configs
from services.chassis.batches import Subscription
from services.chassis.clock import real_now
from services.chassis.database import Database
from services.chassis.dead_letter_routes import dead_letter_routes
from services.chassis.loops import Loop
from services.chassis.openapi_export import always_ready, run_command, unplugged
from services.chassis.service import Identity, Parts, Readiness, Runtime
from services.chassis.settings import Settings
from services.chassis.topics import TopicSpec
from services.chassis.web import Chassis, make_app
from services.notifier import settings
from services.notifier.adapters import mode_repository
from services.notifier.adapters.address_repository import open_address_key
from services.notifier.adapters.channels.email import Mailer, Tls
from services.notifier.adapters.channels.webhook import WebhookClient
from services.notifier.adapters.delivery_queue import DeliveryQueue
from services.notifier.adapters.message_reader import MessageReader
from services.notifier.adapters.preference_repository import PreferenceRepository
from services.notifier.adapters.queries import Queries
from services.notifier.adapters.subscription_repository import SubscriptionRepository
from services.notifier.adapters.templates import Templates
from services.notifier.adapters.unit_of_work import UnitOfWork
from services.notifier.adapters.written_messages import KEPT, prune_written
from services.notifier.application.send_messages import Sending
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.delivery_policy import Reason
from services.notifier.domain.unsubscribe import make_token
from services.notifier.entrypoints.http_deliveries import delivery_routes
from services.notifier.entrypoints.http_messages import message_routes
from services.notifier.entrypoints.http_preferences import preference_routes, unsubscribe_routes
from services.notifier.entrypoints.http_stream import WakeSignal, stream_routes
from services.notifier.entrypoints.http_subscriptions import SubscriptionServices, subscription_routes
from services.notifier.entrypoints.kafka_consumer import TOPICS, Consumer
from services.notifier.entrypoints.workers import WebhookSender, message_sender, sweep

log = structlog.get_logger(__name__)

IDENTITY = Identity(
    "notifier", settings.http, [TopicSpec(name, configs) for name, configs in broker_configs()]
)


@dataclass(frozen=True, slots=True)
class Services:
    """What the parts of the service share."""

    queue: DeliveryQueue
    queries: Queries
    subscriptions: SubscriptionRepository
    preferences: PreferenceRepository
    client: WebhookClient
    webhooks: WebhookSender
    templates: Templates
    stream_signal: WakeSignal


def make_services(runtime: Runtime, addresses: AddressKey) -> Services:
    database, outbox, clock = runtime.database, runtime.outbox, runtime.clock
    queue = DeliveryQueue(database, outbox, clock, addresses, runtime.owner)
    client = WebhookClient(allow_private=runtime.settings.webhook_allow_private)
    return Services(
        queue=queue,
        queries=Queries(database),
        subscriptions=SubscriptionRepository(database),
        preferences=PreferenceRepository(database, outbox, clock, addresses),
        client=client,
        webhooks=WebhookSender(queue, client=client, reported=runtime.relay.wake),
        templates=Templates(),
        stream_signal=WakeSignal(),
    )


async def build(runtime: Runtime) -> Parts:
    """Start what has connections, and wire consumer, workers and HTTP routes."""
    async with runtime.database.transaction() as connection:
        addresses = await open_address_key(connection, runtime.settings)
    services = make_services(runtime, addresses)
    await services.client.start()
    await services.queue.take_over_leases()
    key = await services.preferences.link_key()
    async with runtime.database.transaction() as connection:
        await mode_repository.begin(connection, runtime.settings.mode)
    base_url = settings.public_url(runtime.settings)
    mail_hold = runtime.settings.mail_hold()
    if mail_hold is not None:
        log.warning("mail.held", reason=mail_hold)
    mailer = make_mailer(runtime.settings)
    mailer.on_written = services.queue.written.add

    def unsubscribe_url(contact_id: str, topic: str | None) -> str:
        return f"{base_url}/v1/unsubscribe/{make_token(key, contact_id, topic)}"

    sending = Sending(mailer, services.templates, unsubscribe_url, mail_hold)
    messages = message_sender(services.queue, sending, runtime.relay.wake)
    webhooks = services.webhooks

    def after_commit() -> None:
        runtime.relay.wake()
        webhooks.claiming.wake()
        messages.wake()
        services.stream_signal.send()

    consumer = Consumer(
        work=lambda connection: UnitOfWork(connection, runtime.outbox, addresses),
        outbox=runtime.outbox,
        clock=runtime.clock,
        mail_hold=mail_hold,
    )
    sweeping = sweep(services.queue, messages, interval=settings.SWEEP_SECONDS)
    return Parts(
        app=lambda ready: make_http(runtime, services, key, ready),
        subscriptions=(Subscription(settings.GROUP, TOPICS, consumer, after_commit),),
        loops=(
            messages,
            webhooks.claiming,
            webhooks.recording,
            sweeping,
            pruning(services.queries),
            pruning_mails(runtime.database),
        ),
        close=(webhooks.close, mailer.stop, services.client.stop),
    )


def make_mailer(configured: Settings) -> Mailer:
    email = configured.email
    return Mailer(
        settings.mail_host(configured),
        email.port,
        sender=email.sender,
        redirect_to=email.redirect_to,
        username=email.username,
        password=email.password,
        tls=Tls(email.tls),
    )


def pruning(queries: Queries) -> Loop:
    async def run_once() -> float | None:
        return 0 if await queries.prune(real_now() - settings.KEEP_EVENTS) else None

    return Loop("prune", interval=settings.PRUNE_SECONDS, run_once=run_once)


def pruning_mails(database: Database) -> Loop:
    async def run_once() -> float | None:
        return 0 if await prune_written(database, real_now() - KEPT) else None

    return Loop("prune mails", interval=settings.PRUNE_SECONDS, run_once=run_once)


def make_http(runtime: Runtime, services: Services, link_key: bytes, ready: Readiness) -> FastAPI:
    mail_hold = runtime.settings.mail_hold()
    warnings = (f"{Reason.MAIL_ON_HOLD}: {mail_hold}",) if mail_hold is not None else ()
    app = make_app(Chassis("notifier", runtime.clock, runtime.keys, ready, warnings), title="notifier")
    for_subscriptions = SubscriptionServices(
        subscriptions=services.subscriptions,
        queries=services.queries,
        client=services.client,
        clock=runtime.clock,
        wake_sender=services.webhooks.claiming.wake,
    )
    app.include_router(subscription_routes(for_subscriptions))
    app.include_router(delivery_routes(services.queries, runtime.clock))
    app.include_router(message_routes(MessageReader(runtime.database, services.queries)))
    app.include_router(stream_routes(services.queries, services.stream_signal))
    app.include_router(preference_routes(services.preferences))
    app.include_router(unsubscribe_routes(services.preferences, link_key, services.templates))
    app.include_router(dead_letter_routes(runtime.database, runtime.outbox))
    return app


def openapi_app() -> FastAPI:
    """The app for its OpenAPI document, connected to nothing."""
    runtime = unplugged("notifier")
    return make_http(runtime, make_services(runtime, AddressKey(b"")), b"", always_ready)


def main() -> None:
    run_command(IDENTITY, build, openapi_app)
