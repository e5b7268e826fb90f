"""The notifier's composition root: the only module that knows both entrypoints and adapters."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import FastAPI

from schemas.topics import broker_configs
from services.chassis.batches import Subscription
from services.chassis.clock import real_now
from services.chassis.dead_letter_routes import dead_letter_routes
from services.chassis.loops import Loop
from services.chassis.openapi_export import always_ready, run_command, unplugged
from services.chassis.partition_routes import partition_routes
from services.chassis.problems import install_missing_page
from services.chassis.secret_box import SecretBox
from services.chassis.service import Identity, Parts, Readiness, Runtime
from services.chassis.settings import Settings
from services.chassis.topics import TopicSpec
from services.chassis.web import Chassis, make_app
from services.notifier import settings
from services.notifier.adapters import mode_repository, work
from services.notifier.adapters.address_repository import open_address_key
from services.notifier.adapters.channels.email import Mailer
from services.notifier.adapters.channels.webhook import WebhookClient
from services.notifier.adapters.clients.calendar_client import CalendarClient
from services.notifier.adapters.clients.facts_client import FactsClient
from services.notifier.adapters.clients.service_client import ServiceClient
from services.notifier.adapters.day_repository import DayRepository
from services.notifier.adapters.delivery_queue import DeliveryQueue
from services.notifier.adapters.mail_recorder import MailRecorder
from services.notifier.adapters.message_reader import MessageReader
from services.notifier.adapters.people_repository import PeopleRepository
from services.notifier.adapters.phrases import load_people_phrases, load_phrases
from services.notifier.adapters.preference_repository import PreferenceRepository
from services.notifier.adapters.queries import Queries
from services.notifier.adapters.retention import begin_retention
from services.notifier.adapters.secret_repository import link_key_loop, open_secrets
from services.notifier.adapters.service_mail_repository import ServiceMailRepository
from services.notifier.adapters.subscription_repository import SubscriptionRepository
from services.notifier.adapters.templates import Templates
from services.notifier.adapters.unit_of_work import UnitOfWork
from services.notifier.application.customer_links import links_of
from services.notifier.application.phrases import PhraseBook
from services.notifier.application.preview import PreviewSources
from services.notifier.application.send_to_customers import CustomerSending
from services.notifier.application.sending import OwnerSending, Sending
from services.notifier.application.service_mail import ServiceMailing
from services.notifier.application.write_customer_mail import CustomerWriter
from services.notifier.contacts import contact_router
from services.notifier.domain.action_token import action_links
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.decision import Reason
from services.notifier.domain.link_token import LinkKeys
from services.notifier.drafts import draft_loop, draft_router
from services.notifier.entrypoints.action_pages import ActionServices
from services.notifier.entrypoints.customer_pages import PageServices, missing_page
from services.notifier.entrypoints.gathering import GatheringMessages
from services.notifier.entrypoints.http_deliveries import delivery_routes
from services.notifier.entrypoints.http_inbound import LARGER_BODIES
from services.notifier.entrypoints.http_links import LINKS
from services.notifier.entrypoints.http_messages import message_routes
from services.notifier.entrypoints.http_opt_out import opt_out_routes
from services.notifier.entrypoints.http_page import page_routes
from services.notifier.entrypoints.http_preview import PreviewServices, preview_routes
from services.notifier.entrypoints.http_stream import WakeSignal, stream_routes
from services.notifier.entrypoints.http_subscriptions import SubscriptionServices, subscription_routes
from services.notifier.entrypoints.http_unsubscribe import unsubscribe_routes
from services.notifier.entrypoints.kafka_consumer import TOPICS, Consumer
from services.notifier.entrypoints.service_mail_sender import service_mail_loop
from services.notifier.entrypoints.workers import WebhookSender, day_opener, message_sender, sweep
from services.notifier.inbound import inbound_router
from services.notifier.outbound import TextChannels, channel_router, make_mailer, make_text_channels
from services.notifier.tracking import make_objections, make_tracking, tracking_loop, tracking_router
from services.notifier.watches import watch_loops

IDENTITY = Identity(
    "notifier", settings.http, [TopicSpec(name, configs) for name, configs in broker_configs()]
)


@dataclass(frozen=True, slots=True)
class Services:
    """What the parts of the service share."""

    queue: DeliveryQueue
    recorder: MailRecorder
    queries: Queries
    subscriptions: SubscriptionRepository
    preferences: PreferenceRepository
    client: WebhookClient
    webhooks: WebhookSender
    templates: Templates
    book: PhraseBook
    people_book: PhraseBook
    people: PeopleRepository
    mailer: Mailer
    texts: TextChannels
    stream_signal: WakeSignal
    days: DayRepository
    others: ServiceClient
    calendar: CalendarClient
    facts: FactsClient
    service_mails: ServiceMailRepository
    addresses: AddressKey


def make_services(runtime: Runtime, addresses: AddressKey, box: SecretBox) -> Services:
    database, outbox, clock = runtime.database, runtime.outbox, runtime.clock
    rules_engine, scheduler = (runtime.settings.url_of(name) for name in ("rules_engine", "scheduler"))
    others = ServiceClient(runtime.settings.key_file)
    queue = DeliveryQueue(database, outbox, clock, addresses, runtime.replica.seat)
    client = WebhookClient(runtime.settings.webhook_allow_private, box)
    return Services(
        queue=queue,
        recorder=MailRecorder(queue, runtime.relay.wake),
        queries=Queries(database, runtime.settings.retention),
        subscriptions=SubscriptionRepository(database, box),
        preferences=PreferenceRepository(database, outbox, clock, addresses),
        client=client,
        webhooks=WebhookSender(queue, client=client, reported=runtime.relay.wake, work=work.WEBHOOKS),
        templates=Templates(),
        book=load_phrases(),
        people_book=load_people_phrases(),
        people=PeopleRepository(database, addresses),
        mailer=make_mailer(runtime.settings, queue.written.add),
        texts=make_text_channels(runtime.settings),
        stream_signal=WakeSignal(),
        days=DayRepository(database, outbox, clock, addresses),
        others=others,
        calendar=CalendarClient(scheduler, others),
        facts=FactsClient(rules_engine, scheduler, others),
        service_mails=ServiceMailRepository(database, box, addresses),
        addresses=addresses,
    )


async def build(runtime: Runtime) -> Parts:
    """Start what has connections, and wire consumer, workers and HTTP routes."""
    async with runtime.database.transaction() as connection:
        addresses = await open_address_key(connection, runtime.settings)
        box, keys = await open_secrets(connection, runtime.settings)
    services = make_services(runtime, addresses, box)
    await begin_sending(services)
    async with runtime.database.transaction() as connection:
        await mode_repository.begin(connection, runtime.settings.mode)
    sending = make_sending(runtime.settings, services, keys)
    await settings.warn_about_mail(runtime.settings)
    messages = message_sender(services.queue, sending, runtime.relay.wake, work.MESSAGES)
    runtime.rest.gathering = GatheringMessages(services.queue, messages)

    def after_commit() -> None:
        runtime.relay.wake()
        services.webhooks.claiming.wake()
        messages.wake()
        services.stream_signal.send()

    consumer = Consumer(
        work=lambda connection: UnitOfWork(connection, runtime.outbox, addresses),
        outbox=runtime.outbox,
        clock=runtime.clock,
        mail_hold=sending.mail_hold,
        fallback_to=sending.fallback_to,
        secrets=runtime.keys.secrets,
        closed=sending.texts.closed,
    )
    sweeping = sweep(services.queue, messages, work.DELIVERIES)
    opener = day_opener(services.days, services.calendar, messages, work.MORNINGS)
    upkeep = await begin_upkeep(runtime, services, keys, box)
    return Parts(
        app=lambda ready: make_http(runtime, services, keys, ready),
        subscriptions=(Subscription(settings.GROUP, TOPICS, consumer, after_commit),),
        loops=(messages, services.webhooks.claiming, services.webhooks.recording, opener, sweeping, *upkeep),
        close=(
            services.webhooks.close,
            services.recorder.close,
            services.mailer.stop,
            services.client.stop,
            services.texts.stop,
            services.others.close,
        ),
    )


async def begin_sending(services: Services) -> None:
    await services.client.start()
    await services.texts.start()
    await services.queue.take_over_leases()


async def begin_upkeep(
    runtime: Runtime, services: Services, keys: LinkKeys, box: SecretBox
) -> Sequence[Loop]:
    """Drops old rows, watches operation, sends the service's own mails, reports engagements, rotates keys of links."""
    configured, mails, database = runtime.settings, services.service_mails, runtime.database
    watches = watch_loops(runtime, mails, services.others)
    writer = make_customer_sending(configured, services, keys).writer
    mailing = ServiceMailing(mails, services.people, writer, services.mailer, configured.mail_hold())
    drafts = draft_loop(runtime, services.addresses, mailing, services.people_book, keys)
    engagements = tracking_loop(runtime, services.addresses, mails, services.people_book, keys)
    kept = await begin_retention(database, services.queue, runtime.clock, configured.retention)
    others = service_mail_loop(mailing, work.SERVICE_MAILS), link_key_loop(database, box, keys)
    return *kept, *watches, *others, drafts, engagements


def make_sending(configured: Settings, services: Services, link_keys: LinkKeys) -> Sending:
    links = action_links(settings.public_url(configured), link_keys)
    return Sending(
        services.mailer,
        services.templates,
        make_customer_sending(configured, services, link_keys),
        OwnerSending(services.people_book, services.facts, links, settings.console_url(configured)),
        services.queue,
        services.recorder,
        configured.mail_hold(),
        settings.fallback_to(configured),
        settings.organizer(configured),
        services.texts.sending,
        make_tracking(configured, link_keys),
    )


def make_customer_sending(configured: Settings, services: Services, link_keys: LinkKeys) -> CustomerSending:
    organization, postal_address = settings.organization(configured)
    make_links = links_of(settings.public_url(configured), link_keys, real_now)
    writer = CustomerWriter(services.templates, services.book, make_links, organization, postal_address)
    return CustomerSending(writer, services.facts)


def make_http(runtime: Runtime, services: Services, link_keys: LinkKeys, ready: Readiness) -> FastAPI:
    mail_hold = runtime.settings.mail_hold()
    warnings = (f"{Reason.MAIL_ON_HOLD}: {mail_hold}",) if mail_hold is not None else ()
    chassis = Chassis("notifier", runtime.clock, runtime.keys, ready, warnings, runtime.rest)
    app = make_app(chassis, title="notifier", links=LINKS, larger_bodies=LARGER_BODIES)
    repository, wake = services.subscriptions, services.webhooks.claiming.wake
    for_subscriptions = SubscriptionServices(
        repository, services.queries, services.client, runtime.clock, wake_sender=wake
    )
    app.include_router(subscription_routes(for_subscriptions))
    app.include_router(delivery_routes(services.queries, runtime.clock))
    reader = MessageReader(runtime.database, services.queries)
    app.include_router(message_routes(reader, services.people, runtime.settings.retention))
    app.include_router(stream_routes(services.queries, services.stream_signal))
    app.include_router(contact_router(runtime, services.addresses, services.preferences))
    pages = make_page_services(runtime, services, link_keys)
    app.include_router(opt_out_routes(pages, services.service_mails, settings.link_limit()))
    app.include_router(unsubscribe_routes(pages))
    actions = ActionServices(
        link_keys, services.calendar, services.people, services.people_book, services.templates
    )
    writer = make_customer_sending(runtime.settings, services, link_keys).writer
    app.include_router(draft_router(runtime, services.addresses, writer, actions))
    app.include_router(page_routes(pages))
    mails, book = services.service_mails, services.people_book
    app.include_router(inbound_router(runtime, services.addresses, mails, book, link_keys))
    app.include_router(channel_router(runtime.settings, services.mailer))
    app.include_router(tracking_router(runtime, pages))
    app.include_router(preview_routes(make_preview_services(runtime, services, link_keys)))
    app.include_router(dead_letter_routes(runtime.database, runtime.outbox))
    app.include_router(partition_routes(runtime.database, runtime.cluster.id))
    install_missing_page(app, missing_page(pages))
    return app


def make_page_services(runtime: Runtime, services: Services, link_keys: LinkKeys) -> PageServices:
    return PageServices(
        keys=link_keys,
        render=services.templates,
        book=services.book,
        people=services.people,
        preferences=services.preferences,
        facts=services.facts,
        calendar=services.calendar,
        organization=settings.organization(runtime.settings)[0],
        objections=make_objections(runtime),
        closed=services.texts.sending.closed,
    )


def make_preview_services(runtime: Runtime, services: Services, link_keys: LinkKeys) -> PreviewServices:
    sending = make_sending(runtime.settings, services, link_keys)
    return PreviewServices(
        sources=PreviewSources(services.people, services.calendar, sending),
        now=runtime.clock.now,
        real_now=real_now,
    )


def openapi_app() -> FastAPI:
    """The app for its OpenAPI document, connected to nothing."""
    runtime = unplugged("notifier")
    return make_http(
        runtime, make_services(runtime, AddressKey(b""), SecretBox(())), LinkKeys(), always_ready
    )


def main() -> None:
    run_command(IDENTITY, build, openapi_app)
