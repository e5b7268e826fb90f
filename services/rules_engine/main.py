"""The rules engine put together: the only place where doors and adapters meet."""

import sys

from fastapi import FastAPI
from prometheus_client import Counter

from schemas.topics import broker_configs
from services.chassis.batches import Subscription
from services.chassis.dead_letter_routes import dead_letter_routes
from services.chassis.loops import Loop
from services.chassis.pruning import prune_loop
from services.chassis.service import CannotStart, Identity, Parts, Readiness, Runtime, serve
from services.chassis.topics import TopicSpec
from services.chassis.unplugged import always_ready, print_openapi, run_command, unplugged
from services.chassis.web import Chassis, make_app
from services.rules_engine import settings
from services.rules_engine.adapters import sweeping
from services.rules_engine.adapters.bench import BenchKeeper
from services.rules_engine.adapters.book import SqlBook
from services.rules_engine.adapters.differences import SqlDifferences
from services.rules_engine.adapters.epoch import Epochs, Source
from services.rules_engine.adapters.explanations import SqlExplanations
from services.rules_engine.adapters.keys import SqlKeys
from services.rules_engine.adapters.offline import offline_book
from services.rules_engine.adapters.policies import SqlPolicies
from services.rules_engine.adapters.policy_files import (
    PolicyRefused,
    load_policy,
    load_policy_texts,
    policy_texts,
)
from services.rules_engine.adapters.policy_reference import policy_reference
from services.rules_engine.adapters.policy_requirements import requirements_page
from services.rules_engine.adapters.policy_schema import policy_schema
from services.rules_engine.adapters.policy_tests import policy_beside, read_tests, texts_of_tests
from services.rules_engine.adapters.programs import SqlPrograms
from services.rules_engine.adapters.queries import Queries
from services.rules_engine.adapters.ranking import Ranking
from services.rules_engine.adapters.work import SqlWork
from services.rules_engine.application.account import Tally
from services.rules_engine.application.judge import Bench
from services.rules_engine.application.policy_tests import run
from services.rules_engine.domain.lint import lint
from services.rules_engine.domain.policy import Policy
from services.rules_engine.entrypoints import api, cli, comparing, policies
from services.rules_engine.entrypoints.consumer import Engine, SignalConsumer
from services.rules_engine.entrypoints.ingest import Ingest
from services.rules_engine.entrypoints.lines import LARGEST_STREAM
from services.rules_engine.entrypoints.sweeper import Sweeper
from services.rules_engine.entrypoints.translate import told
from services.rules_engine.entrypoints.why import why_routes

IDENTITY = Identity(
    "rules_engine", settings.http, [TopicSpec(name, configs) for name, configs in broker_configs()]
)
EVENTS = Counter("drumbeat_events_total", "Events by what became of them", ["topic", "outcome"])


def counted(topic: str, tally: Tally) -> None:
    for outcome in ("heard", "duplicates", "parked", "conflicts", "undecided", "plans"):
        EVENTS.labels(topic, outcome).inc(getattr(tally, outcome))


async def build(runtime: Runtime) -> Parts:
    """Wire the service; raises `CannotStart` when the policy is refused."""
    database, outbox, clock = runtime.database, runtime.outbox, runtime.clock
    epochs = Epochs(database)
    keeper = BenchKeeper(epochs, load_policy_texts, clock)
    await _put_in_force(keeper, runtime)
    known: set[str] = set()
    engine = Engine(
        clock=clock,
        outbox=outbox,
        bench=keeper.now,
        work=lambda connection: SqlWork(connection, outbox, known),
        book=lambda connection: SqlBook(connection, outbox),
        counted=counted,
    )
    sweeper = Sweeper(
        database=database,
        clock=clock,
        bench=keeper.now,
        work=engine.work,
        due=lambda held, now, most: sweeping.due(held, now, most, keeper.now().epoch),
        behind=sweeping.behind,
        next_due=lambda: sweeping.next_due(database),
        after_commit=runtime.relay.wake,
    )
    topics = ("account.signals", "touchpoint.outcomes", "touchpoint.events")
    return Parts(
        app=lambda ready: make(runtime, _in_step(keeper, ready), keeper),
        subscriptions=(Subscription("rules_engine", topics, SignalConsumer(engine), runtime.relay.wake),),
        loops=(
            Loop("sweep", interval=1.0, run_once=sweeper.run_once),
            Loop("policy", interval=1.0, run_once=keeper.refresh),
            Loop(
                "ranking",
                interval=5.0,
                run_once=Ranking(database, clock, lambda: ranks(keeper.now())).run_once,
            ),
            prune_loop(database, "receipt", "seen_at"),
        ),
    )


async def _put_in_force(keeper: BenchKeeper, runtime: Runtime) -> None:
    path = settings.policy_path(runtime.settings)
    source = Source(runtime.owner, shipped=runtime.settings.policy is None)
    try:
        await keeper.open(policy_texts(path), path.name, runtime.settings.mode, source)
    except PolicyRefused as refused:
        raise CannotStart(f"the policy {path} is refused:\n{refused}") from refused


def ranks(bench: Bench) -> bool:
    """Does anything in force read where an account stands in the book?"""
    return "arr_percentile" in bench.policy.reads | bench.book.reads


def _in_step(keeper: BenchKeeper, ready: Readiness) -> Readiness:
    async def both() -> str | None:
        return await ready() or keeper.waits_for

    return both


def make(runtime: Runtime, ready: Readiness, keeper: BenchKeeper) -> FastAPI:
    app = make_app(
        Chassis("rules_engine", runtime.clock, runtime.keys, ready),
        title="rules engine",
        larger_bodies={
            "/v1/events": LARGEST_STREAM,
            **dict.fromkeys((*policies.WITH_FILES, comparing.PATH), policies.LARGEST_BODY),
        },
    )
    versions = SqlPolicies(Epochs(runtime.database), keeper, load_policy_texts, findings)
    answers = Queries(runtime.database, runtime.outbox, runtime.relay)
    app.include_router(api.event_routes(Ingest(runtime.producer, runtime.clock), answers))
    app.include_router(
        why_routes(SqlExplanations(Epochs(runtime.database), keeper, load_policy_texts, runtime.clock))
    )
    app.include_router(api.account_routes(answers))
    app.include_router(api.parked_routes(answers))
    app.include_router(policies.policy_routes(versions))
    compared = SqlDifferences(runtime.database, keeper, load_policy_texts, runtime.clock)
    app.include_router(comparing.diff_routes(compared))
    app.include_router(policies.program_routes(SqlPrograms(runtime.database)))
    app.include_router(
        api.key_routes(SqlKeys(runtime.database, runtime.outbox, runtime.relay, runtime.clock))
    )
    app.include_router(dead_letter_routes(runtime.database, runtime.outbox))
    return app


def findings(policy: Policy) -> list[dict[str, object]]:
    """What the linter has to say, as the API tells it."""
    return [each.document() for each in lint(policy)]


def requirements() -> str:
    """The page of what the shipped policy is shown to do."""
    policy = load_policy(settings.SHIPPED)
    outcomes = [run(policy, case) for case in read_tests(texts_of_tests(settings.SHIPPED), policy, told)]
    return requirements_page(policy, outcomes)


PAGES = {"schema": policy_schema, "reference": policy_reference, "requirements": requirements}


TOOLS = cli.Tools(
    refused=PolicyRefused,
    pages=PAGES,
    load=load_policy,
    tests=lambda path, policy: read_tests(texts_of_tests(path), policy, told),
    policy_of=policy_beside,
    book=offline_book,
)


def unwired() -> FastAPI:
    """The app with nothing behind it, for its OpenAPI document."""
    runtime = unplugged("rules_engine")
    return make(
        runtime, always_ready, BenchKeeper(Epochs(runtime.database), load_policy_texts, runtime.clock)
    )


def main() -> None:
    run_command(
        "rules_engine",
        {
            "serve": lambda _: serve(IDENTITY, build),
            "openapi": lambda _: print_openapi(unwired()),
            "policy": lambda words: sys.exit(cli.policy(words, TOOLS)),
        },
    )
