"""Jobs of the worker process: their results and errors come back, and their limits hold."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncGenerator

import pytest

from services.chassis.worker_process import JobTooLarge, WorkerBusy, WorkerProcess


@pytest.fixture
async def worker() -> AsyncGenerator[WorkerProcess]:
    made = WorkerProcess(seconds=8, megabytes=256, most_waiting=1)
    yield made
    await made.close()


async def test_a_job_runs_in_another_process_that_stays_for_the_next(worker: WorkerProcess) -> None:
    first = await worker.run(os.getpid)
    assert first != os.getpid()
    assert await worker.run(os.getpid) == first


async def test_what_a_job_raises_is_raised_here(worker: WorkerProcess) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        await worker.run(int, "x")
    assert await worker.run(int, "7") == 7


async def test_a_job_over_its_time_is_ended_and_the_event_loop_goes_on_meanwhile() -> None:
    worker = WorkerProcess(seconds=1.5, megabytes=256, most_waiting=1)
    turns, job = (
        0,
        asyncio.create_task(worker.run(pow, 3, 10**9)),
    )  # one call in C, which no signal handler interrupts
    while not job.done():
        await asyncio.wait([job], timeout=0.01)
        turns += 1
    with pytest.raises(JobTooLarge, match="longer than"):
        await job
    assert turns > 50
    assert await worker.run(abs, -1) == 1, "the next job gets a new process"
    await worker.close()


async def test_a_job_over_its_memory_is_ended(worker: WorkerProcess) -> None:
    with pytest.raises(JobTooLarge, match="256 MB"):
        await worker.run(bytearray, 1 << 30)
    assert await worker.run(abs, -1) == 1


async def test_a_process_that_dies_fails_its_job_alone(worker: WorkerProcess) -> None:
    with pytest.raises(JobTooLarge, match="ended early"):
        await worker.run(os.abort)
    assert await worker.run(abs, -1) == 1


async def test_a_process_spares_the_collector_as_services_do(worker: WorkerProcess) -> None:
    assert await worker.run(gc.get_threshold) == (100_000, 20, 20)
    assert await worker.run(gc.get_freeze_count) > 1000


async def test_what_a_job_prints_is_no_answer(worker: WorkerProcess) -> None:
    assert await worker.run(print, "x" * 100) is None
    assert await worker.run(abs, -1) == 1


async def test_no_more_jobs_wait_than_allowed(worker: WorkerProcess) -> None:
    jobs = [asyncio.create_task(worker.run(time.sleep, 0.3)) for _ in range(4)]
    done = await asyncio.gather(*jobs, return_exceptions=True)
    refused = [job for job in done if isinstance(job, WorkerBusy)]
    assert len(refused) == 2, "one works, one waits"
    assert refused[0].retry_after >= 1
