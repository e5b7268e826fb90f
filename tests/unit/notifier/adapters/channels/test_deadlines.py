"""A deadline cancels what is late, at its own moment, and nothing else."""

import asyncio

import pytest

from services.notifier.adapters.channels.deadlines import Deadlines

SECONDS = 0.1


async def attempt(deadlines: Deadlines, ends: "asyncio.Future[None]") -> str:
    """Wait under a deadline; a cancellation by anybody else goes on."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    deadlines.begin(loop, task)
    try:
        await ends
    except asyncio.CancelledError:
        if deadlines.has_expired(task):
            return "late"
        raise
    finally:
        deadlines.end(task)
    return "done"


async def test_each_attempt_is_cancelled_at_its_own_deadline() -> None:
    deadlines, loop = Deadlines(SECONDS), asyncio.get_running_loop()
    began = loop.time()
    first = asyncio.create_task(attempt(deadlines, loop.create_future()))
    in_time: asyncio.Future[None] = loop.create_future()
    second = asyncio.create_task(attempt(deadlines, in_time))
    loop.call_later(SECONDS / 2, in_time.set_result, None)

    assert await second == "done"
    third = asyncio.create_task(attempt(deadlines, loop.create_future()))
    done, _ = await asyncio.wait([first, third], return_when=asyncio.FIRST_COMPLETED)
    assert done == {first}
    assert await first == "late"
    assert loop.time() - began >= SECONDS
    assert await third == "late"
    assert loop.time() - began >= SECONDS * 1.5


async def test_a_task_goes_on_with_attempts_after_a_late_one() -> None:
    deadlines, loop = Deadlines(SECONDS), asyncio.get_running_loop()

    async def two() -> list[str]:
        in_time: asyncio.Future[None] = loop.create_future()
        late = await attempt(deadlines, loop.create_future())
        loop.call_soon(in_time.set_result, None)
        return [late, await attempt(deadlines, in_time)]

    assert await asyncio.create_task(two()) == ["late", "done"]


async def test_a_cancellation_by_somebody_else_stays_one() -> None:
    deadlines, loop = Deadlines(SECONDS), asyncio.get_running_loop()
    task = asyncio.create_task(attempt(deadlines, loop.create_future()))
    loop.call_soon(task.cancel)

    with pytest.raises(asyncio.CancelledError):
        await task
