"""A worker process for work that may hold a processor for seconds: one job at a time, limited in time and memory.

The process starts with the first job and stays. Jobs and answers are frames on its standard input and output: eight bytes
of length, then a pickle. A job over its time is killed; the next one gets a new process.
"""

import asyncio
import contextlib
import os
import pickle
import resource
import signal
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Callable
from importlib import import_module
from typing import Any, BinaryIO, ParamSpec, TypeVar, cast

from services.chassis.clock import monotonic
from services.chassis.collector import spare_the_collector

P = ParamSpec("P")
T = TypeVar("T")
_LENGTH = struct.Struct(">Q")
_NICE = 5
"""The service's own work comes first."""


class WorkerBusy(Exception):
    """The job was not taken: too many wait already. `retry_after`: seconds."""

    def __init__(self, waiting: int, retry_after: int) -> None:
        super().__init__(f"{waiting} such checks wait already. Try again in {retry_after} seconds.")
        self.retry_after = retry_after


class JobTooLarge(Exception):
    """The job was ended at its limit of time or memory; the message says which."""


class WorkerProcess:
    """One process. `seconds` and `megabytes`: of a job; `most_waiting`: jobs that wait.

    `module`: what the process imports at its start, which counts for no job.
    """

    def __init__(
        self, *, seconds: float, megabytes: int, most_waiting: int, module: str = "builtins"
    ) -> None:
        self._seconds = seconds
        self._megabytes = megabytes
        self._most_waiting = most_waiting
        self._module = module
        self._waiting = 0
        self._lock = asyncio.Lock()
        self._process: Process | None = None

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a function of a module. Raises `WorkerBusy`, `JobTooLarge`, and what the function raises."""
        async with self.reserve() as reserved:
            return await reserved.call(function, *args, **kwargs)

    @contextlib.asynccontextmanager
    async def reserve(self) -> AsyncGenerator["Reservation"]:
        """The process for several calls, which share its memory and one limit of time. Raises `WorkerBusy`."""
        if self._waiting > self._most_waiting:
            raise WorkerBusy(self._most_waiting, max(1, int(self._seconds / 2)))
        self._waiting += 1
        try:
            async with self._lock:
                process = await self._start()
                yield Reservation(self, process, monotonic() + self._seconds)
        finally:
            self._waiting -= 1

    async def ask(
        self, process: Process, job: tuple[Callable[..., object], Any, Any], deadline: float
    ) -> object:
        """One call; whatever goes wrong with the process itself, the next reservation gets a new one."""
        left = deadline - monotonic()
        try:
            async with asyncio.timeout(max(left, 0.0)):
                answer = await _exchange(process, (*job, left))
        except TimeoutError:
            await self.close()
            raise JobTooLarge(f"it took longer than {self._seconds:g} seconds") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            await self.close()
            raise JobTooLarge(
                f"it ended early: it needs more than {self._seconds:g} seconds or {self._megabytes} MB"
            ) from None
        except BaseException:
            await self.close()
            raise
        succeeded, result = cast("tuple[bool, object]", pickle.loads(answer))  # noqa: S301 - our own process
        if succeeded:
            return result
        if isinstance(result, MemoryError):
            await self.close()
            raise JobTooLarge(f"it needs more than {self._megabytes} MB") from None
        assert isinstance(result, Exception)  # noqa: S101
        raise result

    async def _start(self) -> Process:
        """The process, ready for a job. Raises `JobTooLarge` when it cannot start within `megabytes`."""
        if self._process is None or self._process.returncode is not None:
            arguments = ("-m", "services.chassis.worker_process", str(self._megabytes), self._module)
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *arguments, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
            )
            try:
                await _receive(self._process)
            except BaseException as problem:
                await self.close()
                if isinstance(problem, asyncio.IncompleteReadError):
                    raise JobTooLarge(f"its process cannot start within {self._megabytes} MB") from problem
                raise
        return self._process

    async def close(self) -> None:
        """Kill the process."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


class Reservation:
    """Calls that run one after the other in the process, until the deadline (monotonic seconds)."""

    def __init__(self, worker: WorkerProcess, process: Process, deadline: float) -> None:
        self._worker = worker
        self._process = process
        self._deadline = deadline

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return cast("T", await self._worker.ask(self._process, (function, args, kwargs), self._deadline))


async def _exchange(process: Process, job: object) -> bytes:
    assert process.stdin is not None  # noqa: S101
    content = pickle.dumps(job)
    process.stdin.write(_LENGTH.pack(len(content)) + content)
    await process.stdin.drain()
    return await _receive(process)


async def _receive(process: Process) -> bytes:
    assert process.stdout is not None  # noqa: S101
    (length,) = _LENGTH.unpack(await process.stdout.readexactly(_LENGTH.size))
    return await process.stdout.readexactly(length)


def serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    """Work until the other side ends. The kernel ends a job whose service died or forgot it."""
    while len(head := jobs.read(_LENGTH.size)) == _LENGTH.size:
        function, args, kwargs, seconds = pickle.loads(jobs.read(_LENGTH.unpack(head)[0]))  # noqa: S301
        signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001) + 1)
        content = _answer(function, args, kwargs)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(answers, content)


def _send(answers: BinaryIO, content: bytes) -> None:
    answers.write(_LENGTH.pack(len(content)) + content)
    answers.flush()


def _answer(function: Callable[..., object], args: Any, kwargs: Any) -> bytes:
    try:
        return pickle.dumps((True, function(*args, **kwargs)))
    except MemoryError:
        return pickle.dumps((False, MemoryError()))
    except Exception as problem:  # noqa: BLE001 - it is raised on the other side
        return pickle.dumps((False, problem))


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a job prints is no answer
    os.nice(_NICE)
    limit = int(sys.argv[1]) << 20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    import_module(sys.argv[2])
    spare_the_collector()
    _send(answers, b"")  # ready
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
