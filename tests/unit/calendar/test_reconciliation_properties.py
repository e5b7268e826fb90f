"""For any plans: planning twice equals once, ids stay, history never changes, nothing is early."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.plans import PlanAdjusted
from services.calendar.patterns import CLOSED
from services.calendar.reconciliation.context import AccountHours, ChangeKind
from services.calendar.touchpoint import Origin, Status
from tests.unit.calendar.plans import (
    EMPTY,
    NOW,
    account_hours,
    apply_changes,
    calendar,
    come_due,
    plans,
    reconciled,
)

LATER = NOW + timedelta(days=11)
unhurried = settings(suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(plans(), account_hours())
def test_planning_twice_equals_once(wanted: PlanAdjusted, hours: AccountHours) -> None:
    once = calendar(wanted, EMPTY, hours)

    again = reconciled(wanted, once, hours, NOW)

    assert all(each.kind is ChangeKind.KEEP for each in again.changes)
    assert apply_changes(once, again) == once


@unhurried
@given(plans(), plans(version=2, at=LATER), account_hours(), st.booleans())
def test_a_second_plan_is_reached_in_one_step(
    first: PlanAdjusted,
    second: PlanAdjusted,
    hours: AccountHours,
    overdue: bool,  # noqa: FBT001
) -> None:
    before = come_due(calendar(first, EMPTY, hours), LATER, overdue=overdue)

    after = calendar(second, before, hours, LATER)

    assert apply_changes(after, reconciled(second, after, hours, LATER)) == after


@unhurried
@given(plans(), plans(version=2, at=LATER), account_hours(), st.booleans())
def test_history_never_changes(
    first: PlanAdjusted,
    second: PlanAdjusted,
    hours: AccountHours,
    overdue: bool,  # noqa: FBT001
) -> None:
    before = come_due(calendar(first, EMPTY, hours), LATER, overdue=overdue)

    after = {each.id: each for each in calendar(second, before, hours, LATER).touchpoints}

    for each in before.touchpoints:
        if each.status in (Status.DUE, Status.OVERDUE, Status.SETTLED):
            # What is open and comes to share its cause with a new one is shown together with it from then on.
            now = after[each.id]
            group = each.group if each.status is Status.SETTLED else now.group
            assert now == each._replace(group=group)
            shares = [other.id for other in after.values() if other.group == group and other.id != each.id]
            assert group in (each.group, None) or shares, each


@unhurried
@given(plans(), plans(version=2, at=LATER), account_hours())
def test_new_occurrences_never_take_an_old_identity(
    first: PlanAdjusted, second: PlanAdjusted, hours: AccountHours
) -> None:
    before = come_due(calendar(first, EMPTY, hours), LATER)

    changes = reconciled(second, before, hours, LATER).changes

    known = {each.id for each in before.touchpoints}
    made = [each.touchpoint.id for each in changes if each.kind is ChangeKind.CREATE]
    assert known.isdisjoint(made)
    assert len(made) == len(set(made))


@unhurried
@given(plans(), plans(version=2, at=LATER), account_hours())
def test_open_occurrences_stay_in_their_order_and_sequences_only_grow(
    first: PlanAdjusted, second: PlanAdjusted, hours: AccountHours
) -> None:
    before = come_due(calendar(first, EMPTY, hours), LATER)
    after = calendar(second, before, hours, LATER)

    sequences = {each.id: each.sequence for each in before.touchpoints}
    assert all(each.sequence >= sequences.get(each.id, 1) for each in after.touchpoints)
    for name in {each.type for each in after.touchpoints if each.origin is Origin.RHYTHM}:
        still = [e for e in after.touchpoints if e.type == name and e.origin is Origin.RHYTHM]
        moments = [
            each.due_at
            for each in sorted(still, key=lambda each: each.number or 0)
            if each.status is Status.PLANNED
        ]
        assert moments == sorted(moments)


@unhurried
@given(plans(), account_hours())
def test_nothing_is_planned_before_its_window_or_before_it_was_asked_for(
    wanted: PlanAdjusted, hours: AccountHours
) -> None:
    for each in calendar(wanted, EMPTY, hours).touchpoints:
        assert each.due_at >= NOW
        # A rhythm by the calendar keeps its day, also where that is open only before its time.
        is_moved = (each.shift or "").startswith(CLOSED)
        assert is_moved or each.due_at > each.start_at - timedelta(days=1)
