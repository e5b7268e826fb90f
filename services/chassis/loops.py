"""A loop: one pass after another, started by `wake()`, `look()` or after its interval, stopped between passes."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from services.chassis.database import INFRASTRUCTURE
from services.chassis.outages import OUTAGES
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
    for the loop's interval. A pass that raises is counted and retried after a growing pause; while a part is away that
    is one line in the log for all loops, any other error is logged each time.
    """

    def __init__(
        self,
        name: str,
        *,
        interval: float,
        run_once: Callable[[], Awaitable[float | None]],
        is_busy: Callable[[], bool] = lambda: False,
        work: str | None = None,
    ) -> None:
        """`is_busy`: whether work goes on that a pass only started.

        `work`: an SQL condition under which a pass may find something to do; NULL is false, `$1` the time by the service
        clock. The poll of the service asks it for all loops (`services.chassis.work_poll`).
        """
        self.name = name
        self.work = work
        self._is_busy = is_busy
        self._is_resting = False
        self._interval = interval
        self.run_once = run_once
        self._is_woken = False
        self._called = asyncio.Event()
        self._stopping = asyncio.Event()

    def wake(self) -> None:
        """Begin a pass: there is work."""
        self._is_woken = True
        self._called.set()

    def look(self) -> None:
        """Begin a pass: there may be work. The rest ends only if it finds some."""
        self._called.set()

    def is_at_rest(self) -> bool:
        """Whether the last pass found nothing more to do, and nobody has woken the loop since."""
        return self._is_resting and not self._is_woken and not self._is_busy()

    def stop(self) -> None:
        self._stopping.set()
        self._called.set()

    async def run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            # A look that nobody asked for does not end the rest, unless it finds work.
            self._is_resting = self._is_resting and not self._is_woken
            self._is_woken = False
            self._called.clear()
            try:
                pause = await self.run_once()
            except Exception as problem:  # noqa: BLE001 - logged, and tried again
                failures += 1
                self._is_resting = False
                self._report(problem, failures)
                retry = min(0.1 * 2**failures, self._interval, LONGEST_RETRY_SECONDS)
                await wait_for_event(self._stopping, retry)
                continue
            failures = 0
            OUTAGES.works(self.name)
            seconds = self._interval if pause is None else min(pause, self._interval)
            self._is_resting = seconds > 0
            if seconds > 0:
                await wait_for_event(self._called, seconds)
            else:
                await asyncio.sleep(0)

    def _report(self, problem: Exception, failures: int) -> None:
        METRICS.loop_failures.labels(self.name).inc()
        if OUTAGES.report(self.name, problem):
            return
        if isinstance(problem, INFRASTRUCTURE):
            log.warning("loop.interrupted", loop=self.name, problem=repr(problem))
        else:
            log.error("loop.failed", loop=self.name, failures=failures, exc_info=problem)
