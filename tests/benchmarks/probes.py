"""Latency: events go in one at a time or at a rate, and each is awaited at the other end."""

import asyncio
import time
from collections.abc import Sequence

PATIENCE = 60.0


class Probe:
    """A chain with a beginning (`send`) and an end (`arrive`), for events that have a number."""

    def __init__(self) -> None:
        self.sent: dict[int, float] = {}
        self.came: dict[int, float] = {}
        self._arrivals = asyncio.Event()

    async def send(self, number: int) -> None:
        raise NotImplementedError

    def arrive(self, number: int) -> None:
        self.came.setdefault(number, time.perf_counter())
        self._arrivals.set()

    async def all_of(self, numbers: Sequence[int]) -> list[float]:
        """Wait for all; the milliseconds each was under way."""
        async with asyncio.timeout(PATIENCE):
            for each in numbers:
                while each not in self.came:
                    self._arrivals.clear()
                    await self._arrivals.wait()
        return [(self.came[each] - self.sent[each]) * 1000 for each in numbers]

    async def one_at_a_time(self, numbers: Sequence[int]) -> list[float]:
        found: list[float] = []
        for each in numbers:
            self.sent[each] = time.perf_counter()
            await self.send(each)
            found += await self.all_of([each])
        return found

    async def at_once(self, numbers: Sequence[int]) -> float:
        """Events a second, from the first sent to the last that came."""
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for each in numbers:
                self.sent[each] = began
                group.create_task(self.send(each))
        await self.all_of(numbers)
        return len(numbers) / (max(self.came[each] for each in numbers) - began)

    async def at_rate(self, numbers: Sequence[int], rate: float) -> list[float]:
        """Each at its time, whether those before have come or not; measured from when it was due."""
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for index, each in enumerate(numbers):
                self.sent[each] = began + index / rate
                while (early := self.sent[each] - time.perf_counter()) > 0:
                    await asyncio.sleep(early)
                group.create_task(self.send(each))
        return await self.all_of(numbers)
