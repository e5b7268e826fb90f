"""Which dead letters count towards a halt, on a real database."""

import pytest
from aiokafka import TopicPartition

from services.chassis.database import Database
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.halts import Halts, TooManyDeadLetters
from services.chassis.leases import Leases
from services.chassis.outbox import Outbox
from services.chassis.settings import DeadLetters

pytestmark = pytest.mark.integration
PLACE = TopicPartition("account.signals", 3)
OFFSETS = range(6)


async def begin(database: Database, cluster: str) -> Halts:
    """What the first replica does on a cluster that the service has not read yet."""
    await Leases(database, cluster, "rules", "a").enrol({PLACE: 0})
    return Halts(database, cluster, "rules", DeadLetters(most=5, among=100))


async def bury(database: Database, halts: Halts, *, at_ms: int) -> None:
    """A batch of which nothing can be read."""
    async with database.transaction() as connection:
        for offset in OFFSETS:
            record = Record(*PLACE, offset, None, b"bad", (), at_ms)
            await dead_letter_record(connection, Outbox("/test"), record, reason="bad")
        await halts.check(connection, PLACE, OFFSETS)


async def test_letters_of_a_former_broker_do_not_halt_the_new_one(chassis_database: Database) -> None:
    """Issue 11, A4: the offsets of the new broker begin anew, among them those of letters of the former one."""
    former = await begin(chassis_database, "former")
    with pytest.raises(TooManyDeadLetters):
        await bury(chassis_database, former, at_ms=1)
    await bury(chassis_database, Halts(chassis_database, "former", "rules", DeadLetters()), at_ms=1)

    present = await begin(chassis_database, "present")
    async with chassis_database.transaction() as connection:
        await present.check(connection, PLACE, OFFSETS)  # all of these were read well
        with pytest.raises(TooManyDeadLetters):
            await former.check(connection, PLACE, OFFSETS)
    with pytest.raises(TooManyDeadLetters, match="more than 5 dead letters among 100 records"):
        await bury(chassis_database, present, at_ms=2)
