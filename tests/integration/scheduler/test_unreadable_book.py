"""A person whose book cannot be read or computed holds up nobody else."""

from collections import Counter
from collections.abc import AsyncGenerator

import pytest

from services.chassis.worker_process import WorkerProcess
from services.scheduler.adapters.book_repository import PostgresBooks
from services.scheduler.entrypoints.leveller import Leveller
from tests.integration.scheduler.conftest import Scheduler, rhythm

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture
async def worker() -> AsyncGenerator[WorkerProcess]:
    made = WorkerProcess(
        seconds=30, megabytes=1024, most_waiting=1, module="services.calendar.person_levelling"
    )
    yield made
    await made.close()


@pytest.mark.parametrize(
    "damage",
    [
        """UPDATE account_calendar SET plan = '{"avoid": [{"name": 7}]}' WHERE account_id = 'of-ada'""",
        "UPDATE rhythm SET every_days = 0 WHERE account_id = 'of-ada'",
    ],
    ids=["times-to-avoid", "interval"],
)
async def test_others_are_levelled_behind_somebody_whose_book_is_damaged(
    scheduler: Scheduler, worker: WorkerProcess, damage: str
) -> None:
    counted = Counter[str]()

    def count(kind: str, number: int = 1) -> None:
        counted[kind] += number

    await scheduler.consume(
        scheduler.plan(1, [rhythm(28, urgency="spread", csm_id="ada")], account="of-ada"),
        scheduler.plan(1, [rhythm(28, urgency="spread", csm_id="kim")], account="of-kim"),
    )
    await scheduler.database.pool.execute(damage)
    await scheduler.database.pool.execute("UPDATE csm_mark SET marked_at = marked_at - interval '1 hour'")
    leveller = Leveller(
        scheduler.database,
        scheduler.clock,
        lambda connection: PostgresBooks(connection, scheduler.calendars(connection)),
        worker,
        lambda: None,
        count,
    )

    await leveller.run_once()
    await leveller.run_once()

    assert counted["level_failed"] == 1
    assert counted["level_phases"] == 1
    marked = await scheduler.database.pool.fetch("SELECT DISTINCT csm_id FROM csm_mark")
    assert [row["csm_id"] for row in marked] in ([], ["kim"])
