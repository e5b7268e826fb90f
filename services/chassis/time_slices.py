"""Long computations give up the event loop in between, so that leases, acknowledgements and requests get their turn.

All computations of a process share one time slice for each turn of the loop: with a slice each, several batches at once
would make a turn as long as all of them. Whoever comes first gets the slice and ends first.

Requests that somebody waits for (`answer_first`) come before work that can wait: while they compute, a slice is short,
and they get three times as much before the next one. Where they have nothing to do no time is lost. While they are many
they wait for others, too, and a turn without them is no sign that nobody needs the loop: work goes on when there were
none for a moment.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable
from time import perf_counter, thread_time
from typing import Any, Final, TypeVar

from services.chassis.measured import Measured

T = TypeVar("T")

SLICE_SECONDS: Final = 0.02
SHORT_SLICE_SECONDS: Final = 0.005
SHARE_OF_REQUESTS: Final = 3  # of the time of each short slice
RECENT_SECONDS: Final = 0.1  # since the last request that computed: slices are long again
WINDOW_SECONDS: Final = 0.05  # of processor time, over which the share of requests is measured
MANY: Final = 0.2  # of that time: there are many requests
QUIET_SECONDS: Final = 0.004  # without a request that computes, while there are many: work goes on


class _TimeSlice:
    """The turn of the loop that is under way: the moment at which its slice ends."""

    def __init__(self) -> None:
        self.ends_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    def expect_next(self) -> None:
        """Begin another slice with the next turn of the loop, before anything that waits for it."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._loop = None
        now = perf_counter()
        self.ends_at = now + (SHORT_SLICE_SECONDS if _REQUESTS.are_recent(now) else SLICE_SECONDS)


class _Requests:
    """`seconds`: the processor time that requests had so far."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._last_at = float("-inf")
        self._window_began = (0.0, 0.0)  # processor time of the loop, and of requests, until then
        self._share = 0.0

    def note(self, seconds: float) -> None:
        self.seconds += seconds
        self._last_at = perf_counter()
        loop_seconds = thread_time()
        before, requests_before = self._window_began
        if loop_seconds - before >= WINDOW_SECONDS:
            self._share = (self.seconds - requests_before) / (loop_seconds - before)
            self._window_began = (loop_seconds, self.seconds)

    def are_recent(self, now: float) -> bool:
        return now - self._last_at < RECENT_SECONDS

    def are_many(self) -> bool:
        """Whether they had a good part of what the loop computed lately."""
        return self._share >= MANY and self.are_recent(perf_counter())


_SLICE, _REQUESTS = _TimeSlice(), _Requests()


async def answer_first(request: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine before which other work gives way."""
    return await Measured(request, _REQUESTS.note)


async def yield_if_long() -> None:
    """Wait for the next turn of the event loop, if this one has lasted for its slice."""
    if perf_counter() >= _SLICE.ends_at:
        _SLICE.expect_next()
        await asyncio.sleep(0)


async def pause_if_long() -> None:
    """The same for work that can wait: it goes on when requests had their share, or for a moment nothing to compute."""
    if perf_counter() < _SLICE.ends_at:
        return
    enough = _REQUESTS.seconds + SHARE_OF_REQUESTS * SHORT_SLICE_SECONDS
    while True:
        before = _REQUESTS.seconds
        if _REQUESTS.are_many():
            await asyncio.sleep(QUIET_SECONDS)
        _SLICE.expect_next()
        await asyncio.sleep(0)
        if _REQUESTS.seconds == before or _REQUESTS.seconds >= enough:
            return


async def in_slices(items: Iterable[T]) -> AsyncGenerator[T]:
    """The items, with a pause between two where one is due."""
    for item in items:
        await pause_if_long()
        yield item
