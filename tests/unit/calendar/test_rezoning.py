"""What is planned keeps its wall time when the rules of its zone change (row 50 of the reported faults)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from schemas.zones import find_zone
from services.calendar.open_hours import OpenHours, to_wall
from services.calendar.reconciliation.context import AccountHours, ReconcileContext, StoredCalendar
from services.calendar.rezoning import RuleChange, find_changed, read_rules, reconcile_after
from services.calendar.touchpoint import Status, Touchpoint
from tests.unit.calendar.plans import calendar, plan, rhythm

VANCOUVER = find_zone("America/Vancouver")
HOURS = AccountHours(VANCOUVER, OpenHours(VANCOUVER), {})
HOUR = timedelta(hours=1)
NOW = datetime(2026, 10, 5, 17, tzinfo=UTC)
"""10:00 in Vancouver, a Monday."""
BACK = datetime(2026, 11, 1, 9, tzinfo=UTC)
END = datetime(2029, 1, 1, tzinfo=UTC)
OLD = {
    "America/Vancouver": [
        [0, -8 * 3600],
        [1772964000, -7 * 3600],
        [int(BACK.timestamp()), -8 * 3600],
        [int(END.timestamp()), -8 * 3600],
    ]
}
"""By older releases Vancouver goes back on 1 November; by the one in force it stays at UTC-7."""
CHANGE = RuleChange("2026f", OLD)


def as_before(touchpoint: Touchpoint) -> Touchpoint:
    """The touchpoint as it was planned by the old rules."""

    def later(moment: datetime) -> datetime:
        return moment + HOUR if moment >= BACK else moment

    deadline = touchpoint.deadline
    return touchpoint._replace(
        due_at=later(touchpoint.due_at),
        start_at=later(touchpoint.start_at),
        end_at=later(touchpoint.end_at),
        deadline=None if deadline is None else later(deadline),
    )


def test_calls_after_the_change_keep_their_wall_time_with_the_reason() -> None:
    asked = plan([rhythm(7, last_touch_at=NOW - timedelta(days=7))], at=NOW)
    right = calendar(asked, hours=HOURS, now=NOW)
    series = {name: replace(each, until=(each.until or NOW) + HOUR) for name, each in right.series.items()}
    old = StoredCalendar(tuple(map(as_before, right.touchpoints)), series, {})
    assert {to_wall(each.due_at, VANCOUVER).hour for each in old.touchpoints} == {10, 11}

    result = reconcile_after(ReconcileContext(asked, old, HOURS, NOW, NOW), CHANGE)

    moved = [change for change in result.changes if change.kind == "move"]
    assert len(moved) > 40
    assert {to_wall(change.touchpoint.due_at, VANCOUVER).hour for change in moved} == {10}
    assert {change.reason for change in moved} == {"the rules of America/Vancouver changed with tzdata 2026f"}
    assert all(change.touchpoint.sequence == 2 for change in moved)
    again = {change.touchpoint.id: change.touchpoint.due_at for change in result.changes}
    assert {each.id: each.due_at for each in right.touchpoints} == again


def test_what_a_person_set_keeps_its_wall_time_too() -> None:
    asked = plan([rhythm(7, last_touch_at=NOW - timedelta(days=7))], at=NOW)
    stored = calendar(asked, hours=HOURS, now=NOW)
    december = next(each for each in stored.touchpoints if each.due_at.month == 12)
    pinned = as_before(december)._replace(pinned=True)

    result = reconcile_after(
        ReconcileContext(asked, StoredCalendar((pinned,), stored.series, {}), HOURS, NOW, NOW), CHANGE
    )

    (change,) = [each for each in result.changes if each.touchpoint.id == pinned.id]
    assert change.touchpoint.due_at == december.due_at
    assert change.touchpoint.pinned


def test_what_was_due_is_history() -> None:
    asked = plan([rhythm(7, last_touch_at=NOW - timedelta(days=7))], at=NOW)
    stored = calendar(asked, hours=HOURS, now=NOW)
    due = tuple(as_before(each)._replace(status=Status.DUE, released_at=NOW) for each in stored.touchpoints)

    result = reconcile_after(
        ReconcileContext(asked, StoredCalendar(due, stored.series, {}), HOURS, NOW, NOW), CHANGE
    )

    assert not [
        each for each in result.changes if each.touchpoint.id in {t.id for t in due} and each.kind != "keep"
    ]


def test_only_zones_whose_clocks_differ_have_changed() -> None:
    rules = read_rules(NOW)

    assert find_changed(rules, rules) == {}
    assert find_changed({**rules, **OLD}, rules) == OLD
    next_year = read_rules(NOW + timedelta(days=200))
    assert find_changed(rules, next_year) == {}
