"""CSM records as rows."""

from datetime import time

from schemas.directory import CsmRecord
from services.scheduler.adapters.directory_repository import csm_values


def test_the_days_and_hours_of_a_csm_become_columns() -> None:
    record = CsmRecord.read(
        b'{"csm_id": "ada", "version": 1, "working_days": ["tue", "mon"],'
        b' "working_hours": {"from": "08:00", "to": "24:00"}}'
    )

    values = csm_values(record)

    assert values[6:9] == ([0, 1], time(8), time.max)


def test_hours_that_are_never_open_are_stored_with_a_doubt() -> None:
    record = CsmRecord.read(b'{"csm_id": "ada", "version": 1, "working_days": []}')

    assert "never open" in str(csm_values(record)[-1])
