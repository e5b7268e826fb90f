"""The mornings of people of ours: whose day is to be opened, and opening it in one transaction."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from schemas.touchpoints import TouchpointData
from services.chassis.clock import ServiceClock
from services.chassis.database import Database, real_now
from services.chassis.outbox import Outbox
from services.notifier.adapters.content_repository import load_catalogue
from services.notifier.adapters.directory_repository import PERSON_FIELDS, read_person
from services.notifier.adapters.unit_of_work import UnitOfWork
from services.notifier.application.open_day import Opening, complete_touchpoint, open_day
from services.notifier.application.ports import Now
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.working_day import MORNING, last_opening, next_opening

WAITING = f"""
SELECT {PERSON_FIELDS}, opens_at FROM person
WHERE email IS NOT NULL AND (opens_at IS NULL OR opens_at <= $1) ORDER BY opens_at NULLS FIRST LIMIT $2
"""
WAIT_FOR_NEXT = "UPDATE person SET opens_at = $2 WHERE csm_id = $1 AND opens_at IS NOT DISTINCT FROM $3"
OPENED = "UPDATE person SET opens_at = $2 WHERE csm_id = $1"
AT_ONCE: Final = 50
FAST_CLOCK: Final = timedelta(seconds=10)
"""Real time: on a fast service clock the morning lasts at least so long."""


class DayRepository:
    """Implements the port `Days`."""

    def __init__(
        self, database: Database, outbox: Outbox, clock: ServiceClock, addresses: AddressKey
    ) -> None:
        self._database, self._outbox = database, outbox
        self._clock, self._addresses = clock, addresses

    async def mornings(self) -> list[Opening]:
        """Whose day begins now; those whose morning has passed are passed over until their next one."""
        async with self._database.transaction() as connection:
            now = self._clock.at(await real_now(connection))
            patience = max(MORNING, FAST_CLOCK * self._clock.rate)
            openings: list[Opening] = []
            for row in await connection.fetch(WAITING, now, AT_ONCE):
                person, opens_at = read_person(row), row["opens_at"]
                last = last_opening(person, now)
                if now <= last + patience:
                    openings.append(Opening(person, last))
                else:
                    await connection.execute(
                        WAIT_FOR_NEXT, person.csm_id, next_opening(person, now), opens_at
                    )
            return openings

    async def open(self, opening: Opening, touchpoints: Sequence[TouchpointData]) -> None:
        """Open the day. Doing it again adds nothing."""
        async with self._database.transaction() as connection:
            real = await real_now(connection)
            now = Now(real, self._clock.at(real))
            work = UnitOfWork(connection, self._outbox, self._addresses)
            catalogue = await load_catalogue(connection)
            complete = [complete_touchpoint(touchpoint, catalogue) for touchpoint in touchpoints]
            await open_day(opening, complete, work=work, now=now)
            following = next_opening(opening.person, opening.at + timedelta(microseconds=1))
            await connection.execute(OPENED, opening.person.csm_id, following)
