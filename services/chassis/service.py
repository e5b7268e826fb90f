"""The life of a service: its parts start in order, run concurrently, and stop in reverse within a time limit.

A part that ends by itself, or fails, ends the process: the supervisor starts it again, and its state is in
PostgreSQL and Kafka.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import NoReturn, TypeVar

import structlog
import uvicorn
import uvloop
from aiokafka.errors import KafkaError
from fastapi import FastAPI

from services.chassis import faults
from services.chassis.backlog import backlog_loop
from services.chassis.batches import Subscription
from services.chassis.clock import ServiceClock, service_clock
from services.chassis.clock_skew import describe_skew, measure_database_skew
from services.chassis.collector import spare_the_collector
from services.chassis.consumer import Consumer
from services.chassis.database import INFRASTRUCTURE, Database
from services.chassis.http_server import Server, listening
from services.chassis.kafka import Producer
from services.chassis.key_directory import key_loop
from services.chassis.key_usage import usage_loop
from services.chassis.keys import KeyRing, first_key, read_or_create_secrets
from services.chassis.loop_monitor import LoopMonitor
from services.chassis.loops import Loop
from services.chassis.outages import OUTAGES
from services.chassis.outbox import Outbox
from services.chassis.pruning import prune_loop
from services.chassis.relay import Relay
from services.chassis.replica import Replica, identify_replica
from services.chassis.request_context import RequestContext
from services.chassis.rest import PartitionEnds, Rest
from services.chassis.schema_versions import DATABASES, check_schema
from services.chassis.setting_names import unknown_settings
from services.chassis.settings import CannotStart, Http, Settings, load_settings
from services.chassis.standing_clock import clock_loop
from services.chassis.start_tracing import start_tracing
from services.chassis.telemetry import METRICS, configure_logs
from services.chassis.topics import Cluster, TopicSpec, ensure_topics
from services.chassis.tracing import traces
from services.chassis.web import Readiness
from services.chassis.work_poll import work_poll

log = structlog.get_logger(__name__)

T = TypeVar("T")

UNKNOWN_SETTING = "settings.unknown"
STOP_SECONDS = 12.0  # real time for the parts to stop; the supervisor allows fifteen


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the chassis built before the service's own parts."""

    replica: Replica
    settings: Settings
    clock: ServiceClock
    database: Database
    producer: Producer
    outbox: Outbox
    relay: Relay
    cluster: Cluster
    keys: KeyRing
    rest: Rest = field(default_factory=Rest)


@dataclass(slots=True)
class Parts:
    """The parts of a service: its app, its subscriptions, its loops, and what to close at the end."""

    app: Callable[[Readiness], FastAPI]
    subscriptions: Sequence[Subscription] = ()
    loops: Sequence[Loop] = ()
    close: Sequence[Callable[[], Awaitable[None]]] = ()


def assemble(
    name: str, settings: Settings, replica: Replica, database: Database, cluster: Cluster, keys: KeyRing
) -> Runtime:
    """The runtime of a service upon its connections; its producer is not started."""
    producer, outbox = Producer(settings.kafka, client_id=name), Outbox(f"/drumbeat/{name}")
    relay = Relay(database, producer, outbox, keys.secrets[0])
    clock = service_clock(settings.clock)
    return Runtime(replica, settings, clock, database, producer, outbox, relay, cluster, keys)


Build = Callable[[Runtime], Awaitable[Parts]]


@dataclass(frozen=True, slots=True)
class Identity:
    """A service: the name of its folder, its group of the settings, the topics it needs.

    `read_first` reads the files of the settings before anything is connected. Raises `CannotStart`.
    """

    name: str
    http: Callable[[Settings], Http]
    topics: Sequence[TopicSpec] = ()
    read_first: Callable[[Settings], object] = lambda _: None


def serve(identity: Identity, build: Build) -> NoReturn:
    """Run the service until SIGTERM or SIGINT; exit 1 with one sentence when it cannot start."""
    try:
        settings = load_settings()
        configure_logs(settings.log_level, service=identity.name)
        for problem in unknown_settings(Settings):
            log.warning(UNKNOWN_SETTING, problem=problem)
        identity.read_first(settings)
        start_tracing(settings.tracing, identity.name)
        faults.arm(settings.faults)
        code = uvloop.run(_serve(identity, settings, build))
    except CannotStart as reason:
        sys.stderr.write(f"{identity.name} cannot start: {reason}\n")
        code = 1
    traces().close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # a library's thread or an abandoned client must not keep the process alive


async def _serve(identity: Identity, settings: Settings, build: Build) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    http = identity.http(settings)
    with listening(http, f"DRUMBEAT_{identity.name.upper()}__PORT") as listener:
        starting = asyncio.create_task(_start(identity, settings, identify_replica(http)))
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait([starting, stop], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            return 0
        runtime = starting.result()
        try:
            parts = await build(runtime)
            spare_the_collector()
            return await _run(runtime, parts, listener, stop)
        finally:
            await runtime.producer.stop()
            await runtime.database.close()


async def _start(identity: Identity, settings: Settings, replica: Replica) -> Runtime:
    """Connect to the database and the broker, however long it takes."""
    keys = KeyRing(secrets=read_or_create_secrets(settings.secrets_key_path))
    keys.learn(first_key(settings.key_file))
    url = settings.database_url()
    settings.broker()
    name, pool_size = DATABASES[identity.name], settings.database.pool_size
    database = await _retry("PostgreSQL", lambda: Database.open(url, name, pool_size=pool_size))
    await check_schema(database, identity.name)
    await _report_skew(url)
    cluster = await _retry("Kafka", lambda: ensure_topics(settings.kafka, identity.topics))
    runtime = assemble(identity.name, settings, replica, database, cluster, keys)
    await _retry("Kafka", runtime.producer.start)
    return runtime


async def _report_skew(url: str) -> None:
    """Log when the database's clock is far from this host's; leases and due times are those of the database."""
    with contextlib.suppress(*INFRASTRUCTURE):
        problem = describe_skew("the database", await measure_database_skew(url))
        if problem is not None:
            log.warning("start.clock_skew", problem=problem)


async def _retry(what: str, attempt: Callable[[], Awaitable[T]]) -> T:
    pause = 0.2
    while True:
        try:
            result = await attempt()
        except (*INFRASTRUCTURE, KafkaError) as problem:
            if not OUTAGES.report("start", problem, part=what):
                log.warning("start.waiting", waits_for=what, problem=repr(problem))
            await asyncio.sleep(pause)
            pause = min(pause * 2, 3.0)
        else:
            OUTAGES.works("start")
            return result


async def _run(runtime: Runtime, parts: Parts, listener: socket.socket, stop: "asyncio.Task[object]") -> int:
    """Run every part until a stop is asked for or a part ends; then stop all of them, in order."""
    standing = await _standing_loops(runtime)
    consumers = [_consumer(runtime, subscription, standing) for subscription in parts.subscriptions]
    backlog = backlog_loop(runtime.database, runtime.cluster.id, parts.subscriptions)
    loops = [
        *parts.loops,
        work_poll(runtime.database, runtime.clock, [*parts.loops, *standing, runtime.relay]),
        key_loop(runtime.database, runtime.keys),
        usage_loop(runtime.database, runtime.keys, runtime.outbox, runtime.relay),
        *_prune_loops(runtime),
        *standing,
        backlog,
    ]
    ends = PartitionEnds(runtime.settings.kafka)
    runtime.rest.watch(consumers, [*parts.loops, runtime.relay], ends)
    app = parts.app(lambda: _readiness(runtime, consumers))
    app.state.halted = lambda: _halted(consumers)
    server = _server(app)
    web = asyncio.create_task(server.serve([listener]))
    relaying = asyncio.create_task(runtime.relay.run())
    working = [asyncio.create_task(part.run()) for part in (*consumers, *loops)]
    monitoring = asyncio.create_task(LoopMonitor().run())
    log.info("service.started", replica=runtime.replica.name, boot_id=runtime.replica.boot_id)
    await asyncio.wait([stop, web, relaying, *working], return_when=asyncio.FIRST_COMPLETED)
    ended = [task for task in (web, relaying, *working) if task.done()]
    for task in ended:
        log.error("service.part_ended", exc_info=task.exception() if not task.cancelled() else None)
    server.stop()
    for part in (*consumers, *loops):
        part.stop()
    await asyncio.wait([web, *working], timeout=STOP_SECONDS)
    runtime.relay.stop()  # last, so that it carries the messages of the others
    await asyncio.wait([relaying], timeout=3)
    for close in (*parts.close, ends.close):
        await close()
    monitoring.cancel()
    log.info("service.stopped", clean=not ended)
    return 1 if ended else 0


def _prune_loops(runtime: Runtime) -> tuple[Loop, Loop]:
    database, kept = runtime.database, runtime.settings.retention
    return (
        prune_loop(database, "inbox", "seen_at", keep=timedelta(days=kept.receipts_days)),
        prune_loop(database, "dead_letter", "buried_at", keep=timedelta(days=kept.dead_letters_days)),
    )


async def _standing_loops(runtime: Runtime) -> list[Loop]:
    """The loop that follows a standing clock; none for one that runs."""
    if not runtime.clock.stands:
        return []
    standing = clock_loop(runtime.database, runtime.clock, runtime.rest.wake)
    await standing.run_once()  # nothing is read or released at the time of an earlier start
    return [standing]


def _consumer(runtime: Runtime, subscription: Subscription, after_commit: Sequence[Loop]) -> Consumer:
    """A consumer; each batch that it commits wakes the loops, too."""
    for topic in subscription.topics:
        METRICS.dead_letters.labels(topic)  # 0 before the first one, so that an alert sees it

    def wake() -> None:
        subscription.after_commit()
        for loop in after_commit:
            loop.wake()

    return Consumer(
        database=runtime.database,
        kafka=runtime.settings.kafka,
        cluster=runtime.cluster,
        outbox=runtime.outbox,
        owner=runtime.replica.owner,
        subscription=replace(subscription, after_commit=wake, limits=runtime.settings.dead_letters),
    )


def _server(app: FastAPI) -> Server:
    config = uvicorn.Config(
        RequestContext(app),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        timeout_keep_alive=30,
        server_header=False,
        lifespan="on",
    )
    return Server(config)


async def _readiness(runtime: Runtime, consumers: Sequence[Consumer]) -> str | None:
    try:
        await runtime.database.ping()
    except INFRASTRUCTURE as problem:
        return f"PostgreSQL does not answer ({type(problem).__name__})"
    waiting = [reason for consumer in consumers if (reason := consumer.waits_for()) is not None]
    return "; ".join(waiting) or None


def _halted(consumers: Sequence[Consumer]) -> dict[str, str]:
    return {partition: reason for consumer in consumers for partition, reason in consumer.halted().items()}
