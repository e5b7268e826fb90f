"""Several worker processes for jobs that do not depend on each other; each has the limits of one `WorkerProcess`."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import ParamSpec, TypeVar

from services.chassis.worker_process import Reservation, WorkerProcess

J = TypeVar("J")
P = ParamSpec("P")
T = TypeVar("T")


class WorkerPool:
    """`size` processes. `seconds` and `megabytes`: of a job; `most_waiting`: jobs that wait for one process."""

    def __init__(self, size: int, *, seconds: float, megabytes: int, most_waiting: int, module: str) -> None:
        self._workers = [
            WorkerProcess(seconds=seconds, megabytes=megabytes, most_waiting=most_waiting, module=module)
            for _ in range(size)
        ]

    async def run_all(self, function: Callable[[J], T], jobs: Sequence[J]) -> list[T]:
        """The result of each of at most `size` jobs, in order. Raises what `WorkerProcess.run` raises."""
        return await _gather(
            [worker.run(function, job) for worker, job in zip(self._workers, jobs, strict=False)]
        )

    @contextlib.asynccontextmanager
    async def reserve(self) -> AsyncGenerator["PoolReservation"]:
        """All processes for several calls. Raises `WorkerBusy`."""
        async with contextlib.AsyncExitStack() as stack:
            # Everybody takes them in the same order, so nobody waits for another in a cycle.
            yield PoolReservation(
                [await stack.enter_async_context(worker.reserve()) for worker in self._workers]
            )

    async def close(self) -> None:
        for worker in self._workers:
            await worker.close()


class PoolReservation:
    """Calls in all processes at the same time."""

    def __init__(self, reserved: Sequence[Reservation]) -> None:
        self._reserved = reserved

    async def call_all(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> list[T]:
        """The same call in each process."""
        return await _gather([each.call(function, *args, **kwargs) for each in self._reserved])

    async def call_each(self, function: Callable[[int, int], T]) -> list[T]:
        """A call in each process with its number, from 0, and how many there are."""
        size = len(self._reserved)
        return await _gather(
            [each.call(function, number, size) for number, each in enumerate(self._reserved)]
        )


async def _gather(calls: Sequence[Awaitable[T]]) -> list[T]:
    """All results; when one fails, the others are waited for before its exception is raised."""
    done: list[T] = []
    for result in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done
