"""What a process says of its work to whoever advances a standing clock."""

from services.chassis.clock import GATHERING
from services.chassis.rest import Rest


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
