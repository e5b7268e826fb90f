"""A deadline for each of many attempts, with one timer for all: a timer for each costs a tenth of a webhook."""

import asyncio


class Deadlines:
    """Cancels tasks that are not done so many seconds after `begin`, to the moment.

    Attempts begin in the order of their deadlines, so that the timer waits for the oldest alone.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._began: dict[asyncio.Task[object], float] = {}
        self._expired: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, loop: asyncio.AbstractEventLoop, task: "asyncio.Task[object]") -> None:
        """Begin an attempt of this task; one at a time."""
        self._began[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._cancel_late, loop)

    def end(self, task: "asyncio.Task[object]") -> None:
        """End the attempt of this task, whatever became of it."""
        self._began.pop(task, None)
        self._expired.discard(task)

    def has_expired(self, task: "asyncio.Task[object]") -> bool:
        """Whether the task was cancelled by its deadline and by nobody else; then it goes on."""
        return task in self._expired and task.uncancel() == 0

    def _cancel_late(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        while self._began:
            task, began = next(iter(self._began.items()))
            if began + self._seconds > now:
                self._timer = loop.call_at(began + self._seconds, self._cancel_late, loop)
                return
            del self._began[task]
            self._expired.add(task)
            task.cancel()
