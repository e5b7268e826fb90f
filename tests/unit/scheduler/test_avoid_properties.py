"""Whatever is to be avoided: nothing comes due in it, order stays, nothing is early, nothing is used twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduler.domain.avoid import NEVER, PAUSE, concerning
from services.scheduler.domain.plan import Cancel, Context, Create, Held, Keep, Plan, applied, converge
from services.scheduler.domain.touchpoint import OPEN, Closure, Origin, Status, Touchpoint
from tests.unit.scheduler.test_plan_properties import come_due
from tests.unit.scheduler.wishes import EMPTY, NOW, avoiding_plans, calendar, contexts, plans

LATER = NOW + timedelta(days=11)
unhurried = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def planned(held: Held) -> list[Touchpoint]:
    return [each for each in held.touchpoints if each.status is Status.PLANNED]


def topic_of(each: Touchpoint, held: Held) -> str | None:
    return (each.face or held.series[each.type].face).topic


def covered(each: Touchpoint, wish: Plan, held: Held, moment: datetime) -> bool:
    return any(window.covers(moment) for window in concerning(wish.avoid, each.type, topic_of(each, held)))


def known(held: Held) -> Held:
    """As the database answers: what was cancelled is only found where the plan names it."""
    kept = [each for each in held.touchpoints if each.status in OPEN or each.origin is not Origin.RHYTHM]
    return replace(held, touchpoints=tuple(kept))


def in_number_order(held: Held, name: str) -> Sequence[datetime]:
    same = [each for each in planned(held) if each.type == name and each.origin is Origin.RHYTHM]
    return [each.due_at for each in sorted(same, key=lambda each: each.number or 0)]


@unhurried
@given(avoiding_plans(), avoiding_plans(version=2, at=LATER), contexts())
def test_nothing_comes_due_inside_what_is_to_be_avoided(first: Plan, second: Plan, context: Context) -> None:
    before = calendar(first, EMPTY, context)
    for each in planned(before):
        assert each.due_at == NEVER or not covered(each, first, before, each.due_at)

    after = calendar(second, known(come_due(before, overdue=False)), context, LATER)

    for each in planned(after):
        assert each.due_at == NEVER or not covered(each, second, after, each.due_at)


@unhurried
@given(avoiding_plans(), avoiding_plans(version=2, at=LATER), contexts())
def test_what_is_held_is_held_by_something_without_an_end(
    first: Plan, second: Plan, context: Context
) -> None:
    after = calendar(second, known(come_due(calendar(first, EMPTY, context), overdue=False)), context, LATER)

    for each in planned(after):
        if each.due_at == NEVER:
            windows = concerning(second.avoid, each.type, topic_of(each, after))
            assert any(window.end is None for window in windows)
            assert each.shift is not None
            assert each.shift.startswith("held")


@unhurried
@given(avoiding_plans(), contexts())
def test_planning_around_it_twice_equals_once(wish: Plan, context: Context) -> None:
    once = known(calendar(wish, EMPTY, context))

    again = converge(wish, once, context, NOW)

    assert all(isinstance(each, Keep) and not each.refreshed for each in again.changes)
    assert applied(once, again) == once


@unhurried
@given(
    avoiding_plans() | plans(), avoiding_plans(version=2, at=LATER) | plans(version=2, at=LATER), contexts()
)
def test_a_second_plan_is_reached_in_one_step(first: Plan, second: Plan, context: Context) -> None:
    before = known(come_due(calendar(first, EMPTY, context), overdue=False))

    after = known(calendar(second, before, context, LATER))

    assert applied(after, converge(second, after, context, LATER)) == after


@unhurried
@given(avoiding_plans(), avoiding_plans(version=2, at=LATER) | plans(version=2, at=LATER), contexts())
def test_order_stays_and_no_identity_is_used_twice(first: Plan, second: Plan, context: Context) -> None:
    everything = calendar(first, EMPTY, context)
    before = come_due(everything, overdue=False)

    changes = converge(second, known(before), context, LATER)

    after = applied(known(before), changes)
    for name in after.series:
        assert list(in_number_order(after, name)) == sorted(in_number_order(after, name))
    made = [each.touchpoint.id for each in changes.changes if isinstance(each, Create)]
    rhythm_ids = {each.id for each in before.touchpoints if each.origin is Origin.RHYTHM}
    assert rhythm_ids.isdisjoint(made)
    assert len(made) == len(set(made))


@unhurried
@given(avoiding_plans(), avoiding_plans(version=2, at=LATER) | plans(version=2, at=LATER), contexts())
def test_nothing_that_moves_comes_due_before_now(first: Plan, second: Plan, context: Context) -> None:
    before = known(come_due(calendar(first, EMPTY, context), overdue=False))
    stood = {each.id: each.due_at for each in before.touchpoints}

    for each in planned(calendar(second, before, context, LATER)):
        assert each.due_at >= LATER or each.due_at == stood.get(each.id)


@unhurried
@given(avoiding_plans(), contexts())
def test_what_is_never_skipped_is_left_out_by_nothing_but_a_pause(wish: Plan, context: Context) -> None:
    never = {each.type for each in wish.rhythms if each.never_skip}
    dated = replace(wish, avoid=tuple(each for each in wish.avoid if each.name != PAUSE and each.end))

    changes = converge(dated, EMPTY, context, NOW).changes

    for each in changes:
        verdict = each.touchpoint.verdict
        if each.touchpoint.type in never and each.touchpoint.origin is Origin.RHYTHM:
            assert verdict is None or verdict.closure is not Closure.SUPPRESSED


@unhurried
@given(plans(), avoiding_plans(), contexts(), st.integers(0, 300))
def test_what_goes_away_leaves_a_rhythm_as_it_was(
    wish: Plan, seasonal: Plan, context: Context, hours: int
) -> None:
    soon = NOW + timedelta(hours=hours / 24)
    plain = known(calendar(wish, EMPTY, context))
    during = known(calendar(replace(wish, version=2, avoid=seasonal.avoid), plain, context))

    after = calendar(replace(wish, version=3, decided_at=soon), during, context, soon)

    standing = {each.start for each in planned(after) if each.origin is Origin.RHYTHM}
    for each in planned(plain):
        if each.origin is Origin.RHYTHM and each.start > soon:
            assert each.start in standing


@unhurried
@given(avoiding_plans(), avoiding_plans(version=2, at=LATER), contexts())
def test_whatever_is_left_out_says_why(first: Plan, second: Plan, context: Context) -> None:
    before = known(come_due(calendar(first, EMPTY, context), overdue=False))

    for each in converge(second, before, context, LATER).changes:
        if isinstance(each, Cancel | Create) and each.touchpoint.status is Status.CANCELLED:
            assert each.touchpoint.verdict is not None
            assert each.why
