"""A service clock with rate 0: advanced at the rules engine, carried to every service on `directory.clock`.

Rehearsals and tests let service time stand until all work that it brought is done, so that a slow machine changes
nothing. Each service stores where the clock stands. A replica reads it after each batch that it commits, and when the
poll of the service says that another replica has moved it.
"""

from collections.abc import Callable
from datetime import datetime

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database
from services.chassis.loops import Loop
from services.chassis.work_poll import FALLBACK_SECONDS

READ = "SELECT now FROM standing_clock"
WORK = "EXISTS (SELECT FROM standing_clock WHERE now > $1)"
SAVE = """
INSERT INTO standing_clock (now) VALUES ($1)
ON CONFLICT (one) DO UPDATE SET now = greatest(standing_clock.now, excluded.now)
"""


class ClockRuns(Exception):
    """Only a clock with rate 0 can be advanced."""


async def standing_now(connection: Connection, clock: ServiceClock) -> datetime:
    """Where a standing clock stands by the table, which other replicas may have advanced."""
    stored: datetime | None = await connection.fetchval(READ)
    return clock.start if stored is None else max(stored, clock.start)


async def keep_standing_time(connection: Connection, moment: datetime) -> None:
    """Store where the clock stands; it never goes back."""
    await connection.execute(SAVE, moment)


def clock_loop(database: Database, clock: ServiceClock, wake_all: Callable[[], None]) -> Loop:
    """Moves the clock of this process to where it stands in the table, and wakes every loop when that moved it."""

    async def look() -> None:
        now: datetime | None = await database.pool.fetchval(READ)
        if now is not None and clock.stand_at(now):
            wake_all()

    return Loop("standing clock", interval=FALLBACK_SECONDS, run_once=look, work=WORK)
