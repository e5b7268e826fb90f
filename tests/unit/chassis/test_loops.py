"""When a loop is at rest: its last pass found nothing more to do, and nobody has woken it since."""

import asyncio

from services.chassis.loops import Loop


async def test_a_loop_is_at_rest_after_a_pass_that_found_nothing_until_it_is_woken() -> None:
    passes: list[float | None] = [0, None, None]
    reached = asyncio.Event()

    async def run_once() -> float | None:
        if len(passes) == 1:
            reached.set()
        return passes.pop(0) if passes else None

    loop = Loop("test", interval=60, run_once=run_once)
    assert not loop.is_at_rest()
    running = asyncio.create_task(loop.run())
    while not loop.is_at_rest():
        await asyncio.sleep(0)
    assert len(passes) == 1, "the pass with more to do was followed by one that found nothing"
    loop.wake()
    assert not loop.is_at_rest()
    await reached.wait()
    while not loop.is_at_rest():
        await asyncio.sleep(0)
    loop.stop()
    await running


async def test_a_loop_whose_work_goes_on_elsewhere_is_not_at_rest() -> None:
    is_busy = True

    async def run_once() -> None:
        return None

    loop = Loop("test", interval=60, run_once=run_once, is_busy=lambda: is_busy)
    running = asyncio.create_task(loop.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not loop.is_at_rest()
    is_busy = False
    assert loop.is_at_rest()
    loop.stop()
    await running
