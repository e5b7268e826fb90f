"""Several worker processes for jobs that do not depend on each other; each has the limits of one `WorkerProcess`."""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from services.chassis.worker_process import WorkerProcess

J = TypeVar("J")
T = TypeVar("T")


class WorkerPool:
    """`size` processes. `seconds` and `megabytes`: of a job; `most_waiting`: jobs that wait for one process."""

    def __init__(self, size: int, *, seconds: float, megabytes: int, most_waiting: int, module: str) -> None:
        self._workers = [
            WorkerProcess(seconds=seconds, megabytes=megabytes, most_waiting=most_waiting, module=module)
            for _ in range(size)
        ]

    @property
    def size(self) -> int:
        return len(self._workers)

    async def run_all(self, function: Callable[[J], T], jobs: Sequence[J]) -> list[T]:
        """The result of each of at most `size` jobs, in order. Raises what `WorkerProcess.run` raises of the first that fails."""
        results = await asyncio.gather(
            *(worker.run(function, job) for worker, job in zip(self._workers, jobs, strict=False)),
            return_exceptions=True,
        )
        done: list[T] = []
        for result in results:
            if isinstance(result, BaseException):
                raise result
            done.append(result)
        return done

    async def close(self) -> None:
        for worker in self._workers:
            await worker.close()
