"""Whether customers may hear of what happened at a moment (U2)."""

from datetime import UTC, datetime, timedelta

from services.notifier.domain.mode import Mode

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_nothing_is_allowed_unless_the_mode_is_live() -> None:
    assert Mode().allows(NOON)
    assert not Mode(live=False, hold_from=NOON).allows(NOON - HOUR)


def test_what_came_due_under_hold_is_not_allowed_after_going_live() -> None:
    mode = Mode(live=True, hold_from=NOON, hold_until=NOON + HOUR)

    assert mode.allows(NOON - HOUR)
    assert not mode.allows(NOON)
    assert not mode.allows(NOON + HOUR / 2)
    assert mode.allows(NOON + HOUR)


def test_without_a_known_start_everything_before_the_end_came_due_under_hold() -> None:
    assert not Mode(live=True, hold_until=NOON).allows(NOON - HOUR)
    assert Mode(live=True, hold_until=NOON).allows(NOON)
