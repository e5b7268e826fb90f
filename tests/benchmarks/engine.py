"""Events through the rules engine, Kafka to Kafka, beside the bare loop and two peers in the same run."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import datetime

from schemas.topics import broker_configs
from services.cadence.policy.load import SHIPPED, policy_texts
from services.chassis.batches import Handler, Subscription
from services.chassis.clock import ServiceClock, real_now
from services.chassis.collector import spare_the_collector
from services.chassis.consumer import Consumer
from services.chassis.database import Database, database_url
from services.chassis.kafka import Delivery, Message, Producer
from services.chassis.outbox import Outbox
from services.chassis.relay import Relay
from services.chassis.settings import Kafka
from services.chassis.topics import Cluster, TopicSpec, ensure_topics
from services.rules_engine.adapters.account_repository import AccountUnitOfWork
from services.rules_engine.adapters.active_policy import ActivePolicy
from services.rules_engine.adapters.configuration_repository import ConfigurationRepository, Source
from services.rules_engine.adapters.portfolio_repository import PortfolioRepository
from services.rules_engine.domain.account import BatchCounts
from services.rules_engine.entrypoints.kafka_consumer import EventConsumer
from tests.benchmarks.bare import TABLES, BareLoop
from tests.benchmarks.events import NOW, Scores, portfolio, upon
from tests.benchmarks.figures import cpu_seconds
from tests.benchmarks.peer_faststream import OUT, Peer, Progress

ACCOUNTS = 10_000
FORMS = {"message": 100, "batch": 4}
"""Of how many events a form of the peer is given one: so each takes about as long."""


class CountingProducer(Producer):
    """Counts what the broker did not acknowledge."""

    unacknowledged = 0

    async def deliver(
        self, messages: Sequence[Message], *, seconds: float, at_most: float | None = None
    ) -> list[Delivery]:
        deliveries = await super().deliver(messages, seconds=seconds, at_most=at_most)
        self.unacknowledged += sum(each is not Delivery.ACKNOWLEDGED for each in deliveries)
        return deliveries


class Turns:
    """Watches the event loop: `longest` is the most processor time, in seconds, between two of its own turns.

    The processor time of the loop's thread, because a machine that is shared holds every program up.
    """

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        """Until cancelled."""
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self.longest, before = max(self.longest, now - before), now
            await asyncio.sleep(0.005)
            before = time.thread_time()


class EngineBenchmark:
    """One broker, one database, and runs of either candidate over fresh records."""

    def __init__(self, database: Database, kafka: Kafka, cluster: Cluster) -> None:
        self.database = database
        self.kafka = kafka
        self.cluster = cluster
        self.outbox = Outbox("/bench")
        self.producer = CountingProducer(kafka, client_id="bench")
        self.database_pid: int | None = None
        self.batches = 0
        self.counts = BatchCounts()

    async def produce(self, messages: Iterable[Message]) -> int:
        batch: list[Message] = []
        count = 0
        for message in messages:
            batch.append(message)
            count += 1
            if len(batch) == 5000:
                assert all(await self.producer.send(batch, timeout=60))
                batch = []
        assert all(await self.producer.send(batch, timeout=60))
        return count

    async def engine(self, now: datetime = NOW) -> Handler:
        """The engine's handler, whose service clock shows `now`."""
        clock = ServiceClock(now, real_now(), 1.0)
        active_policy = ActivePolicy(ConfigurationRepository(self.database), clock)
        await active_policy.open(policy_texts(SHIPPED), "bench", "live", Source("bench", shipped=True))
        known: set[str] = set()
        return EventConsumer(
            clock=clock,
            outbox=self.outbox,
            context=active_policy.context,
            work=lambda connection: AccountUnitOfWork(connection, self.outbox, known),
            portfolio=lambda connection: PortfolioRepository(connection, self.outbox),
            count=self.count,
            secrets=(),
        )

    def count(self, topic: str, counts: BatchCounts) -> None:
        del topic
        self.counts.events += counts.events
        self.counts.plans += counts.plans
        self.counts.undecided += counts.undecided

    async def beside(self, engine: Handler, bare: Handler, events: int) -> dict[str, float]:
        """Rates and processor time of both over the records that wait."""
        self.counts = BatchCounts()
        ours = await self._measured("engine", engine, events)
        plans = self.counts.plans
        assert self.counts.undecided == 0
        return {**ours, **await self._measured("bare", bare, events), "plans": plans}

    async def _measured(self, name: str, handler: Handler, events: int) -> dict[str, float]:
        at, of_database = time.process_time(), cpu_seconds(self.database_pid)
        seconds, longest = await self.consume(name, handler, events)
        return {
            name: events / seconds,
            f"{name}_batch": events / self.batches,
            f"{name}_cpu_us": (time.process_time() - at) / events * 1e6,
            f"{name}_database_us": (cpu_seconds(self.database_pid) - of_database) / events * 1e6,
            f"{name}_longest_ms": longest * 1e3,
        }

    async def consume(self, group: str, handler: Handler, count: int) -> tuple[float, float]:
        """Seconds from the first batch to the last outbox row acknowledged, and the longest turn (see `Turns`)."""
        relay = Relay(self.database, self.producer, self.outbox)
        seen, done, began = 0, asyncio.Event(), 0.0
        self.batches = 0

        async def counting(connection: object, records: object, real: object) -> None:
            nonlocal seen, began
            self.batches += 1
            began = began or time.perf_counter()
            await handler(connection, records, real)  # pyright: ignore[reportArgumentType]
            seen += len(records)  # pyright: ignore[reportArgumentType]
            if seen >= count:
                done.set()

        subscription = Subscription(group, ["account.signals", "touchpoint.outcomes"], counting, relay.wake)
        consumer = Consumer(
            database=self.database, kafka=self.kafka, cluster=self.cluster, outbox=self.outbox, owner="bench",
            subscription=subscription,
        )  # fmt: skip
        tasks, turns = [asyncio.create_task(consumer.run()), asyncio.create_task(relay.run())], Turns()
        watching = asyncio.create_task(turns.run())
        await done.wait()
        while await self.database.pool.fetchval("SELECT EXISTS (SELECT 1 FROM outbox)"):
            await asyncio.sleep(0.005)
        seconds = time.perf_counter() - began
        consumer.stop()
        relay.stop()
        watching.cancel()
        await asyncio.gather(*tasks)
        return seconds, turns.longest


async def open_benchmark(url: str, kafka: Kafka, topics: Sequence[str] = ()) -> EngineBenchmark:
    """With the topics of the product and these, and the tables of the bare loop."""
    specs = [TopicSpec(name, configs) for name, configs in broker_configs()]
    cluster = await ensure_topics(kafka, [*specs, *map(TopicSpec, topics)])
    database = await Database.open(url, "drumbeat_rules", pool_size=8)
    for statement in TABLES.split(";"):
        if statement.strip():
            await database.pool.execute(statement)
    return EngineBenchmark(database, kafka, cluster)


async def measure(url: str, kafka: Kafka, *, events: int, rounds: int) -> list[dict[str, float]]:
    """Rounds of engine, bare loop and both peers in turn, each over fresh records; fewer for those that are slow."""
    topics = [OUT, *(_topic(form, each) for form in FORMS for each in range(rounds))]
    benchmark = await open_benchmark(url, kafka, topics)
    database = benchmark.database
    peer = Peer(database_url(url, "drumbeat_rules"), kafka.bootstrap_servers or "", NOW)
    await peer.open(portfolio(ACCOUNTS))
    described = await benchmark.produce(portfolio(ACCOUNTS))
    engine, bare = await benchmark.engine(), BareLoop(benchmark.outbox)
    await benchmark.consume("engine", engine, described)
    await benchmark.consume("bare", bare, described)
    spare_the_collector()
    found: list[dict[str, float]] = []
    scores, for_peer = Scores(ACCOUNTS), Scores(ACCOUNTS)
    counts = {form: events // share for form, share in FORMS.items()}
    for number in range(rounds):
        await benchmark.produce(scores.take(events))
        for table in ("account", "bare_account", "peer_account"):
            await database.pool.execute(f"VACUUM ANALYZE {table}", timeout=120)
        ours = await benchmark.beside(engine, bare, events)
        for form, count in counts.items():
            await benchmark.produce(upon(_topic(form, number), for_peer.take(count)))
        message = await peer.by_message(_topic("message", number), counts["message"])
        batch = await peer.by_batch(_topic("batch", number), counts["batch"])
        found.append({**ours, **_figures_of("message", message), **_figures_of("batch", batch)})
    await peer.close()
    await benchmark.producer.stop()
    await database.close()
    return found


def _topic(form: str, number: int) -> str:
    return f"peer.{form}.{number}"


def _figures_of(form: str, progress: Progress) -> dict[str, float]:
    return {form: progress.rate, f"{form}_cpu_us": progress.cpu / progress.seen * 1e6}
