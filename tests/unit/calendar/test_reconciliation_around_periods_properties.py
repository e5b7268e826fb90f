"""For any times to avoid: nothing comes due in them, order stays, nothing is early, no id is used twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.plans import Avoid, PlanAdjusted, Window
from services.calendar.avoid import NEVER, PAUSE, covers, periods_for
from services.calendar.open_hours import OpenHours
from services.calendar.reconciliation.context import AccountHours, ChangeKind, StoredCalendar
from services.calendar.touchpoint import OPEN, Closure, Origin, Status, Touchpoint
from tests.unit.calendar.plans import (
    EMPTY,
    NOW,
    account_hours,
    apply_changes,
    avoiding_plans,
    calendar,
    come_due,
    decided,
    one_off,
    plan,
    plans,
    reconciled,
    season,
)

LATER = NOW + timedelta(days=11)
unhurried = settings(suppress_health_check=[HealthCheck.too_slow])


def planned(stored: StoredCalendar) -> list[Touchpoint]:
    return [each for each in stored.touchpoints if each.status is Status.PLANNED]


def topic_of(each: Touchpoint, stored: StoredCalendar) -> str | None:
    return (each.content or stored.series[each.type].content).topic


def periods(
    each: Touchpoint, wanted: PlanAdjusted, stored: StoredCalendar, hours: AccountHours
) -> tuple[Avoid, ...]:
    zones = hours.season_zones(each.owner, each.csm_id)
    return periods_for(wanted.avoid, each.type, topic_of(each, stored), zones)


def is_avoided(each: Touchpoint, wanted: PlanAdjusted, stored: StoredCalendar, hours: AccountHours) -> bool:
    return any(covers(period, each.due_at) for period in periods(each, wanted, stored, hours))


def known(stored: StoredCalendar) -> StoredCalendar:
    """As the database answers: what was cancelled is only found where the plan names it."""
    kept = [each for each in stored.touchpoints if each.status in OPEN or each.origin is not Origin.RHYTHM]
    return replace(stored, touchpoints=tuple(kept))


def in_number_order(stored: StoredCalendar, name: str) -> Sequence[datetime]:
    same = [each for each in planned(stored) if each.type == name and each.origin is Origin.RHYTHM]
    return [each.due_at for each in sorted(same, key=lambda each: each.number or 0)]


UTC_MONDAYS = OpenHours(ZoneInfo("UTC"), frozenset({0}), time(0), time(1))


@unhurried
@example(  # late, and the second plan does not name it any more
    plan([], [one_off(window=Window(from_=NOW + timedelta(days=6.625), to=NOW + timedelta(days=6.625)))]),
    plan(version=2, at=LATER, avoid=[season(0, None, name=PAUSE)]),
    AccountHours(UTC_MONDAYS.zone, UTC_MONDAYS, {}),
)
@given(avoiding_plans(), avoiding_plans(version=2, at=LATER), account_hours())
def test_nothing_comes_due_inside_what_is_to_be_avoided(
    first: PlanAdjusted, second: PlanAdjusted, hours: AccountHours
) -> None:
    before = calendar(first, EMPTY, hours)
    for each in planned(before):
        assert each.due_at == NEVER or not is_avoided(each, first, before, hours)

    after = calendar(second, known(come_due(before, LATER)), hours, LATER)

    for each in planned(after):
        assert each.due_at == NEVER or not is_avoided(each, second, after, hours)


@unhurried
@given(avoiding_plans(), avoiding_plans(version=2, at=LATER), account_hours())
def test_only_a_period_without_an_end_stops_a_touchpoint_for_good(
    first: PlanAdjusted, second: PlanAdjusted, hours: AccountHours
) -> None:
    after = calendar(second, known(come_due(calendar(first, EMPTY, hours), LATER)), hours, LATER)

    for each in planned(after):
        if each.due_at == NEVER:
            assert any(period.to is None for period in periods(each, second, after, hours))
            assert each.shift is not None
            assert each.shift.startswith("held")


@unhurried
@given(avoiding_plans(), account_hours())
def test_planning_twice_equals_once(wanted: PlanAdjusted, hours: AccountHours) -> None:
    once = known(calendar(wanted, EMPTY, hours))

    again = reconciled(wanted, once, hours, NOW)

    assert all(each.kind is ChangeKind.KEEP for each in again.changes)
    assert apply_changes(once, again) == once


@unhurried
@given(
    avoiding_plans() | plans(),
    avoiding_plans(version=2, at=LATER) | plans(version=2, at=LATER),
    account_hours(),
)
def test_a_second_plan_is_reached_in_one_step(
    first: PlanAdjusted, second: PlanAdjusted, hours: AccountHours
) -> None:
    before = known(come_due(calendar(first, EMPTY, hours), LATER))

    after = known(calendar(second, before, hours, LATER))

    assert apply_changes(after, reconciled(second, after, hours, LATER)) == after


@unhurried
@given(avoiding_plans(), avoiding_plans(version=2, at=LATER) | plans(version=2, at=LATER), account_hours())
def test_order_stays_and_no_identity_is_used_twice(
    first: PlanAdjusted, second: PlanAdjusted, hours: AccountHours
) -> None:
    everything = calendar(first, EMPTY, hours)
    before = come_due(everything, LATER)

    changes = reconciled(second, known(before), hours, LATER)

    after = apply_changes(known(before), changes)
    for name in after.series:
        assert list(in_number_order(after, name)) == sorted(in_number_order(after, name))
    made = [change.touchpoint.id for change in changes.changes if change.kind is ChangeKind.CREATE]
    rhythm_ids = {each.id for each in before.touchpoints if each.origin is Origin.RHYTHM}
    assert rhythm_ids.isdisjoint(made)
    assert len(made) == len(set(made))


@unhurried
@given(avoiding_plans(), avoiding_plans(version=2, at=LATER) | plans(version=2, at=LATER), account_hours())
def test_nothing_that_moves_comes_due_before_now(
    first: PlanAdjusted, second: PlanAdjusted, hours: AccountHours
) -> None:
    before = known(come_due(calendar(first, EMPTY, hours), LATER))
    stood = {each.id: each.due_at for each in before.touchpoints}

    for each in planned(calendar(second, before, hours, LATER)):
        assert each.due_at >= LATER or each.due_at == stood.get(each.id)


@unhurried
@given(avoiding_plans(), account_hours())
def test_what_is_never_skipped_is_left_out_by_nothing_but_a_pause(
    wanted: PlanAdjusted, hours: AccountHours
) -> None:
    never = {rhythm.touchpoint_type for rhythm in wanted.rhythms if rhythm.never_skip}
    dated = decided(wanted, avoid=tuple(each for each in wanted.avoid if each.name != PAUSE and each.to))

    changes = reconciled(dated, EMPTY, hours, NOW).changes

    for each in changes:
        cancellation = each.touchpoint.cancellation
        if each.touchpoint.type in never and each.touchpoint.origin is Origin.RHYTHM:
            assert cancellation is None or cancellation.closure is not Closure.SUPPRESSED


@unhurried
@given(plans(), avoiding_plans(), account_hours(), st.integers(0, 300))
def test_what_goes_away_leaves_a_rhythm_as_it_was(
    wanted: PlanAdjusted, seasonal: PlanAdjusted, hours: AccountHours, later: int
) -> None:
    soon = NOW + timedelta(hours=later / 24)
    plain = known(calendar(wanted, EMPTY, hours))
    during = known(calendar(decided(wanted, version=2, avoid=seasonal.avoid), plain, hours))

    after = calendar(decided(wanted, version=3, decided_at=soon), during, hours, soon)

    standing = {each.start_at for each in planned(after) if each.origin is Origin.RHYTHM}
    for each in planned(plain):
        if each.origin is Origin.RHYTHM and each.start_at > soon:
            assert each.start_at in standing


@unhurried
@given(avoiding_plans(), avoiding_plans(version=2, at=LATER), account_hours())
def test_whatever_is_left_out_says_why(
    first: PlanAdjusted, second: PlanAdjusted, hours: AccountHours
) -> None:
    before = known(come_due(calendar(first, EMPTY, hours), LATER))

    for each in reconciled(second, before, hours, LATER).changes:
        if each.kind in (ChangeKind.CANCEL, ChangeKind.CREATE) and each.touchpoint.status is Status.CANCELLED:
            assert each.touchpoint.cancellation is not None
            assert each.reason
