"""Keeps an embedded part running: looked at a few times a second, started again when it is gone."""

import asyncio
from typing import Protocol

from services.devstack.embedded.failures import PartFailed
from services.devstack.supervisor.child import FIRST_PAUSE, LONGEST_PAUSE, Tell, tell

_TICK = 0.2


class Part(Protocol):
    """An embedded Kafka or PostgreSQL: its addresses stay the same over a restart."""

    def alive(self) -> bool: ...
    async def start(self) -> str: ...
    async def stop(self) -> None: ...


async def keep(name: str, part: Part, say: Tell = tell) -> None:
    """Start `part` again whenever it dies, until cancelled."""
    pause = FIRST_PAUSE
    while True:
        await asyncio.sleep(_TICK)
        if part.alive():
            pause = FIRST_PAUSE
            continue
        say(f"{name} ended, starting it again")
        try:
            await part.start()
        except PartFailed as failure:
            say(str(failure))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
