"""The moments of rhythms by the calendar: their day, its neighbours when it is closed, and their order."""

from datetime import UTC, datetime, time, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.recurrence_dates import iterate_dates, mean_days, read_rule
from schemas.times import QuietHours
from schemas.zones import ZONE_NAMES, find_zone
from services.calendar.open_hours import OpenHours, from_wall, message_hours, next_open, to_wall
from services.calendar.patterns import CLOSED
from services.calendar.recurrence import Slot, choose_anchor, iterate_slots
from tests.unit.calendar.plans import NOW, OFFICE, UTC_ZONE, by_rule, openings, rules

BERLIN = ZoneInfo("Europe/Berlin")
every_zone = st.sampled_from(sorted(ZONE_NAMES)).map(find_zone)
YEAR = timedelta(days=366)


def slots_of(rule: str, anchor: datetime, hours: OpenHours | None, count: int) -> list[Slot]:
    zone = UTC_ZONE if hours is None else hours.zone
    every_days = mean_days(read_rule(rule))
    return list(islice(iterate_slots(anchor, every_days, zone, hours, after=None, rrule=rule), count))


def test_wednesday_tips_are_due_on_wednesdays_at_one_wall_time_all_year() -> None:
    """S134."""
    mails = message_hours(BERLIN, QuietHours())
    tips = by_rule("FREQ=WEEKLY;BYDAY=WE", urgency="spread", owner="marketing", topic="education")
    for account in range(50):
        anchor = choose_anchor(tips, f"account-{account}", None, NOW, mails, BERLIN)
        made = slots_of("FREQ=WEEKLY;BYDAY=WE", anchor, mails, 53)

        assert NOW < anchor <= NOW + timedelta(days=8)
        assert {to_wall(slot.due_at, BERLIN).weekday() for slot in made} == {2}
        assert len({to_wall(slot.due_at, BERLIN).time() for slot in made}) == 1
        assert all(slot.reason is None for slot in made)


def test_a_monthly_report_keeps_its_day_of_the_month_and_accounts_are_spread_over_it() -> None:
    report = by_rule("FREQ=MONTHLY", urgency="spread", owner="automation")
    days: set[int] = set()
    for account in range(200):
        anchor = choose_anchor(report, f"account-{account}", None, NOW, None)
        own = {slot.due_at.day for slot in slots_of("FREQ=MONTHLY", anchor, None, 12)}
        assert len(own) == 1 or anchor.day > 28
        days |= own
    assert len(days) > 25


def test_a_report_after_a_contact_comes_on_its_day_in_the_next_month() -> None:
    last = datetime(2026, 2, 17, 9, tzinfo=UTC)
    report = by_rule("FREQ=MONTHLY", urgency="soon")

    assert choose_anchor(report, "acme", last, NOW, None) == datetime(2026, 3, 17, 9, tzinfo=UTC)


def test_a_weekly_mail_that_was_late_does_not_skip_the_next_week() -> None:
    late = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)  # a Wednesday
    tips = by_rule("FREQ=WEEKLY;BYDAY=WE", urgency="soon")

    anchor = choose_anchor(tips, "acme", late, datetime(2026, 3, 5, 9, tzinfo=UTC), None)

    assert anchor.date() == datetime(2026, 3, 11, tzinfo=UTC).date()


def test_a_closed_day_moves_to_the_nearest_open_one_and_says_so() -> None:
    saturday = datetime(2026, 8, 1, 10, tzinfo=UTC)
    made = slots_of("FREQ=MONTHLY;BYMONTHDAY=1", saturday, OFFICE, 6)

    assert [f"{slot.due_at:%a %d %b}" for slot in made] == [
        "Fri 31 Jul", "Tue 01 Sep", "Thu 01 Oct", "Mon 02 Nov", "Tue 01 Dec", "Fri 01 Jan",
    ]  # fmt: skip
    assert made[0].reason == f"{CLOSED}Saturday 1 August is closed (no working day)"
    assert made[1].reason is None


def test_a_daily_rule_of_a_person_rests_at_the_weekend() -> None:
    made = slots_of("FREQ=DAILY", NOW, OFFICE, 7)

    assert [slot.due_at.weekday() for slot in made] == [0, 1, 2, 3, 4, 0, 1]


def test_a_time_that_the_clocks_skip_is_moved_forward_and_comes_back() -> None:
    half_past_two = from_wall(datetime.combine(datetime(2026, 3, 22).date(), time(2, 30)), BERLIN)  # noqa: DTZ001
    made = slots_of(
        "FREQ=WEEKLY;BYDAY=SU", half_past_two, OpenHours(BERLIN, frozenset(range(7)), time(0), time(23)), 3
    )

    assert [f"{to_wall(slot.due_at, BERLIN):%d %H:%M}" for slot in made] == [
        "22 02:30",
        "29 03:30",
        "05 02:30",
    ]


@settings(max_examples=60, deadline=None)
@given(rules, every_zone, st.integers(0, 500_000))
def test_moments_are_those_of_a_scan_over_all_days_of_a_year_in_every_zone(
    text: str, zone: ZoneInfo, minutes: int
) -> None:
    """They never drift, are in order, and never come twice."""
    rule, start = read_rule(text), NOW + timedelta(minutes=minutes)
    wall = to_wall(start, zone)
    first = next(iterate_dates(rule, wall.date(), wall.date()))
    anchor = from_wall(datetime.combine(first, wall.time()), zone)

    slots = iterate_slots(anchor, mean_days(rule), zone, None, after=None, rrule=text)
    made = [slot.nominal for slot in takewhile(lambda slot: slot.nominal <= anchor + YEAR, slots)]

    on_rule = set(takewhile(lambda day: day <= first + 2 * YEAR, iterate_dates(rule, first, first)))
    days = (first + timedelta(days=number) for number in range(368))
    scanned = [from_wall(datetime.combine(day, wall.time()), zone) for day in days if day in on_rule]
    assert made == [moment for moment in scanned if moment <= anchor + YEAR]
    assert all(one < other for one, other in pairwise(made))


@settings(max_examples=80, deadline=None)
@given(rules, openings(), st.integers(0, 600))
def test_slots_are_open_in_order_and_the_same_from_a_later_start(
    text: str, opening: OpenHours, days: int
) -> None:
    zone, every_days = opening.zone, mean_days(read_rule(text))
    anchor = choose_anchor(by_rule(text), "acme", None, NOW, opening, zone)
    after = anchor + timedelta(days=days)

    later = list(islice(iterate_slots(anchor, every_days, zone, opening, after=after, rrule=text), 8))
    whole = iterate_slots(anchor, every_days, zone, opening, after=None, rrule=text)

    assert later == list(islice((slot for slot in whole if slot.nominal > after), 8))
    for slot, following in pairwise(later):
        assert slot.nominal < slot.deadline == following.nominal
        assert slot.due_at < following.due_at
        assert next_open(slot.due_at, opening) == slot.due_at
        same_day = to_wall(slot.due_at, zone).date() == to_wall(slot.nominal, zone).date()
        assert same_day == (slot.closed is None)
