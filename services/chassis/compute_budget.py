"""A share of one processor for work that readers ask for: what goes beyond it is refused until the share has grown again.

A key that may only read must not take the processor from the work of the service. All times are real.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Generator
from typing import ParamSpec, TypeVar

from services.chassis.clock import monotonic

P = ParamSpec("P")
T = TypeVar("T")


class ComputeBudgetSpent(Exception):
    """The work was not begun. `retry_after`: seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(
            f"Too much was asked for: such answers get a share of the processor. Try again in {retry_after} seconds."
        )
        self.retry_after = retry_after


class ComputeBudget:
    """`share`: of the time of one processor; `burst_seconds`: what it saves up while nobody asks."""

    def __init__(self, *, share: float, burst_seconds: float) -> None:
        self._share = share
        self._burst_seconds = burst_seconds
        self._left = burst_seconds
        self._at = monotonic()

    @contextlib.contextmanager
    def measure(self) -> Generator[None]:
        """Charge what this thread computes inside. Raises `ComputeBudgetSpent` when nothing is left.

        Nothing may be awaited inside: that would charge the work of others.
        """
        self._check()
        began = time.thread_time()
        try:
            yield
        finally:
            self._left -= time.thread_time() - began

    def timed(self, function: Callable[P, T]) -> Callable[P, T]:
        """The function, whose time is charged in the thread that runs it."""

        def run(*args: P.args, **kwargs: P.kwargs) -> T:
            with self.measure():
                return function(*args, **kwargs)

        return run

    async def run(self, function: Callable[[], T]) -> T:
        """The function in a thread, as soon as something is left: for one part of a long answer after the other."""
        while True:
            try:
                return await asyncio.to_thread(self.timed(function))
            except ComputeBudgetSpent as spent:
                await asyncio.sleep(spent.retry_after)

    def _check(self) -> None:
        now = monotonic()
        self._left = min(self._burst_seconds, self._left + (now - self._at) * self._share)
        self._at = now
        if self._left <= 0:
            raise ComputeBudgetSpent(int(-self._left / self._share) + 1)
