"""What people do moves out of public holidays, time off and the customer's holidays, to the nearest day, with the reason.

Rows 42 and 43 of the reported faults; S152, S178, F12.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import About, RhythmItem
from schemas.times import Window
from schemas.zones import find_zone
from services.calendar.customer_days import CustomerDays
from services.calendar.open_hours import DateSpan, OpenHours
from services.calendar.public_holidays import HolidayCalendar
from services.calendar.reconciliation.context import AccountHours, CalendarChange, StoredCalendar
from services.calendar.touchpoint import Origin, Status, Touchpoint
from tests.unit.calendar.plans import calendar, decided, one_off, plan, reconciled, rhythm

BERLIN = find_zone("Europe/Berlin")
CHRISTMAS = datetime(2026, 12, 25, 9, tzinfo=UTC)


def hours(
    *away: tuple[date, date],
    region: str | None = None,
    customer: CustomerDays | None = None,
    zone: str = "Europe/Berlin",
) -> AccountHours:
    kim = OpenHours(
        find_zone(zone),
        holidays=HolidayCalendar("DE", region),
        away=tuple(DateSpan(*days) for days in away),
        person="Kim",
    )
    return AccountHours(BERLIN, kim, {}, customer=customer)


def working(*days: int, away: tuple[date, date] | None = None) -> AccountHours:
    spans = () if away is None else (DateSpan(*away),)
    return AccountHours(BERLIN, OpenHours(BERLIN, frozenset(days), away=spans, person="Kim"), {})


def changes_of_planned(changes: Sequence[CalendarChange]) -> list[CalendarChange]:
    return [change for change in changes if change.touchpoint.status is Status.PLANNED]


def planned(stored: StoredCalendar) -> list[Touchpoint]:
    found = [each for each in stored.touchpoints if each.status is Status.PLANNED]
    return sorted(found, key=lambda touchpoint: touchpoint.start_at)


def at(every_days: int, first: datetime, where: AccountHours, **changed: object) -> list[Touchpoint]:
    """What is planned of a rhythm whose first nominal moment is at that time."""
    before = first - timedelta(days=every_days)
    asked = plan([rhythm(every_days, last_touch_at=before, **changed)], at=before)
    return planned(calendar(asked, hours=where, now=before))


@pytest.mark.parametrize("never_skip", [True, False])
def test_a_review_on_christmas_day_moves_to_the_day_before_it(*, never_skip: bool) -> None:
    """25 December 2026 is a Friday, the 26th a holiday too: the 24th is nearest."""
    made = at(90, CHRISTMAS, hours(), never_skip=never_skip, touchpoint_type="business_review")[0]

    assert made.due_at == CHRISTMAS - timedelta(days=1)
    assert made.start_at == CHRISTMAS
    assert made.shift == "moved: public holiday Christmas Day"


def test_a_review_on_easter_monday_moves_to_tuesday() -> None:
    easter_monday = datetime(2027, 3, 29, 8, tzinfo=UTC)
    made = at(90, easter_monday, hours(), never_skip=True)[0]

    assert made.due_at == easter_monday + timedelta(days=1)
    assert made.shift == "moved: public holiday Easter Monday"


def test_a_holiday_of_the_region_counts_there_alone() -> None:
    epiphany = datetime(2027, 1, 6, 9, tzinfo=UTC)

    assert at(30, epiphany, hours(region="BE"))[0].shift is None
    assert at(30, epiphany, hours(region="BY"))[0].shift == "moved: public holiday Epiphany"


def test_a_holiday_of_the_customer_counts_too() -> None:
    thanksgiving = datetime(2026, 11, 26, 14, tzinfo=UTC)
    customer = CustomerDays(
        (find_zone("America/New_York"),), weekend=frozenset({5, 6}), holidays=HolidayCalendar("US")
    )
    made = at(30, thanksgiving, hours(customer=customer))[0]

    assert made.due_at == thanksgiving - timedelta(days=1)
    assert made.shift == "moved: public holiday Thanksgiving Day of the customer"


def test_time_off_of_the_owner_moves_a_call_to_the_nearer_side() -> None:
    monday = datetime(2027, 2, 1, 9, tzinfo=UTC)
    week_off = (date(2027, 2, 1), date(2027, 2, 5))
    made = at(30, monday, hours(week_off))[0]

    assert made.due_at == monday - timedelta(days=3)  # Friday
    assert made.shift == "moved: time off of Kim"


@pytest.mark.parametrize("never_skip", [True, False])
@pytest.mark.parametrize("weeks", [1, 2, 3])
def test_no_weekly_call_of_an_absence_is_skipped_and_none_comes_on_top_of_another(
    weeks: int, *, never_skip: bool
) -> None:
    monday = datetime(2027, 2, 1, 9, tzinfo=UTC)
    away = (date(2027, 2, 1), date(2027, 2, 1) + timedelta(days=7 * weeks - 1))
    planned = at(7, monday - timedelta(days=14), hours(away), never_skip=never_skip)
    made = [each for each in planned if each.origin is Origin.RHYTHM]

    assert [each.number for each in made] == list(range(1, len(made) + 1))
    assert not [each for each in made if away[0] <= each.due_at.date() <= away[1]]
    near = [each.due_at for each in made[: weeks + 8]]
    assert all(later - earlier >= timedelta(days=2) for earlier, later in pairwise(near))


def test_a_long_absence_keeps_the_first_and_the_last_and_says_why_the_others_are_left_out() -> None:
    monday = datetime(2027, 2, 1, 9, tzinfo=UTC)
    away = (date(2027, 2, 1), date(2027, 5, 30))
    before = monday - timedelta(days=14)
    stored = calendar(
        plan([rhythm(7, last_touch_at=before - timedelta(days=7))], at=before), hours=hours(away), now=before
    )

    left_out = [each for each in stored.touchpoints if each.status is Status.CANCELLED]
    assert len(left_out) >= 14
    notes = {each.cancellation.text for each in left_out if each.cancellation}
    assert notes == {"time off of Kim leaves it no room"}


def test_time_off_that_is_told_later_moves_what_is_planned_and_back_when_it_is_taken_back() -> None:
    monday = datetime(2027, 2, 1, 9, tzinfo=UTC)
    now = monday - timedelta(days=30)
    asked = plan([rhythm(30, last_touch_at=now)], at=now)
    first = calendar(asked, hours=hours(), now=now)

    moved = calendar(asked, first, hours((date(2027, 2, 1), date(2027, 2, 2))), now=now)
    back = calendar(asked, moved, hours(), now=now)

    assert planned(moved)[0].shift == "moved: time off of Kim"
    assert planned(moved)[0].due_at != planned(first)[0].due_at
    assert [each.due_at for each in planned(back)] == [each.due_at for each in planned(first)]
    again = calendar(asked, moved, hours((date(2027, 2, 1), date(2027, 2, 2))), now=now)
    assert planned(again) == planned(moved)


def test_a_daily_newsletter_knows_no_holiday() -> None:
    tips = at(1, CHRISTMAS - timedelta(days=3), hours(), owner="marketing", csm_id=None, channel="email")

    assert {each.shift for each in tips} == {None}
    assert len({each.due_at.date() for each in tips}) == len(tips) >= 28


def test_a_daily_call_rests_on_a_holiday_as_at_weekends() -> None:
    made = at(1, CHRISTMAS - timedelta(days=3), hours())

    assert CHRISTMAS.date() not in {each.due_at.date() for each in made}
    assert len({each.due_at for each in made}) == len(made)


def promoter(deadline: datetime) -> list[Touchpoint]:
    """Asked on Thursday 25 March 2027, 17:00 in Berlin: Friday and Monday are public holidays."""
    now = datetime(2027, 3, 25, 16, tzinfo=UTC)
    ask = one_off(
        "advocacy_ask",
        channel="email",
        window=Window(from_=now, to=now + timedelta(hours=48)),
        deadline=deadline,
    )
    return planned(calendar(plan([], [ask], at=now), hours=hours(), now=now))


def test_a_promise_that_no_open_hour_can_keep_says_so_when_it_is_planned() -> None:
    """F12: a promoter answers on the evening before Good Friday; the ask is not sent into the holidays."""
    (made,) = promoter(datetime(2027, 3, 27, 16, tzinfo=UTC))

    assert made.due_at == datetime(2027, 3, 30, 7, tzinfo=UTC)
    assert made.deadline == datetime(2027, 3, 30, 15, tzinfo=UTC)
    assert made.shift == (
        "late: nothing is open before its deadline, 2027-03-27T16:00:00Z: public holiday Good Friday, no working day"
        ", public holiday Easter Monday"
    )


def test_what_is_late_stays_when_the_plan_forgets_it_after_its_window() -> None:
    (made,) = promoter(datetime(2027, 3, 27, 16, tzinfo=UTC))
    later = datetime(2027, 3, 29, 16, tzinfo=UTC)

    (kept,) = calendar(plan(version=2, at=later), StoredCalendar((made,), {}, {}), hours(), later).touchpoints

    assert kept.status is Status.PLANNED


def test_the_deadline_of_peoples_work_is_the_end_of_their_last_hours_before_it() -> None:
    start = datetime(2027, 3, 22, 9, tzinfo=UTC)
    sunday = datetime(2027, 3, 28, 12, tzinfo=UTC)
    step = one_off("step", window=Window(from_=start, to=sunday), deadline=sunday)
    (made,) = calendar(plan([], [step], at=start), hours=hours(), now=start).touchpoints

    assert made.deadline == datetime(2027, 3, 25, 16, tzinfo=UTC)  # Thursday 17:00: Friday is Good Friday
    assert made.end_at == sunday


def test_a_deadline_in_working_hours_stays() -> None:
    start = datetime(2027, 3, 22, 9, tzinfo=UTC)
    deadline = datetime(2027, 3, 24, 9, 30, tzinfo=UTC)
    step = one_off("step", window=Window(from_=start, to=deadline), deadline=deadline)
    (made,) = calendar(plan([], [step], at=start), hours=hours(), now=start).touchpoints

    assert made.deadline == deadline


def test_a_deadline_is_before_the_date_that_it_protects() -> None:
    start = datetime(2027, 3, 1, 9, tzinfo=UTC)
    end = datetime(2027, 3, 20, tzinfo=UTC)
    about = About(contract_id="c1", renews_on=date(2027, 4, 1), notice_on=date(2027, 3, 10))
    step = one_off("step", window=Window(from_=start, to=end), deadline=end, about=about)
    (made,) = calendar(plan([], [step], at=start), hours=hours(), now=start).touchpoints

    assert made.deadline == datetime(2027, 3, 9, 16, tzinfo=UTC)


def test_an_escalation_on_a_saturday_is_over_on_monday_evening() -> None:
    """Row 42: internal work, due on Saturday 00:00 UTC, with a day's time."""
    saturday = datetime(2027, 3, 6, tzinfo=UTC)
    step = one_off(
        "renewal_escalation",
        topic=None,
        window=Window(from_=saturday, to=saturday + timedelta(days=7)),
        deadline=saturday + timedelta(days=1),
        about=About(contract_id="c1", renews_on=date(2027, 3, 13)),
    )
    now = saturday - timedelta(days=30)
    (made,) = calendar(plan([], [step], at=now), hours=hours(), now=now).touchpoints

    assert made.deadline == datetime(2027, 3, 8, 16, tzinfo=UTC)


def test_what_has_no_open_hour_before_the_date_it_protects_is_done_before_its_window() -> None:
    saturday = datetime(2027, 3, 6, tzinfo=UTC)
    step = one_off(
        "renewal_discussion",
        window=Window(from_=saturday, to=saturday + timedelta(days=1)),
        deadline=saturday + timedelta(days=1),
        about=About(contract_id="c1", renews_on=date(2027, 3, 8)),
    )
    now = saturday - timedelta(days=30)
    (made,) = calendar(plan([], [step], at=now), hours=hours(), now=now).touchpoints

    assert made.due_at == datetime(2027, 3, 5, 8, tzinfo=UTC)
    assert made.deadline == datetime(2027, 3, 5, 16, tzinfo=UTC)
    assert made.shift == "moved before its window: no working day"


def test_the_same_plan_twice_moves_nothing_around_closures() -> None:
    now = datetime(2026, 11, 2, 9, tzinfo=UTC)
    asked = plan(
        [rhythm(7), rhythm(90, touchpoint_type="business_review", never_skip=True)], [one_off()], at=now
    )
    where = hours((date(2026, 12, 14), date(2027, 1, 8)))
    first = calendar(asked, hours=where, now=now)

    assert calendar(decided(asked, version=2), first, where, now).touchpoints == first.touchpoints


TUESDAY = datetime(2026, 11, 17, 9, tzinfo=UTC)
WEDNESDAY = datetime(2026, 12, 2, 9, tzinfo=UTC)
LEVELLED = "levelled: the week 2026-W49 is full"


def levelled_call(
    every_days: int = 14, later: timedelta = timedelta(days=3)
) -> tuple[RhythmItem, StoredCalendar]:
    """Calls from Tuesday 17 November; that of 1 December is levelled by some days to Friday 4 December."""
    calls = rhythm(every_days)
    stored = calendar(plan([calls], at=TUESDAY), hours=hours(), now=TUESDAY)
    first, second, *others = planned(stored)
    moved = second._replace(due_at=second.due_at + later, shift=LEVELLED)
    released = first._replace(status=Status.DUE, released_at=TUESDAY)
    return calls, StoredCalendar((released, moved, *others), stored.series, {"check_in": first.due_at})


@pytest.mark.parametrize(
    ("kim", "due_at", "shift"),
    [
        (hours((date(2026, 12, 2), date(2026, 12, 11))), datetime(2026, 12, 14, 9, tzinfo=UTC), "time off of Kim"),
        (hours((date(2026, 12, 4), date(2026, 12, 4))), WEDNESDAY, "time off of Kim"),
        (working(0, 1, 2, 3), WEDNESDAY, "no working day"),
        (working(0, 1), datetime(2026, 12, 7, 9, tzinfo=UTC), "no working day"),
    ],
)  # fmt: skip
def test_a_call_whose_target_has_passed_never_moves_into_the_past_when_its_day_closes(
    kim: AccountHours, due_at: datetime, shift: str
) -> None:
    calls, stored = levelled_call()
    again = planned(calendar(plan([calls], at=WEDNESDAY), stored, kim, WEDNESDAY))[0]

    assert (again.due_at, again.shift) == (due_at, f"moved: {shift}")


def test_a_call_whose_target_has_passed_stays_while_its_day_is_open() -> None:
    calls, stored = levelled_call()
    again = planned(calendar(plan([calls], at=WEDNESDAY), stored, hours(), WEDNESDAY))[0]

    assert (again.due_at, again.shift) == (datetime(2026, 12, 4, 9, tzinfo=UTC), LEVELLED)


def test_a_call_that_a_colleague_leads_comes_back_to_its_person_on_its_day_not_in_the_past() -> None:
    calls, stored = levelled_call()
    covered = [
        each._replace(csm_id="ben", shift="covered by Ben: Kim is away (week 2026-W49)")
        if each.shift == LEVELLED
        else each
        for each in stored.touchpoints
    ]
    stored = StoredCalendar(tuple(covered), stored.series, stored.last_due_at)
    again = planned(calendar(plan([calls], at=WEDNESDAY), stored, hours(), WEDNESDAY))[0]

    assert (again.due_at, again.csm_id) == (datetime(2026, 12, 4, 9, tzinfo=UTC), "ada")


@given(
    st.sampled_from([3, 7, 14, 30, 90]),
    st.integers(1, 6),
    st.floats(0, 1),
    st.integers(-3, 6),
    st.integers(0, 20),
    st.frozensets(st.integers(0, 6), min_size=1),
)
def test_what_stands_ahead_never_moves_into_the_past(
    every_days: int, later: int, part: float, away_in: int, away_for: int, days: frozenset[int]
) -> None:
    """`part`: how much of the time between its target and its levelled day has passed."""
    calls, stored = levelled_call(every_days, timedelta(days=later))
    now = TUESDAY + timedelta(days=every_days) + part * timedelta(days=later)
    first = now.date() + timedelta(days=away_in)
    kim = working(*days, away=(first, first + timedelta(days=away_for)))
    ahead = {each.id for each in planned(stored) if each.due_at > now}

    changed = reconciled(plan([calls], at=now), stored, kim, now).changes

    assert [
        change.touchpoint.due_at
        for change in changes_of_planned(changed)
        if change.touchpoint.id in ahead and change.touchpoint.due_at < now
    ] == []
