"""Wires the scheduler: the only place where entrypoints and adapters meet."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from schemas.topics import broker_configs
from services.chassis.batches import Subscription
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.dead_letter_routes import dead_letter_routes
from services.chassis.loops import Loop
from services.chassis.openapi_export import always_ready, run_command, unplugged
from services.chassis.partition_routes import partition_routes
from services.chassis.partitions import partition_loop
from services.chassis.service import Identity, Parts, Readiness, Runtime
from services.chassis.topics import TopicSpec
from services.chassis.web import Chassis, make_app
from services.chassis.work_poll import FALLBACK_SECONDS
from services.chassis.worker_process import WorkerProcess
from services.scheduler import settings
from services.scheduler.adapters import work
from services.scheduler.adapters.announcement_repository import PostgresAnnouncements
from services.scheduler.adapters.archive import ARCHIVE, FEED
from services.scheduler.adapters.book_repository import LONGEST_WAIT, QUIET, PostgresBooks
from services.scheduler.adapters.calendar_repository import PostgresCalendarRepository
from services.scheduler.adapters.capacity_queries import PostgresCapacity
from services.scheduler.adapters.closed_days import read_account_days
from services.scheduler.adapters.coming import read_coming
from services.scheduler.adapters.contact_export import PostgresContactExport
from services.scheduler.adapters.directory_repository import PostgresDirectoryRepository
from services.scheduler.adapters.feed_repository import PostgresFeeds
from services.scheduler.adapters.handover_repository import PostgresHandovers
from services.scheduler.adapters.promise_queries import PostgresPromiseReader
from services.scheduler.adapters.promise_repository import PostgresPromises
from services.scheduler.adapters.queries import PostgresReader
from services.scheduler.adapters.queue_repository import PostgresQueue
from services.scheduler.adapters.release_repository import PostgresReleases
from services.scheduler.adapters.reminder_repository import PostgresReminders
from services.scheduler.adapters.standing import read_standing
from services.scheduler.application.follow_releases import follow_releases, read_newer_rules
from services.scheduler.application.ports import Keep
from services.scheduler.busy_calendars import BusyCalendars
from services.scheduler.domain.feed import Publisher
from services.scheduler.entrypoints.http_actions import UnitOfWork, action_routes
from services.scheduler.entrypoints.http_busy_calendars import busy_calendar_routes
from services.scheduler.entrypoints.http_capacity import capacity_routes
from services.scheduler.entrypoints.http_closed_days import closed_days_routes
from services.scheduler.entrypoints.http_coming import coming_routes
from services.scheduler.entrypoints.http_contact_data import contact_data_routes
from services.scheduler.entrypoints.http_feeds import FeedServices, feed_routes
from services.scheduler.entrypoints.http_handovers import HandoverUnit, handover_routes
from services.scheduler.entrypoints.http_links import LINKS
from services.scheduler.entrypoints.http_promises import promise_routes
from services.scheduler.entrypoints.http_schedule import schedule_routes
from services.scheduler.entrypoints.http_standing import standing_routes
from services.scheduler.entrypoints.http_touchpoints import read_routes
from services.scheduler.entrypoints.kafka_consumer import TOPICS, RecordHandler
from services.scheduler.entrypoints.leveller import Leveller
from services.scheduler.entrypoints.promise_watcher import PromiseWatcher
from services.scheduler.entrypoints.workers import (
    Releaser,
    Sweep,
    Sweeper,
    announcement_sweep,
    horizon_sweep,
    leaver_sweep,
    overdue_sweep,
    prune_sweep,
    reminder_sweep,
)
from services.scheduler.metrics import CALENDAR

IDENTITY = Identity(
    "scheduler", settings.http, [TopicSpec(name, configs) for name, configs in broker_configs()]
)
LEVELLING = "services.calendar.person_levelling"


def count(kind: str, number: int) -> None:
    CALENDAR.labels(kind).inc(number)


async def build(runtime: Runtime) -> Parts:
    """Connect entrypoints and adapters."""
    database, clock, outbox, wake = runtime.database, runtime.clock, runtime.outbox, runtime.relay.wake
    console_url = settings.console_url(runtime.settings)
    calendars = partial(PostgresCalendarRepository, outbox=outbox, console_url=console_url)
    queue = partial(PostgresQueue, outbox=outbox, console_url=console_url)

    def after_release() -> None:
        wake()
        if clock.stands:  # a rehearsal goes on once all is at rest
            watching.wake()

    def after_commit() -> None:
        after_release()
        releasing.wake()
        extending.wake()
        levelling.wake()

    releaser = Releaser(database, clock, queue, after_release, count)
    releasing = Loop("release", interval=FALLBACK_SECONDS, run_once=releaser.run_once, work=work.DUE)
    extending = make_sweep_loop(
        runtime, "extend", horizon_sweep(calendars), after_commit, waits_for=work.TO_EXTEND
    )
    watching = make_watcher(runtime, calendars, after_commit)
    levelling, close = make_leveller(runtime, calendars, after_commit, extending)
    sweeps = make_sweeps(runtime, calendars, queue, after_commit)
    keep = find_retention(runtime)
    archiving = partition_loop(database, ARCHIVE, keep=max(keep.closed - FEED, timedelta()))
    await follow_installed_releases(database, clock)
    busy_calendars = await BusyCalendars(runtime, after_commit, count).start()
    handler = RecordHandler(
        clock, outbox, calendars, PostgresDirectoryRepository, count, runtime.keys.secrets
    )
    return Parts(
        app=lambda ready: make_http_app(runtime, after_commit, ready, busy_calendars),
        subscriptions=(Subscription(settings.GROUP, TOPICS, handler, after_commit),),
        loops=(releasing, extending, *sweeps, watching, archiving, levelling, busy_calendars.loop),
        close=(close, busy_calendars.close),
    )


def find_retention(runtime: Runtime) -> Keep:
    """How long closed touchpoints and early outcomes stay."""
    retention = runtime.settings.retention
    return Keep(timedelta(days=retention.touchpoints_days), timedelta(days=retention.receipts_days))


def make_sweep_loop(
    runtime: Runtime,
    name: str,
    sweep: Sweep,
    after_commit: Callable[[], None],
    interval: float = FALLBACK_SECONDS,
    waits_for: str | None = None,
) -> Loop:
    """The loop of a sweep; `interval` in real seconds, `waits_for` the condition that the poll asks."""
    sweeper = Sweeper(runtime.database, runtime.clock, sweep, after_commit, count)
    return Loop(name, interval=interval, run_once=sweeper.run_once, work=waits_for)


def make_sweeps(
    runtime: Runtime,
    calendars: Callable[[Connection], PostgresCalendarRepository],
    queue: Callable[[Connection], PostgresQueue],
    after_commit: Callable[[], None],
) -> list[Loop]:
    """The loops that nobody wakes."""
    outbox, console_url = runtime.outbox, settings.console_url(runtime.settings)
    announcements = partial(PostgresAnnouncements, outbox=outbox, console_url=console_url)
    reminders = partial(PostgresReminders, outbox=outbox, console_url=console_url)
    reader = PostgresReader(runtime.database)
    sharing = leaver_sweep(calendars, PostgresHandovers, reader)
    pruning = prune_sweep(queue, find_retention(runtime))
    make = partial(make_sweep_loop, runtime, after_commit=after_commit)
    return [
        make("lapse", overdue_sweep(queue), waits_for=work.OVERDUE),
        make("announce", announcement_sweep(announcements), waits_for=work.TO_ANNOUNCE),
        make("share out", sharing, waits_for=work.TO_SHARE_OUT),
        make("remind", reminder_sweep(reminders), waits_for=work.TO_REMIND),
        make("prune calendar", pruning, interval=settings.PRUNE_INTERVAL_SECONDS),
    ]


async def follow_installed_releases(database: Database, clock: ServiceClock) -> None:
    """Plan again what newer zone rules or holidays of this installation move, before anything is read or released."""
    async with database.transaction() as connection:
        now = clock.at(await real_now(connection))
        followed = await PostgresReleases(connection).find_tzdata()
    rules = read_newer_rules(followed, now)
    async with database.transaction() as connection:
        await follow_releases(PostgresReleases(connection), rules)


def make_watcher(
    runtime: Runtime,
    calendars: Callable[[Connection], PostgresCalendarRepository],
    after_commit: Callable[[], None],
) -> Loop:
    """The loop that looks at promises."""
    console_url = settings.console_url(runtime.settings)

    def promises(connection: Connection) -> PostgresPromises:
        return PostgresPromises(connection, calendars(connection), runtime.outbox, console_url)

    watcher = PromiseWatcher(runtime.database, runtime.clock, promises, after_commit, count)
    return Loop(
        "watch promises",
        interval=FALLBACK_SECONDS,
        run_once=watcher.run_once,
        work=work.PROMISES,
        is_busy=lambda: watcher.is_waiting,
    )


def make_leveller(
    runtime: Runtime,
    calendars: Callable[[Connection], PostgresCalendarRepository],
    after_commit: Callable[[], None],
    extending: Loop,
) -> tuple[Loop, Callable[[], Awaitable[None]]]:
    """The loop that levels the books of people, and what closes its worker process.

    While plans are taken in and calendars extended here, a book waits for the rest of its changes: what it becomes
    depends on what is levelled together, which is not to depend on the speed of the machine.
    """
    worker = WorkerProcess(
        seconds=settings.LEVEL_SECONDS, megabytes=settings.LEVEL_MEGABYTES, most_waiting=1, module=LEVELLING
    )

    def books(connection: Connection) -> PostgresBooks:
        is_calm = extending.is_at_rest() and not runtime.rest.is_handling_records()
        return PostgresBooks(connection, calendars(connection), QUIET if is_calm else LONGEST_WAIT)

    leveller = Leveller(runtime.database, runtime.clock, books, worker, after_commit, count)
    loop = Loop(
        "level",
        interval=FALLBACK_SECONDS,
        run_once=leveller.run_once,
        work=work.TO_LEVEL,
        is_busy=lambda: leveller.is_waiting,
    )
    return loop, worker.close


def make_http_app(
    runtime: Runtime, after_commit: Callable[[], None], ready: Readiness, busy_calendars: BusyCalendars
) -> FastAPI:
    console_url = settings.console_url(runtime.settings)
    calendars = partial(PostgresCalendarRepository, outbox=runtime.outbox, console_url=console_url)
    chassis = Chassis("scheduler", runtime.clock, runtime.keys, ready, rest=runtime.rest)
    app = make_app(chassis, title="scheduler", links=LINKS)
    reader = PostgresReader(runtime.database)
    app.include_router(read_routes(reader, runtime.clock))
    app.include_router(capacity_routes(reader, PostgresCapacity(runtime.database), runtime.clock))
    app.include_router(closed_days_routes(partial(read_account_days, runtime.database)))
    app.include_router(coming_routes(partial(read_coming, runtime.database), reader, runtime.clock))
    app.include_router(schedule_routes(reader, runtime.clock))
    contacts = PostgresContactExport(runtime.database, runtime.relay, runtime.settings.retention)
    app.include_router(contact_data_routes(contacts, reader))
    app.include_router(promise_routes(PostgresPromiseReader(runtime.database)))
    app.include_router(standing_routes(partial(read_standing, runtime.database), reader, runtime.clock))
    unit_of_work = UnitOfWork(runtime.database, runtime.clock, calendars, reader, after_commit)
    app.include_router(action_routes(unit_of_work))
    handovers = HandoverUnit(
        runtime.database, runtime.clock, calendars, PostgresHandovers, reader, after_commit
    )
    app.include_router(handover_routes(handovers))
    publisher = Publisher(runtime.settings.organization.name, console_url)
    feeds = PostgresFeeds(runtime.database)
    app.include_router(
        feed_routes(FeedServices(feeds, runtime.clock, publisher, settings.feed_url(runtime.settings)))
    )
    app.include_router(busy_calendar_routes(busy_calendars.services))
    app.include_router(dead_letter_routes(runtime.database, runtime.outbox))
    app.include_router(partition_routes(runtime.database, runtime.cluster.id))
    return app


def openapi_app() -> FastAPI:
    """The app without connections, for its OpenAPI document."""
    runtime = unplugged("scheduler")
    busy_calendars = BusyCalendars(runtime, runtime.relay.wake, count)
    return make_http_app(runtime, runtime.relay.wake, always_ready, busy_calendars)


def main() -> None:
    run_command(IDENTITY, build, openapi_app)
