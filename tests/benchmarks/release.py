"""Release of what is due, at the top of the hour, beside a bare SKIP LOCKED loop; shallow and deep calendars.

In the end what has come due of the deep one is listed.
"""

import time
from collections.abc import Awaitable
from datetime import timedelta
from statistics import median

import orjson

from services.chassis.clock import ServiceClock, real_now
from services.chassis.database import Connection, Database
from services.chassis.loops import Loop
from services.chassis.outbox import Outbox
from services.chassis.work_poll import FALLBACK_SECONDS
from services.scheduler.adapters.queue_repository import PostgresQueue
from services.scheduler.entrypoints.workers import Releaser
from tests.benchmarks.calendars import DUE, MONDAY, fill, open_copy
from tests.benchmarks.figures import Figure, ratio_of_rounds
from tests.benchmarks.reading import figure_of, read_due
from tests.stack import Stack

BARE = """
CREATE TABLE bare_due (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, account text NOT NULL, payload jsonb NOT NULL,
    status text NOT NULL DEFAULT 'planned', due_at timestamptz NOT NULL, released_at timestamptz
);
CREATE TABLE bare_out (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text NOT NULL, key text NOT NULL,
    payload bytea NOT NULL, at timestamptz NOT NULL DEFAULT now(), sent_at timestamptz
);
CREATE INDEX bare_out_pending ON bare_out (id) WHERE sent_at IS NULL
"""
BARE_FILL = """
INSERT INTO bare_due (account, payload, due_at)
SELECT 'acc-' || i, jsonb_build_object('kind', 'reminder', 'template', 'tpl-' || (i % 40), 'channel', 'email',
    'seq', i, 'text', repeat('x', 120)), now() - random() * interval '1 second'
FROM generate_series(1, $1::int) i
"""
BARE_INDEX = "CREATE INDEX bare_due_planned ON bare_due (due_at) WHERE status = 'planned'"
BARE_CLAIM = """
SELECT id, account, payload::text FROM bare_due WHERE status = 'planned' AND due_at <= now()
ORDER BY due_at LIMIT 500 FOR UPDATE SKIP LOCKED
"""
BARE_RELEASE = "UPDATE bare_due SET status = 'released', released_at = now() WHERE id = ANY($1::bigint[])"
BARE_TELL = (
    "INSERT INTO bare_out (topic, key, payload) SELECT 'release', * FROM unnest($1::text[], $2::bytea[])"
)


class Loops:
    """Both loops, on databases of one server."""

    def __init__(self, shallow: Database, deep: Database) -> None:
        self.shallow = shallow
        self.deep = deep
        self.cpu: dict[str, list[float]] = {}

    async def ours(self, name: str, database: Database, day: int) -> float:
        """Touchpoints a second: everything that is due on this day, by the scheduler's own loop."""
        clock = ServiceClock(MONDAY + timedelta(days=day), real_now(), 1.0)
        released = 0

        def active_steps(what: str, number: int) -> None:
            nonlocal released
            del what
            released += number
            if released >= DUE:
                loop.stop()

        def queue(connection: Connection) -> PostgresQueue:
            return PostgresQueue(connection, outbox, "http://127.0.0.1:8000")

        outbox = Outbox("/bench")
        releaser = Releaser(database, clock, queue, lambda: None, active_steps)
        loop = Loop("release", interval=FALLBACK_SECONDS, run_once=releaser.run_once)
        await database.pool.execute("TRUNCATE outbox")
        seconds = await self._timed(name, loop.run())
        assert await database.pool.fetchval("SELECT count(*) FROM outbox") == released == DUE
        return DUE / seconds

    async def bare(self) -> float:
        await self.shallow.pool.execute("TRUNCATE bare_due, bare_out")
        await self.shallow.pool.execute("DROP INDEX IF EXISTS bare_due_planned")
        await self.shallow.pool.execute(BARE_FILL, DUE)
        await self.shallow.pool.execute(BARE_INDEX)
        await self.shallow.pool.execute("VACUUM ANALYZE bare_due")
        await self.shallow.pool.execute("CHECKPOINT", timeout=120)
        seconds = await self._timed("bare", self._bare())
        assert await self.shallow.pool.fetchval("SELECT count(*) FROM bare_out") == DUE
        return DUE / seconds

    async def _bare(self) -> None:
        async with self.shallow.pool.acquire() as connection:
            while True:
                async with connection.transaction():
                    rows = await connection.fetch(BARE_CLAIM)
                    if not rows:
                        return
                    await connection.execute(BARE_RELEASE, [row[0] for row in rows])
                    bodies = [orjson.dumps(orjson.loads(row[2])) for row in rows]
                    await connection.execute(BARE_TELL, [row[1] for row in rows], bodies)

    async def _timed(self, name: str, work: Awaitable[None]) -> float:
        cpu, began = time.process_time(), time.perf_counter()
        await work
        seconds = time.perf_counter() - began
        self.cpu.setdefault(name, []).append((time.process_time() - cpu) / DUE * 1e6)
        return seconds


async def run(stack: Stack, *, quick: bool, days: int) -> list[Figure]:
    """Rounds of shallow, bare and deep in turn; a calendar has `DUE` planned a day, and one day comes due."""
    url = stack.postgres.url
    shallow, deep = await open_copy(url, "bench_shallow"), await open_copy(url, "bench_deep")
    began = time.perf_counter()
    await fill(url, "bench_deep", 10 if quick else days)
    filled = time.perf_counter() - began
    for statement in BARE.split(";"):
        await shallow.pool.execute(statement)
    loops = Loops(shallow, deep)
    found: dict[str, list[float]] = {"shallow": [], "bare": [], "deep": []}
    for day in range(1 if quick else 5):
        await fill(url, "bench_shallow", 1)
        await loops.shallow.pool.execute("CHECKPOINT", timeout=120)
        found["shallow"].append(await loops.ours("shallow", shallow, 0))
        found["bare"].append(await loops.bare())
        await deep.pool.execute("VACUUM ANALYZE agenda", timeout=120)
        await deep.pool.execute("CHECKPOINT", timeout=120)
        found["deep"].append(await loops.ours("deep", deep, day))
    planned = (10 if quick else days) * DUE
    listed = await read_due(deep, ServiceClock(MONDAY, real_now(), 1.0))
    await shallow.close()
    await deep.close()
    return [*_figures(found, loops.cpu, planned=planned, filled=filled), figure_of(listed, planned)]


def _figures(
    found: dict[str, list[float]], cpu: dict[str, list[float]], *, planned: int, filled: float
) -> list[Figure]:
    rates = {name: median(values) for name, values in found.items()}
    more = {
        "rounds": found,
        "python_cpu_us_per_row": {name: median(values) for name, values in cpu.items()},
        "seconds_to_fill": filled,
    }
    return [
        Figure(
            f"release, {DUE:,} due of {DUE:,} planned", rates["shallow"], rates["bare"],
            ratio_of_rounds(found["shallow"], found["bare"]), "/s",
            "bare SKIP LOCKED loop, 500 at a time", at_least=0.6, more=more,
        ),
        Figure(
            f"release, {DUE:,} due of {planned:,} planned", rates["deep"], rates["shallow"],
            ratio_of_rounds(found["deep"], found["shallow"]), "/s",
            f"the same with {DUE:,} planned", at_least=0.8,
        ),
    ]  # fmt: skip
