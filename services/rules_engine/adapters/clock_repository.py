"""Where a standing clock stands: advanced here in one transaction, and carried to every service by the outbox."""

from collections.abc import Callable

from schemas.directory import CLOCK_DIRECTORY, ClockRecord
from services.chassis.clock import ServiceClock
from services.chassis.database import Database
from services.chassis.outbox import Outbox, Outgoing
from services.chassis.standing_clock import ClockRuns, keep_standing_time, standing_now
from services.rules_engine.application.advance_clock import WantedAdvance

TOPIC, KEY = "directory.clock", "clock"
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('standing clock', 0))"


class ClockRepository:
    """Implements the port `ClockAdvance`."""

    def __init__(
        self, database: Database, outbox: Outbox, clock: ServiceClock, wake_all: Callable[[], None]
    ) -> None:
        """`wake_all` wakes every loop of this process, the relay with them."""
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._wake_all = wake_all

    async def advance(self, wanted: WantedAdvance) -> dict[str, object]:
        if not self._clock.stands:
            raise ClockRuns
        async with self._database.transaction() as connection:
            await connection.execute(LOCK)  # two advances by a day are two days
            before = await standing_now(connection, self._clock)
            now = max(before, wanted.moment(before))
            await keep_standing_time(connection, now)
            data = ClockRecord(now=now).write()
            record = Outgoing(TOPIC, KEY, f"clock:{now.isoformat()}", CLOCK_DIRECTORY, now, data)
            await self._outbox.append(connection, [record])
        self._clock.stand_at(now)
        self._wake_all()
        return {"now": now}
