"""Whether a service has done all the work that service time and events brought it.

A rehearsal advances a standing clock only when every service is at rest (`services.chassis.standing_clock`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.chassis.consumer import Consumer
from services.chassis.loops import Loop


@dataclass(slots=True)
class Rest:
    """What a process waits for. Retries in real time, of endpoints that fail, are not waited for."""

    consumers: list[Consumer] = field(default_factory=list[Consumer])
    loops: list[Loop] = field(default_factory=list[Loop])

    def watch(self, consumers: Sequence[Consumer], loops: Sequence[Loop]) -> None:
        self.consumers.extend(consumers)
        self.loops.extend(loops)

    def wake(self) -> None:
        """Have every loop look again: service time has moved."""
        for loop in self.loops:
            loop.wake()

    async def state(self) -> dict[str, object]:
        """`{at_rest, busy: names, progress}`. `progress` grows with every record that was read.

        Services that hand work to each other are at rest when all say so twice and no `progress` grew between.
        """
        busy = [loop.name for loop in self.loops if not loop.is_at_rest()]
        busy += [consumer.group for consumer in self.consumers if not await consumer.is_at_rest()]
        progress = sum(consumer.progress() for consumer in self.consumers)
        return {"at_rest": not busy, "busy": busy, "progress": progress}
