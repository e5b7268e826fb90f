"""A timeout that starts anew with each sign of progress: what is slow is not away. All times are real."""

import asyncio
from types import TracebackType
from typing import Any, Self


class ProgressTimeout:
    """Raises `TimeoutError` after `seconds` without progress; with `at_most` after so many seconds in any case.

    Without `at_most` progress counts for nothing. An asynchronous context manager, for one use.
    """

    def __init__(self, seconds: float, at_most: float | None = None) -> None:
        self._seconds = seconds
        self._at_most = at_most
        self._limit = asyncio.timeout(seconds)
        self._ends_at = 0.0
        self._is_open = False
        self._watched: set[asyncio.Future[Any]] = set()

    async def __aenter__(self) -> Self:
        self._ends_at = asyncio.get_running_loop().time() + (self._at_most or self._seconds)
        await self._limit.__aenter__()
        self._is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._is_open = False
        return await self._limit.__aexit__(kind, problem, trace)

    def watch(self, work: asyncio.Future[Any]) -> None:
        """Take the end of this work as progress."""
        if work not in self._watched:
            self._watched.add(work)
            work.add_done_callback(self._begin_anew)

    def _begin_anew(self, _: asyncio.Future[Any]) -> None:
        when = self._limit.when()
        if self._is_open and when is not None and not self._limit.expired():
            later = min(self._ends_at, asyncio.get_running_loop().time() + self._seconds)
            self._limit.reschedule(max(when, later))
