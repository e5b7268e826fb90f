"""A mix of facts through the rules engine beside the bare loop: generated, or any files of CloudEvents.

    python -m tests.benchmarks mix [--facts FILE ...] [--book FILE ...] [--rounds N] [--events N]

The facts are split into as many parts as there are rounds, in their order; the service clock of a round stands a minute
after the newest fact so far. What the files of `--book` tell is taken in before the first round and not measured.
"""

import argparse
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from services.chassis.collector import spare_the_collector
from services.chassis.kafka import Message
from services.chassis.settings import Kafka
from services.rules_engine.domain.account import event_identity
from tests.benchmarks.bare import BareLoop
from tests.benchmarks.engine import ACCOUNTS, EngineBenchmark, open_benchmark
from tests.benchmarks.events import portfolio
from tests.benchmarks.figures import Figure, ratio_of_rounds
from tests.benchmarks.mixed_events import Mix, newest_of, read_facts
from tests.stack import Stack

LEAST_RATIO: Final = 0.45
LONGEST_MS: Final = 250.0
HISTORY_DAYS: Final = 7
"""Of daily usage reports in the generated book."""
WITHOUT_RECEIPT: Final = """
SELECT count(*) FROM unnest($1::bytea[]) AS sent (identity)
WHERE NOT EXISTS (SELECT FROM receipt WHERE receipt.identity = sent.identity)
"""
STATE_BYTES: Final = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY octet_length(state))::bigint AS median,
       pg_total_relation_size('account') AS stored
FROM account
"""


async def run(stack: Stack, arguments: argparse.Namespace) -> list[Figure]:
    """Prints a line a round and what was not acknowledged; answers the medians."""
    kafka = Kafka(bootstrap_servers=stack.kafka.bootstrap)
    rounds: list[dict[str, float]] = []
    unacknowledged, longest = 0, 0.0
    async with _opened(stack.postgres.url, kafka) as benchmark:
        benchmark.database_pid = stack.postgres.pid
        for number, messages in enumerate(_workload(arguments)):
            found = await _round(benchmark, messages)
            unacknowledged += await _without_receipt(benchmark, messages)
            longest = max(longest, found.get("engine_longest_ms", 0.0))
            if number:
                rounds.append(found)
                print(_line(found), flush=True)
        unacknowledged += benchmark.producer.unacknowledged
        (size,) = await benchmark.database.pool.fetch(STATE_BYTES)
    print(f"state {size['median']} bytes in the median, table {size['stored'] >> 20} MB")
    print(f"unacknowledged {unacknowledged}", flush=True)
    return figures_of(rounds, unacknowledged, longest)


def figures_of(rounds: Sequence[dict[str, float]], unacknowledged: int, longest_ms: float) -> list[Figure]:
    """The ratio, and the limits of issue 11, A5, which concern the book too."""
    engine, bare = ([each[name] for each in rounds] for name in ("engine", "bare"))
    return [
        Figure(
            "a mix of facts through the rules engine",
            median(engine),
            median(bare),
            ratio_of_rounds(engine, bare),
            "/s",
            "the same loop, nothing decided",
            at_least=LEAST_RATIO,
            more={"rounds": rounds},
        ),
        Figure(
            "the same: records and facts that were not acknowledged", unacknowledged, 0, unacknowledged, "",
            "the limit", at_most=0,
        ),
        Figure(
            "the same: the longest stretch of the event loop, of processor time", longest_ms, LONGEST_MS,
            longest_ms / LONGEST_MS, "ms", "the limit", at_most=1.0,
        ),
    ]  # fmt: skip


def _workload(arguments: argparse.Namespace) -> Iterator[list[Message]]:
    """The book, then the facts of each round."""
    count, rounds = (5_000, 1) if arguments.quick else (arguments.mixed, arguments.rounds)
    if arguments.facts:
        yield [*read_facts(arguments.book or [])]
        facts = [*read_facts(arguments.facts)]
        size = -(-len(facts) // rounds)
        yield from (facts[at : at + size] for at in range(0, len(facts), size))
        return
    accounts, days = (1_000, 1) if arguments.quick else (ACCOUNTS, HISTORY_DAYS)
    mix = Mix(accounts)
    yield [*portfolio(accounts), *mix.history(days)]
    for _ in range(rounds):
        yield [*mix.take(count)]


@asynccontextmanager
async def _opened(url: str, kafka: Kafka) -> AsyncGenerator[EngineBenchmark]:
    benchmark = await open_benchmark(url, kafka)
    spare_the_collector()
    try:
        yield benchmark
    finally:
        await benchmark.producer.stop()
        await benchmark.database.close()


async def _round(benchmark: EngineBenchmark, messages: Sequence[Message]) -> dict[str, float]:
    if not messages:
        return {}
    await benchmark.produce(messages)
    for table in ("account", "bare_account"):
        await benchmark.database.pool.execute(f"VACUUM ANALYZE {table}", timeout=120)
    engine = await benchmark.engine(_clock_of(messages))
    found = await benchmark.beside(engine, BareLoop(benchmark.outbox), len(messages))
    return {**found, "ratio": found["engine"] / found["bare"]}


def _clock_of(messages: Sequence[Message]) -> datetime:
    return newest_of(messages) + timedelta(minutes=1)


async def _without_receipt(benchmark: EngineBenchmark, messages: Sequence[Message]) -> int:
    """How many facts the engine has no receipt of."""
    named = [dict(message.headers) for message in messages]
    identities = [event_identity(each["ce_source"].decode(), each["ce_id"].decode()) for each in named]
    return int(await benchmark.database.pool.fetchval(WITHOUT_RECEIPT, identities, timeout=120))


def _line(found: dict[str, float]) -> str:
    return (
        f"ratio {found['ratio']:.3f}   engine {found['engine']:,.0f}/s, {found['engine_cpu_us']:.0f} us of Python and "
        f"{found['engine_database_us']:.0f} us of PostgreSQL an event, {found['engine_batch']:.0f} events a batch, "
        f"longest stretch {found['engine_longest_ms']:.0f} ms, {found['plans']:.0f} plans; bare {found['bare']:,.0f}/s, "
        f"{found['bare_cpu_us']:.0f} us and {found['bare_database_us']:.0f} us"
    )
