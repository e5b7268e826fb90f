"""Measures how long the event loop is held: while it is, no lease is renewed and no acknowledgement is read.

A timer that fires late shows a stall. The stall's length by the wall clock includes the time for which the machine ran
other processes; the processor time of this thread in the same span is what was computed here.
"""

import asyncio
import time

from services.chassis.clock import monotonic
from services.chassis.telemetry import METRICS

TICK_SECONDS = 0.1
LONG_SECONDS = 0.25  # computed in one stretch: leases and acknowledgements wait for it


class LoopMonitor:
    """`longest_stall` and `longest_computation` are in seconds, since the monitor started."""

    def __init__(self) -> None:
        self.longest_stall = 0.0
        self.longest_computation = 0.0

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            began, computed = monotonic(), time.thread_time()
            await asyncio.sleep(TICK_SECONDS)
            self._observe(monotonic() - began - TICK_SECONDS, time.thread_time() - computed)

    def _observe(self, stall: float, computed: float) -> None:
        METRICS.stalls.observe(max(0.0, stall))
        self.longest_stall = max(self.longest_stall, stall)
        computation = min(stall, computed)
        if computation > LONG_SECONDS:
            METRICS.long_computations.inc()
        self.longest_computation = max(self.longest_computation, computation)
        METRICS.longest_stall.set(self.longest_stall)
        METRICS.longest_computation.set(self.longest_computation)
