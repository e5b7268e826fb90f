"""One statement that asks for every loop of a service whether there may be work for it.

A loop is woken by its own process when that makes work. What another replica left, and what became due meanwhile, is
found here: a round trip for all loops costs less than a transaction of each, which would find nothing most of the time.
"""

from collections.abc import Sequence
from typing import Final

from services.chassis.clock import ServiceClock, real_now
from services.chassis.database import Database
from services.chassis.loops import Loop

POLL_SECONDS: Final = 0.5  # real time
FALLBACK_SECONDS: Final = 10.0
"""Real time between two passes of a loop for which the poll finds nothing: what a pass keeps up to date otherwise."""


def work_poll(database: Database, clock: ServiceClock, loops: Sequence[Loop]) -> Loop:
    """Has those of the loops look for which there may be work. At least one of them says what its work is."""
    asking = [(loop, loop.work) for loop in loops if loop.work is not None]
    # The time by the service clock, $1, has a type also where no loop asks for it.
    statement = f"SELECT $1::timestamptz, {', '.join(f'({work})' for _, work in asking)}"

    async def run_once() -> None:
        ((_, *answers),) = await database.pool.fetch(statement, clock.at(real_now()))
        for (loop, _), has_work in zip(asking, answers, strict=True):
            if has_work:
                loop.look()

    return Loop("work poll", interval=POLL_SECONDS, run_once=run_once)
