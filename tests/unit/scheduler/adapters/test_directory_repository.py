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

    assert "no working days" in str(csm_values(record)[-1])


def test_a_shift_over_midnight_is_stored_without_a_doubt() -> None:
    """Row 38 of the reported faults."""
    record = CsmRecord.read(
        b'{"csm_id": "ada", "version": 1, "working_hours": {"from": "22:00", "to": "06:00"}}'
    )

    values = csm_values(record)

    assert values[7:9] == (time(22), time(6))
    assert values[-1] is None
