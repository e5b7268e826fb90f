"""Which reminders of a touchpoint go, and when."""

from datetime import UTC, datetime, timedelta

import pytest

from services.calendar.touchpoint import Origin, Status, Touchpoint
from services.scheduler.domain.reminding import (
    LAST_ID,
    Position,
    end_position,
    find_immediate,
    is_reminded,
    start_position,
)

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def touchpoint(hours_left: float, status: Status = Status.PLANNED) -> Touchpoint:
    due_at = NOW + hours_left * HOUR
    return Touchpoint("b", "acme", "review", Origin.RHYTHM, due_at, due_at, due_at, None, "csm", status)


@pytest.mark.parametrize(
    ("hours_left", "hours", "of_type", "goes"),
    [
        (48, 48, [48], True),
        (1, 48, [48], True),
        (0, 48, [48], False),
        (-1, 48, [48], False),
        (30, 48, [48, 24], True),
        (24, 48, [48, 24], False),
        (24, 24, [48, 24], True),
    ],
)
def test_a_reminder_goes_until_its_touchpoint_begins_or_a_shorter_one_has_its_time(
    hours_left: int, hours: int, of_type: list[int], *, goes: bool
) -> None:
    assert is_reminded(touchpoint(hours_left), hours, of_type, NOW) == goes


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PLANNED])
def test_what_is_no_longer_planned_is_not_reminded_of(status: Status) -> None:
    positions = {48: end_position(48, NOW)}
    assert not is_reminded(touchpoint(40, status), 48, [48], NOW)
    assert find_immediate(touchpoint(40, status), [48], positions, NOW) is None


@pytest.mark.parametrize(
    ("hours_left", "of_type", "expected"),
    [
        (49, [48], None), (48, [48], 48), (24, [48], 48), (23, [48], None),
        (3, [48, 4], 4), (2, [48, 4], 4), (1, [48, 4], None),
    ],
)  # fmt: skip
def test_what_is_announced_before_the_position_is_reminded_of_at_once_while_half_of_the_time_is_left(
    hours_left: int, of_type: list[int], expected: int | None
) -> None:
    positions = {hours: end_position(hours, NOW) for hours in of_type}
    reminder = find_immediate(touchpoint(hours_left), of_type, positions, NOW)
    assert (reminder.hours if reminder else None) == expected


def test_hours_without_a_position_wait_for_a_pass() -> None:
    assert find_immediate(touchpoint(40), [48], {}, NOW) is None


def test_the_position_is_in_the_order_of_time_and_id_and_begins_at_half_of_the_hours() -> None:
    due_at = NOW + 24 * HOUR
    assert start_position(48, NOW) == (due_at, LAST_ID)
    assert start_position(48, NOW).is_past(touchpoint(24))
    assert Position(due_at, "b").is_past(touchpoint(24))
    assert not Position(due_at, "a").is_past(touchpoint(24))
