"""What a process says of its work to whoever advances a standing clock."""

from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition

from services.chassis.clock import GATHERING
from services.chassis.loops import Loop
from services.chassis.rest import PartitionEnds, Rest
from services.chassis.settings import Kafka


class Waiting:
    """Work that waits for more of its kind."""

    def __init__(self, number: int) -> None:
        self.number = number

    async def count(self) -> int:
        return self.number

    async def release(self) -> int:
        released, self.number = self.number, 0
        return released


async def test_what_is_gathering_is_work_until_it_is_released() -> None:
    rest = Rest()
    assert (await rest.state())["at_rest"]
    assert await rest.release() == 0

    rest.gathering = Waiting(3)
    state = await rest.state()
    assert (state["at_rest"], state["busy"]) == (False, [GATHERING])
    assert await rest.release() == 3
    assert (await rest.state())["at_rest"]


class Broker(PartitionEnds):
    """One that must not be asked."""

    async def read(self, partitions: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        raise AssertionError(f"it was asked for {partitions}")


async def test_while_a_loop_works_neither_the_broker_nor_the_database_is_asked() -> None:
    async def work() -> None:
        return None

    rest, loop = Rest(), Loop("sweep", interval=60, run_once=work)
    rest.watch((), (loop,), Broker(Kafka()))
    rest.gathering = Waiting(3)

    assert not loop.is_at_rest()
    assert await rest.state() == {"at_rest": False, "busy": ["sweep"], "progress": 0}
