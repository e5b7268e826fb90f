"""The rules engine put together: the only place where entrypoints and adapters meet."""

from dataclasses import replace
from functools import partial
from typing import Final

from fastapi import FastAPI

from schemas.topics import broker_configs
from services.cadence.policy.contents import contents_in_force
from services.cadence.policy.load import PolicyRefused, shipped_contents
from services.cadence.rates import RatesRefused
from services.cadence.testing.load import policy_and_tests
from services.chassis.batches import Subscription
from services.chassis.dead_letter_routes import dead_letter_routes
from services.chassis.loops import Loop
from services.chassis.ndjson import LARGEST_STREAM
from services.chassis.openapi_export import always_ready, run_command, unplugged
from services.chassis.partition_routes import partition_routes
from services.chassis.rate_limits import RateLimits
from services.chassis.service import CannotStart, Identity, Parts, Readiness, Runtime
from services.chassis.topics import TopicSpec
from services.chassis.web import Chassis, make_app
from services.chassis.work_poll import FALLBACK_SECONDS
from services.chassis.worker_process import WorkerProcess
from services.rules_engine import settings
from services.rules_engine.adapters import work
from services.rules_engine.adapters.account_repository import AccountUnitOfWork
from services.rules_engine.adapters.account_twins import AccountTwins
from services.rules_engine.adapters.active_policy import ActivePolicy
from services.rules_engine.adapters.audit_repository import AuditRepository, append_entries
from services.rules_engine.adapters.book_queries import read_books
from services.rules_engine.adapters.book_simulation import make_simulation
from services.rules_engine.adapters.clock_repository import ClockRepository
from services.rules_engine.adapters.configuration_repository import ConfigurationRepository, Source
from services.rules_engine.adapters.explanations import StoredExplanations
from services.rules_engine.adapters.figures_repository import FiguresRepository
from services.rules_engine.adapters.key_repository import record_use
from services.rules_engine.adapters.mode_repository import ModeRepository
from services.rules_engine.adapters.policy_comparison import PolicyComparison
from services.rules_engine.adapters.policy_repository import PolicyRepository
from services.rules_engine.adapters.portfolio_repository import PortfolioRepository
from services.rules_engine.adapters.program_repository import list_programs
from services.rules_engine.adapters.queries import Queries
from services.rules_engine.adapters.rates_file import RatesFile
from services.rules_engine.adapters.sweep_repository import SweepRepository
from services.rules_engine.application.answer_figures import answer_figures
from services.rules_engine.domain.account import BatchCounts
from services.rules_engine.entrypoints import http_accounts as api
from services.rules_engine.entrypoints import http_policies as policies
from services.rules_engine.entrypoints import refusals
from services.rules_engine.entrypoints.audit_consumer import AuditConsumer
from services.rules_engine.entrypoints.http_audit import audit_routes, history_routes
from services.rules_engine.entrypoints.http_books import book_routes
from services.rules_engine.entrypoints.http_clock import clock_routes
from services.rules_engine.entrypoints.http_content import content_routes
from services.rules_engine.entrypoints.http_figures import figures_routes
from services.rules_engine.entrypoints.http_ingest import Ingest
from services.rules_engine.entrypoints.http_links import LINKS
from services.rules_engine.entrypoints.http_mode import mode_routes
from services.rules_engine.entrypoints.http_why import why_routes
from services.rules_engine.entrypoints.kafka_consumer import EventConsumer
from services.rules_engine.entrypoints.workers import Sweeper
from services.rules_engine.loops import engine_loops
from services.rules_engine.metrics import EVENTS
from services.rules_engine.people import begin_keys, people_routers
from services.rules_engine.privacy import privacy_routers
from services.rules_engine.tables import Tables
from services.rules_engine.webhooks import Webhooks


def count(topic: str, counts: BatchCounts) -> None:
    EVENTS.labels(topic, "heard").inc(counts.events)
    for outcome in ("duplicates", "parked", "conflicts", "let_go", "undecided", "plans"):
        EVENTS.labels(topic, outcome).inc(getattr(counts, outcome))


async def build(runtime: Runtime) -> Parts:
    """Wire the service; raises `CannotStart` when the policy is refused."""
    database = runtime.database
    configurations = ConfigurationRepository(database)
    active_policy = ActivePolicy(configurations, runtime.clock)
    rates_file = RatesFile(runtime.settings.rates, database)
    await _put_in_force(active_policy, rates_file, runtime)
    await begin_keys(runtime)
    parts = Parts(
        app=lambda ready: make(runtime, _in_step(active_policy, ready), configurations, active_policy),
        loops=(
            Loop("rates", interval=5.0, run_once=rates_file.run_once),
            Loop("policy", interval=1.0, run_once=active_policy.refresh),
        ),
    )
    return (
        parts
        if runtime.settings.rules_engine.role == "ingest"
        else with_engine(parts, runtime, active_policy)
    )


def with_engine(parts: Parts, runtime: Runtime, active_policy: ActivePolicy) -> Parts:
    """The same with what works at the events."""
    database, outbox, clock = runtime.database, runtime.outbox, runtime.clock
    created: set[str] = set()
    consumer = EventConsumer(
        clock=clock,
        outbox=outbox,
        context=active_policy.context,
        work=lambda connection: AccountUnitOfWork(connection, outbox, created),
        portfolio=lambda connection: PortfolioRepository(connection, outbox),
        count=count,
        secrets=runtime.keys.secrets,
    )
    sweeper = Sweeper(
        database=database,
        clock=clock,
        context=active_policy.context,
        work=consumer.work,
        sweeps=SweepRepository(database),
        after_commit=runtime.relay.wake,
    )
    topics = ("account.signals", "touchpoint.outcomes", "touchpoint.events", "audit.entries")
    handler = AuditConsumer(runtime.keys.secrets, outbox, append_entries, record_use, others=consumer)
    sweep = Loop("sweep", interval=FALLBACK_SECONDS, run_once=sweeper.run_once, work=work.TO_EVALUATE)
    return replace(
        parts,
        subscriptions=(Subscription("rules_engine", topics, handler, runtime.relay.wake),),
        loops=(*parts.loops, sweep, *engine_loops(runtime, active_policy)),
    )


async def _put_in_force(active_policy: ActivePolicy, rates_file: RatesFile, runtime: Runtime) -> None:
    configured = runtime.settings
    path, is_shipped = settings.policy_path(configured), configured.policy is None
    source = Source(runtime.replica.name, is_shipped, str(path))
    try:
        await rates_file.open()
        await active_policy.open(policy_and_tests(path), path.name, configured.mode, source)
    except PolicyRefused as refused:
        raise CannotStart(f"the policy {path} is refused:\n{refused}") from refused
    except RatesRefused as refused:
        raise CannotStart(str(refused)) from refused
    await make_modes(runtime).open(runtime.settings.mode)
    await active_policy.refresh()


def make_modes(runtime: Runtime) -> ModeRepository:
    return ModeRepository(runtime.database, runtime.outbox, runtime.relay, runtime.clock)


def _in_step(active_policy: ActivePolicy, ready: Readiness) -> Readiness:
    async def both() -> str | None:
        return await ready() or active_policy.waits_for

    return both


_LARGER: Final = {
    **dict.fromkeys(("/v1/events", "/v1/imports"), LARGEST_STREAM),
    **policies.LARGER_BODIES,
}


def make(
    runtime: Runtime, ready: Readiness, configurations: ConfigurationRepository, active_policy: ActivePolicy
) -> FastAPI:
    database, outbox, relay, clock = runtime.database, runtime.outbox, runtime.relay, runtime.clock
    app = _make_empty(runtime, ready)
    answers, worker = Queries(database, outbox, relay, clock, active_policy.context), make_worker(runtime)
    budget, kept = settings.readers_budget(runtime.settings), settings.decisions_kept(runtime.settings)
    repository = PolicyRepository(configurations, active_policy, worker, budget)
    figures = FiguresRepository(database)
    simulation = make_simulation(database, clock, runtime.settings)
    limits = RateLimits(runtime.settings.rate_limit, runtime.settings.key_rate_limits)
    twins, secret = AccountTwins(database).find, runtime.keys.secrets[0]
    ingest = Ingest(runtime.producer, clock, active_policy.context, twins, limits, secret)
    webhooks = Webhooks(runtime, ingest)
    for router in (
        api.event_routes(ingest, answers),
        webhooks.router(),
        *Tables(runtime, ingest, simulation, budget).routers(),
        why_routes(StoredExplanations(configurations, active_policy, clock, budget, keep=kept).explain),
        *privacy_routers(runtime, active_policy.context),
        api.account_routes(answers),
        book_routes(lambda: read_books(database, active_policy.context().policy.content.currency)),
        api.parked_routes(answers),
        figures_routes(lambda wanted: answer_figures(wanted, figures, active_policy.context(), clock.now())),
        policies.policy_routes(
            repository, PolicyComparison(database, worker, clock).compare, simulation.simulate
        ),
        content_routes(lambda: contents_in_force(active_policy.context().policy.content, shipped_contents())),
        policies.program_routes(partial(list_programs, database)),
        mode_routes(make_modes(runtime)),
        clock_routes(ClockRepository(database, outbox, clock, runtime.rest.wake).advance),
        *people_routers(runtime),
        *(routes(AuditRepository(database)) for routes in (audit_routes, history_routes)),
        dead_letter_routes(database, outbox, webhooks.replay),
        partition_routes(database, runtime.cluster.id),
    ):
        app.include_router(router)
    return app


def _make_empty(runtime: Runtime, ready: Readiness) -> FastAPI:
    """The app without the routes of this service."""
    chassis = Chassis("rules_engine", runtime.clock, runtime.keys, ready, rest=runtime.rest)
    app = make_app(
        chassis, title="rules engine", larger_bodies=_LARGER, unpacked_bodies=("/v1/events",), links=LINKS
    )
    refusals.install(app)
    return app


def make_worker(runtime: Runtime) -> WorkerProcess:
    limits = runtime.settings.policy_checks
    return WorkerProcess(
        seconds=limits.seconds,
        megabytes=limits.megabytes,
        most_waiting=limits.most_waiting,
        module="services.rules_engine.adapters.policy_jobs",
    )


IDENTITY = Identity(
    "rules_engine",
    settings.http,
    [TopicSpec(name, configs) for name, configs in broker_configs()],
    read_first=settings.read_files,
)


def openapi_app() -> FastAPI:
    """The app with nothing behind it, for its OpenAPI document."""
    runtime = unplugged("rules_engine")
    configurations = ConfigurationRepository(runtime.database)
    return make(runtime, always_ready, configurations, ActivePolicy(configurations, runtime.clock))


def main() -> None:
    run_command(IDENTITY, build, openapi_app)
