"""The scheduler put together: the only place where doors and adapters meet."""

from fastapi import FastAPI
from prometheus_client import Counter as Metric

from schemas.topics import broker_configs
from services.chassis.batches import Subscription
from services.chassis.database import Connection
from services.chassis.dead_letter_routes import dead_letter_routes
from services.chassis.loops import Loop
from services.chassis.openapi_export import always_ready, print_openapi, run_command, unplugged
from services.chassis.service import Identity, Parts, Readiness, Runtime, serve
from services.chassis.topics import TopicSpec
from services.chassis.web import Chassis, make_app
from services.scheduler import settings
from services.scheduler.adapters.calendar import PostgresCalendar
from services.scheduler.adapters.people import PostgresDirectory
from services.scheduler.adapters.queries import Queries
from services.scheduler.adapters.queue import PostgresQueue
from services.scheduler.adapters.sweep import claim_accounts
from services.scheduler.entrypoints.acts import act_routes
from services.scheduler.entrypoints.api import read_routes
from services.scheduler.entrypoints.consumer import TOPICS, Intake
from services.scheduler.entrypoints.desk import Answers, Counter
from services.scheduler.entrypoints.loops import Extender, Lapser, Releaser

IDENTITY = Identity(
    "scheduler", settings.http, [TopicSpec(name, configs) for name, configs in broker_configs()]
)
CALENDAR = Metric("drumbeat_calendar_total", "What the scheduler did, by kind", ["what"])


def counted(what: str, number: int) -> None:
    CALENDAR.labels(what).inc(number)


async def build(runtime: Runtime) -> Parts:
    """Wire the service."""
    database, clock, outbox, wake = runtime.database, runtime.clock, runtime.outbox, runtime.relay.wake

    def queue(connection: Connection) -> PostgresQueue:
        return PostgresQueue(connection, outbox)

    def calendar(connection: Connection) -> PostgresCalendar:
        return PostgresCalendar(connection, outbox)

    releaser = Releaser(database, clock, queue, wake, counted)
    lapser = Lapser(database, clock, queue, wake, counted)
    extender = Extender(database, clock, claim_accounts, calendar, wake, counted)
    releasing = Loop("release", interval=settings.RELEASE_EVERY, run_once=releaser.run_once)
    extending = Loop("extend", interval=settings.SWEEP_EVERY, run_once=extender.run_once)
    lapsing = Loop("lapse", interval=settings.SWEEP_EVERY, run_once=lapser.run_once)

    def after_commit() -> None:
        wake()
        releasing.wake()
        extending.wake()

    intake = Intake(clock, outbox, calendar, PostgresDirectory, counted)
    counter = Counter(database, clock, calendar, after_commit)
    return Parts(
        app=lambda ready: make(runtime, counter, ready),
        subscriptions=(Subscription(settings.GROUP, TOPICS, intake, after_commit),),
        loops=(releasing, extending, lapsing),
    )


def make(runtime: Runtime, counter: Counter, ready: Readiness) -> FastAPI:
    app = make_app(Chassis("scheduler", runtime.clock, runtime.keys, ready), title="scheduler")
    app.include_router(read_routes(Answers(Queries(runtime.database), runtime.clock)))
    app.include_router(act_routes(counter))
    app.include_router(dead_letter_routes(runtime.database, runtime.outbox))
    return app


def documented() -> FastAPI:
    """The app without its wires, for its OpenAPI document."""
    runtime = unplugged("scheduler")

    def calendar(connection: Connection) -> PostgresCalendar:
        return PostgresCalendar(connection, runtime.outbox)

    return make(runtime, Counter(runtime.database, runtime.clock, calendar, runtime.relay.wake), always_ready)


def main() -> None:
    run_command(
        "scheduler",
        {"serve": lambda _: serve(IDENTITY, build), "openapi": lambda _: print_openapi(documented())},
    )
