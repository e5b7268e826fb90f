"""How long a coroutine computes: its processor time in all, and the longest stretch in which nobody else had a turn."""

import time
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any


class Measured:
    """Awaits a coroutine; afterwards `seconds` and `longest` tell the thread's processor time between its waits."""

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self._work = work
        self.seconds = 0.0
        self.longest = 0.0

    def __await__(self) -> Generator[Any, Any, None]:
        step: Callable[[], Any] = partial(self._work.send, None)
        while True:
            began = time.thread_time()
            try:
                awaited = step()
            except StopIteration:
                return
            finally:
                self._note(time.thread_time() - began)
            try:
                step = partial(self._work.send, (yield awaited))
            except BaseException as raised:  # noqa: BLE001 - passed on to the coroutine
                step = partial(self._work.throw, raised)

    def _note(self, seconds: float) -> None:
        self.seconds += seconds
        self.longest = max(self.longest, seconds)
