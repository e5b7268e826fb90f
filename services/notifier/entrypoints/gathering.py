"""Messages that wait a moment of real time for others of their mail: a rehearsal does not go on before they went."""

from dataclasses import dataclass
from typing import Protocol

from services.chassis.loops import Loop


class MessageQueue(Protocol):
    async def count_gathering(self) -> int:
        """How many messages are about to go for the first time: ready, or waiting a moment for others of their mail."""
        ...

    async def release_gathering(self) -> int:
        """Have those go at once; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class GatheringMessages:
    """Implements `services.chassis.rest.Gathering`."""

    queue: MessageQueue
    sender: Loop

    async def count(self) -> int:
        return await self.queue.count_gathering()

    async def release(self) -> int:
        released = await self.queue.release_gathering()
        self.sender.wake()
        return released
