"""Whatever the plans: planning twice equals once, ids stay, history is never met, nothing is early."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduler.domain.plan import Context, Create, Held, Keep, Plan, applied, converge
from services.scheduler.domain.touchpoint import Origin, Status, Touchpoint, lapsed, released
from tests.unit.scheduler.wishes import EMPTY, NOW, calendar, contexts, plans

LATER = NOW + timedelta(days=11)
unhurried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def come_due(held: Held, *, overdue: bool) -> Held:
    def at_its_time(each: Touchpoint) -> Touchpoint:
        if each.status is not Status.PLANNED or each.due_at > LATER:
            return each
        due = released(each, LATER)
        return lapsed(due) if overdue else due

    touchpoints = tuple(at_its_time(each) for each in held.touchpoints)
    last_due = {each.type: each.due_at for each in touchpoints if each.released_at is not None}
    return Held(touchpoints, held.series, last_due)


@unhurried
@given(plans(), contexts())
def test_planning_twice_equals_once(wish: Plan, context: Context) -> None:
    once = calendar(wish, EMPTY, context)

    again = converge(wish, once, context, NOW)

    assert all(isinstance(each, Keep) and not each.refreshed for each in again.changes)
    assert applied(once, again) == once


@unhurried
@given(plans(), plans(version=2, at=LATER), contexts(), st.booleans())
def test_a_second_plan_is_reached_in_one_step(
    first: Plan,
    second: Plan,
    context: Context,
    overdue: bool,  # noqa: FBT001
) -> None:
    before = come_due(calendar(first, EMPTY, context), overdue=overdue)

    after = calendar(second, before, context, LATER)

    assert applied(after, converge(second, after, context, LATER)) == after


@unhurried
@given(plans(), plans(version=2, at=LATER), contexts(), st.booleans())
def test_history_is_never_met(first: Plan, second: Plan, context: Context, overdue: bool) -> None:  # noqa: FBT001
    before = come_due(calendar(first, EMPTY, context), overdue=overdue)

    after = {each.id: each for each in calendar(second, before, context, LATER).touchpoints}

    for each in before.touchpoints:
        if each.status in (Status.DUE, Status.OVERDUE, Status.SETTLED):
            assert after[each.id] == each


@unhurried
@given(plans(), plans(version=2, at=LATER), contexts())
def test_new_occurrences_never_take_an_old_identity(first: Plan, second: Plan, context: Context) -> None:
    before = come_due(calendar(first, EMPTY, context), overdue=False)

    changes = converge(second, before, context, LATER).changes

    known = {each.id for each in before.touchpoints}
    made = [each.touchpoint.id for each in changes if isinstance(each, Create)]
    assert known.isdisjoint(made)
    assert len(made) == len(set(made))


@unhurried
@given(plans(), plans(version=2, at=LATER), contexts())
def test_open_occurrences_stay_in_their_order_and_sequences_only_grow(
    first: Plan, second: Plan, context: Context
) -> None:
    before = come_due(calendar(first, EMPTY, context), overdue=False)
    after = calendar(second, before, context, LATER)

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
@given(plans(), contexts())
def test_nothing_is_planned_before_its_window_or_before_it_was_asked_for(
    wish: Plan, context: Context
) -> None:
    for each in calendar(wish, EMPTY, context).touchpoints:
        assert each.due_at >= max(each.start, NOW)
