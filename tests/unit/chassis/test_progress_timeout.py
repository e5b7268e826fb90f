"""A timeout that begins anew with each sign of progress, up to a limit."""

import asyncio
from collections.abc import Sequence

import pytest

from services.chassis.progress_timeout import ProgressTimeout


async def wait_for(ends: Sequence[float], seconds: float, at_most: float | None) -> bool:
    """Whether all was done: waits for work that ends after so many units of 100 ms, under a timeout in that unit."""
    loop = asyncio.get_running_loop()
    async with ProgressTimeout(seconds / 10, None if at_most is None else at_most / 10) as limit:
        work = [loop.create_future() for _ in ends]
        for each, end in zip(work, ends, strict=True):
            limit.watch(each)
            limit.watch(each)
            loop.call_later(end / 10, each.set_result, None)
        await asyncio.wait(work)
    return all(each.done() for each in work)


@pytest.mark.parametrize(
    ("ends", "seconds", "at_most"),
    [([1], 20, None), ([5, 10, 15, 20, 25], 20, 600), ([18, 36], 20, 600)],
    ids=["in time", "slowly", "each just in time"],
)
async def test_what_makes_progress_is_waited_for(
    ends: list[float], seconds: float, at_most: float | None
) -> None:
    assert await wait_for(ends, seconds, at_most)


@pytest.mark.parametrize(
    ("ends", "seconds", "at_most"),
    [([600], 2, None), ([1, 600], 3, None), ([1, 2, 3, 600], 3, 600), ([1, 2, 3, 4, 5, 6, 7, 600], 3, 5)],
    ids=["none", "none is asked for", "no more", "too long"],
)
async def test_what_makes_none_or_takes_too_long_is_given_up(
    ends: list[float], seconds: float, at_most: float | None
) -> None:
    began = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        await wait_for(ends, seconds, at_most)
    assert asyncio.get_running_loop().time() - began < 30


async def test_what_ends_afterwards_changes_nothing() -> None:
    late: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    problems: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
    async with ProgressTimeout(60, 60) as limit:
        limit.watch(late)
    late.set_result(None)
    await asyncio.sleep(0.01)
    assert problems == []
