"""A loop: one pass after another, started by `wake()` or after its interval, stopped between passes."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from services.chassis.database import INFRASTRUCTURE
from services.chassis.telemetry import METRICS

log = structlog.get_logger(__name__)

LONGEST_RETRY_SECONDS = 5.0


async def wait_for_event(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, `seconds` at most."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


class Loop:
    """Runs `run_once` until it is stopped.

    `run_once` returns how many real seconds may pass until the next pass: 0 when there is more to do, None
    for the loop's interval. A pass that raises is logged, counted and retried after a growing pause.
    """

    def __init__(
        self,
        name: str,
        *,
        interval: float,
        run_once: Callable[[], Awaitable[float | None]],
        is_busy: Callable[[], bool] = lambda: False,
    ) -> None:
        """`is_busy`: whether work goes on that a pass only started."""
        self.name = name
        self._is_busy = is_busy
        self._is_resting = False
        self._interval = interval
        self.run_once = run_once
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def is_at_rest(self) -> bool:
        """Whether the last pass found nothing more to do, and nobody has woken the loop since."""
        return self._is_resting and not self._woken.is_set() and not self._is_busy()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()

    async def run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            # A look that nobody asked for does not end the rest, unless it finds work.
            self._is_resting = self._is_resting and not self._woken.is_set()
            self._woken.clear()
            try:
                pause = await self.run_once()
            except Exception as problem:
                failures += 1
                self._is_resting = False
                METRICS.loop_failures.labels(self.name).inc()
                if isinstance(problem, INFRASTRUCTURE):
                    log.warning("loop.interrupted", loop=self.name, problem=repr(problem))
                else:
                    log.exception("loop.failed", loop=self.name, failures=failures)
                retry = min(0.1 * 2**failures, self._interval, LONGEST_RETRY_SECONDS)
                await wait_for_event(self._stopping, retry)
                continue
            failures = 0
            seconds = self._interval if pause is None else min(pause, self._interval)
            self._is_resting = seconds > 0
            if seconds > 0:
                await wait_for_event(self._woken, seconds)
            else:
                await asyncio.sleep(0)
