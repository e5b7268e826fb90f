"""A colleague keeps what they lead for a person who is away, and gives it back when that person has a day again."""

from datetime import timedelta

from services.calendar.open_hours import OpenHours
from services.calendar.reconciliation.context import AccountHours, ChangeKind, StoredCalendar
from services.calendar.touchpoint import Status, Touchpoint
from services.calendar.windows import COVERED, SHARED
from tests.unit.calendar.plans import (
    NOW,
    OFFICE,
    UTC_ZONE,
    calendar,
    one_off,
    plan,
    reconciled,
    rhythm,
    season,
)

DAY = timedelta(days=1)
AWAY = AccountHours(UTC_ZONE, OFFICE, {"ada": OpenHours(UTC_ZONE, frozenset({4}))})
"""Fridays alone: a rhythm of nine days moves by three days at most, so that Mondays have no day of hers."""
PLAN = plan([rhythm(9)])


def covered(stored: StoredCalendar, number: int) -> tuple[StoredCalendar, Touchpoint]:
    """The calendar with that occurrence at a colleague, on its target."""

    def hand_over(each: Touchpoint) -> Touchpoint:
        return each._replace(
            csm_id="bob", due_at=each.start_at, shift=f"{COVERED}bob: ada is away", earliest_at=None,
            latest_at=None, soft_days=0, sequence=2,
        )  # fmt: skip

    touchpoints = tuple(hand_over(each) if each.number == number else each for each in stored.touchpoints)
    own = next(each for each in touchpoints if each.number == number)
    return StoredCalendar(touchpoints, stored.series, stored.last_due_at), own


def by_number(stored: StoredCalendar, number: int) -> Touchpoint:
    return next(each for each in stored.touchpoints if each.number == number)


def on_monday(stored: StoredCalendar) -> int:
    """The number of an occurrence whose target is a Monday, four days before her Friday."""
    return next(
        each.number or 0
        for each in stored.touchpoints
        if each.start_at.weekday() == 0 and each.start_at > NOW + DAY and each.status is Status.PLANNED
    )


def test_a_covered_occurrence_stays_with_the_colleague_while_its_person_has_no_day() -> None:
    """Row 22: time off is covered."""
    stored = calendar(PLAN, hours=AWAY)
    number = on_monday(stored)
    stored, own = covered(stored, number)

    after = calendar(PLAN.model_copy(update={"version": 2}), stored, AWAY)
    assert by_number(after, number) == own
    kinds = {change.kind for change in reconciled(PLAN, stored, AWAY).changes}
    assert kinds == {ChangeKind.KEEP}


def test_it_returns_when_its_person_has_a_day_again_or_the_customer_has_none() -> None:
    stored = calendar(PLAN, hours=AWAY)
    number = on_monday(stored)
    stored, own = covered(stored, number)

    back = by_number(calendar(PLAN, stored), number)
    assert (back.csm_id, back.shift) == ("ada", None)
    start = (own.due_at - NOW).days
    frozen = PLAN.model_copy(update={"avoid": (season(start - 1, start + 1, "check_in"),)})
    assert by_number(calendar(frozen, stored, AWAY), number).csm_id == "ada"


def test_a_covered_one_off_stays_with_the_colleague_too() -> None:
    item = one_off(days=7)
    stored = calendar(plan([], [item]))
    (own,) = stored.touchpoints
    own = own._replace(csm_id="bob", shift=f"{COVERED}bob: ada is away", earliest_at=None, latest_at=None)
    stored = StoredCalendar((own,), {}, {})

    assert calendar(plan([], [item]), stored).touchpoints[0].csm_id == "ada"


def shared(each: Touchpoint) -> Touchpoint:
    return each._replace(
        csm_id="bob", shift=f"{SHARED}bob: no room in 2026-W11", earliest_at=None, latest_at=None, soft_days=0
    )


def test_what_a_colleague_took_because_weeks_were_full_stays_with_them_while_its_target_does() -> None:
    """12.6: it does not come back when the plan says again what it said."""
    plans = plan([rhythm(9)], [one_off(days=7)])
    stored = calendar(plans)
    taken = [each for each in stored.touchpoints if each.number in (3, None)]
    touchpoints = tuple(shared(each) if each in taken else each for each in stored.touchpoints)
    stored = StoredCalendar(touchpoints, stored.series, stored.last_due_at)

    after = calendar(plans.model_copy(update={"version": 2}), stored)
    assert {each.id for each in after.touchpoints if each.csm_id == "bob"} == {each.id for each in taken}

    denser = plan([rhythm(7)], [one_off(days=8)], version=3)
    assert not [each for each in calendar(denser, stored).touchpoints if each.csm_id == "bob"]
