"""What the monitor of the event loop counts: what the process itself computes without a pause."""

import asyncio
import contextlib
import time

from prometheus_client import REGISTRY

from services.chassis.loop_monitor import LONG_SECONDS, TICK_SECONDS, LoopMonitor


def counted() -> float:
    return REGISTRY.get_sample_value("drumbeat_event_loop_long_computations_total") or 0.0


async def watched(hold_seconds: float, *, computes: bool) -> LoopMonitor:
    """A monitor after the loop was held for so long once, by computing or by waiting."""
    monitor = LoopMonitor()
    task = asyncio.create_task(monitor.run())
    await asyncio.sleep(0)
    if computes:
        until = time.thread_time() + hold_seconds
        while time.thread_time() < until:
            pass
    else:
        time.sleep(hold_seconds)
    await asyncio.sleep(2 * TICK_SECONDS)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return monitor


async def test_a_long_computation_is_counted() -> None:
    before = counted()
    monitor = await watched(LONG_SECONDS + TICK_SECONDS + 0.1, computes=True)
    assert counted() == before + 1
    assert monitor.longest_computation > LONG_SECONDS


async def test_time_in_which_the_process_did_not_compute_is_a_stall_and_no_computation() -> None:
    before = counted()
    monitor = await watched(LONG_SECONDS + TICK_SECONDS + 0.1, computes=False)
    assert counted() == before
    assert monitor.longest_stall > LONG_SECONDS
