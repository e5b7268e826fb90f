# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""Whether a service has done all the work that service time and events brought it.

A rehearsal advances a standing clock only when every service is at rest (`services.chassis.standing_clock`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

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
        progress = 0
        for consumer in self.consumers:
            read = await _read_to_the_end(consumer)
            progress += read or 0
            if read is None:
                busy.append("consumer")
        return {"at_rest": not busy, "busy": busy, "progress": progress}


async def _read_to_the_end(consumer: Consumer) -> int | None:
    """The sum of the next offsets of the partitions that this replica reads; None before the end of one."""
    idle = consumer.idle()
    if idle is None:
        return None
    client, claims = idle
    try:
        ends: dict[TopicPartition, int] = await client.end_offsets([claim.partition for claim in claims])
    except KafkaError:  # away: nobody knows what there is to read
        return None
    if any(claim.next_offset < ends[claim.partition] for claim in claims) or consumer.idle() is None:
        return None
    return sum(claim.next_offset for claim in claims)
