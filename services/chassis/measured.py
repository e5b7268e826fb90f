"""How long a coroutine computes: its processor time in all, and the longest stretch in which nobody else had a turn."""

import time
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Measured(Generic[T]):
    """Awaits a coroutine; afterwards `seconds` and `longest` tell the thread's processor time between its waits.

    `note` is called with that of each stretch, as soon as it ends.
    """

    def __init__(
        self, work: Coroutine[Any, Any, T], note: Callable[[float], object] = lambda _seconds: None
    ) -> None:
        self._work = work
        self._note_stretch = note
        self.seconds = 0.0
        self.longest = 0.0

    def __await__(self) -> Generator[Any, Any, T]:
        step: Callable[[], Any] = partial(self._work.send, None)
        while True:
            began = time.thread_time()
            try:
                awaited = step()
            except StopIteration as end:
                return end.value
            finally:
                self._note(time.thread_time() - began)
            try:
                step = partial(self._work.send, (yield awaited))
            except BaseException as raised:  # noqa: BLE001 - passed on to the coroutine
                step = partial(self._work.throw, raised)

    def _note(self, seconds: float) -> None:
        self.seconds += seconds
        self.longest = max(self.longest, seconds)
        self._note_stretch(seconds)
