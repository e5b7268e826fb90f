"""Long computations give up the event loop in between, so that leases, acknowledgements and requests get their turn.

All computations of a process share one time slice for each turn of the loop: with a slice each, several batches at once
would make a turn as long as all of them. Whoever comes first gets the slice and ends first.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from time import perf_counter
from typing import Final, TypeVar

T = TypeVar("T")

SLICE_SECONDS: Final = 0.02


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
        self.ends_at = perf_counter() + SLICE_SECONDS


_SLICE = _TimeSlice()


async def pause_if_long() -> None:
    """Wait for the next turn of the event loop, if this one has lasted for its slice."""
    if perf_counter() < _SLICE.ends_at:
        return
    _SLICE.expect_next()
    await asyncio.sleep(0)


async def in_slices(items: Iterable[T]) -> AsyncGenerator[T]:
    """The items, with a pause between two where one is due."""
    for item in items:
        await pause_if_long()
        yield item
