"""Messages that wait a moment of real time for others of their mail: a rehearsal does not go on before they went."""

from dataclasses import dataclass

from services.chassis.loops import Loop
from services.notifier.application.ports import DeliveryQueue


@dataclass(frozen=True, slots=True)
class GatheringMessages:
    """Implements `services.chassis.rest.Gathering`."""

    queue: DeliveryQueue
    sender: Loop

    async def count(self) -> int:
        return await self.queue.count_gathering()

    async def release(self) -> int:
        released = await self.queue.release_gathering()
        self.sender.wake()
        return released
