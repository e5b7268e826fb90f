"""A loop: one pass after another, woken early or after its interval, stopped between passes."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from services.chassis.telemetry import METRICS

log = structlog.get_logger(__name__)

SLOWEST_RETRY = 5.0  # seconds


class Loop:
    """Runs `run_once` for ever.

    `run_once` answers how many real seconds may pass until the next pass: 0 when there is more to do, None
    for the loop's interval. A pass that raises is logged, counted and tried again with a growing pause.
    """

    def __init__(
        self, name: str, *, interval: float, run_once: Callable[[], Awaitable[float | None]]
    ) -> None:
        self.name = name
        self._interval = interval
        self.run_once = run_once
        self._bell = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        self._bell.set()

    def stop(self) -> None:
        self._stopping = True
        self._bell.set()

    async def run(self) -> None:
        failures = 0
        while not self._stopping:
            self._bell.clear()
            try:
                pause = await self.run_once()
                failures = 0
            except Exception:
                failures += 1
                METRICS.loop_failures.labels(self.name).inc()
                log.exception("loop.failed", loop=self.name, failures=failures)
                pause = min(0.1 * 2**failures, SLOWEST_RETRY)
            await self._rest(self._interval if pause is None else min(pause, self._interval))

    async def _rest(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(seconds):
                await self._bell.wait()
        except TimeoutError:
            return
