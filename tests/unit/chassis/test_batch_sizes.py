"""Batches are as large as their computation allows."""

import asyncio
import time

import pytest

from services.chassis.batch_sizes import FIRST, LEAST, LONG_STRETCH_SECONDS, MOST, BatchSizes
from services.chassis.measured import Measured


async def compute(*stretches: float) -> None:
    for seconds in stretches:
        until = time.thread_time() + seconds
        while time.thread_time() < until:
            pass
        await asyncio.sleep(0)


async def test_what_is_measured_is_the_processor_time_between_the_waits_of_a_coroutine() -> None:
    batch = Measured(compute(0.01, 0.03, 0.01))
    await asyncio.gather(compute(0.2), _await(batch))
    assert 0.05 <= batch.seconds < 0.15
    assert 0.03 <= batch.longest < 0.1


async def test_errors_and_cancellation_reach_the_coroutine_that_is_measured() -> None:
    ended: list[str] = []

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("why")

    async def wait() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            ended.append("wait")

    with pytest.raises(ValueError, match="why"):
        await Measured(fail())
    task = asyncio.create_task(_await(Measured(wait())))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["wait"]


async def test_light_batches_grow_and_heavy_ones_shrink() -> None:
    sizes = BatchSizes()
    light, heavy = Measured(compute(0.0)), Measured(compute(LONG_STRETCH_SECONDS * 1.2))
    await light
    await heavy
    for _ in range(10):
        sizes.adapt("a", sizes.of("a"), light)
    assert (sizes.of("a"), sizes.of("b")) == (MOST, FIRST)
    sizes.adapt("a", 1000, heavy)  # less than it might have had
    assert sizes.of("a") == 500
    sizes.adapt("a", 10, light)  # says nothing of larger ones
    assert sizes.of("a") == 500
    for _ in range(10):
        sizes.adapt("a", sizes.of("a"), heavy)
    assert sizes.of("a") == LEAST


async def _await(batch: Measured[None]) -> None:
    await batch
