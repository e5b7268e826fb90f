"""The peer: Procrastinate, a job queue in PostgreSQL, with jobs that do nothing.

As its documents show it: a task, jobs deferred in batches, and one worker that runs them fifty at a time and keeps them.
"""

import time

import asyncpg
from procrastinate import App, PsycopgConnector
from procrastinate.types import JSONDict

BATCH = 1_000
CONCURRENCY = 50
HOURS = 1
"""When the jobs are to run: nobody fetches them meanwhile."""
EMPTY = "TRUNCATE procrastinate_jobs, procrastinate_events RESTART IDENTITY CASCADE"
DUE_NOW = "UPDATE procrastinate_jobs SET scheduled_at = now()"
DONE = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'"


class JobQueue:
    """Its tables in a database of their own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._app = App(connector=PsycopgConnector(conninfo=url, min_size=4, max_size=10))
        self._remind = self._app.task(name="remind", queue="bench")(remind)

    async def open(self) -> None:
        await self._app.open_async()
        await self._app.schema_manager.apply_schema_async()

    async def close(self) -> None:
        await self._app.close_async()

    async def defer(self, count: int) -> float:
        """Jobs a second, deferred into an empty queue in batches."""
        await self._execute(EMPTY, "VACUUM ANALYZE procrastinate_jobs", "CHECKPOINT")
        later = self._remind.configure(schedule_in={"hours": HOURS})
        began = time.perf_counter()
        for first in range(0, count, BATCH):
            jobs: list[JSONDict] = [
                {"account": f"acc-{number:06d}", "number": number} for number in range(first, first + BATCH)
            ]
            await later.batch_defer_async(*jobs)
        return count / (time.perf_counter() - began)

    async def work(self, count: int) -> float:
        """Jobs a second, all due at once, until the last is done."""
        await self._execute(DUE_NOW, "VACUUM ANALYZE procrastinate_jobs", "CHECKPOINT")
        began = time.perf_counter()
        await self._app.run_worker_async(
            queues=["bench"], concurrency=CONCURRENCY, wait=False, install_signal_handlers=False,
            delete_jobs="never",
        )  # fmt: skip
        seconds = time.perf_counter() - began
        connection = await asyncpg.connect(self._url)
        try:
            assert await connection.fetchval(DONE) == count
        finally:
            await connection.close()
        return count / seconds

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            for each in statements:
                await connection.execute(each, timeout=120)
        finally:
            await connection.close()


async def remind(account: str, number: int) -> None:
    del account, number
