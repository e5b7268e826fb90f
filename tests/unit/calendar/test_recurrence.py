"""When the occurrences of a rhythm are."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.times import QuietHours
from schemas.zones import find_zone
from services.calendar.open_hours import EVERY_DAY, OpenHours, from_wall, message_hours, to_wall
from services.calendar.recurrence import choose_anchor, iterate_slots, start_fraction
from tests.unit.calendar.plans import NOW, OFFICE, UTC_ZONE, calendar, openings, plan, rhythm, zones

BERLIN = ZoneInfo("Europe/Berlin")


def test_an_urgent_rhythm_starts_now() -> None:
    assert choose_anchor(rhythm(7), "acme", None, NOW, OFFICE) == NOW


def test_an_urgent_rhythm_waits_an_interval_after_the_last_contact() -> None:
    assert choose_anchor(rhythm(7), "acme", NOW - timedelta(days=3), NOW, OFFICE) == NOW + timedelta(days=4)


def test_a_spread_rhythm_starts_within_its_first_interval_and_always_at_the_same_place() -> None:
    calm = rhythm(28, urgency="spread")
    starts = [choose_anchor(calm, f"account-{n}", None, NOW, None) for n in range(1000)]

    assert all(NOW < start <= NOW + timedelta(days=28) for start in starts)
    assert starts == [choose_anchor(calm, f"account-{n}", None, NOW, None) for n in range(1000)]
    weeks = [
        sum(NOW + timedelta(days=7 * w) < each <= NOW + timedelta(days=7 * w + 7) for each in starts)
        for w in range(4)
    ]
    assert min(weeks) > 200


def test_a_weekly_rhythm_keeps_its_wall_time_over_the_change_of_clocks() -> None:
    nine_in_berlin = datetime(2026, 3, 23, 8, tzinfo=UTC)

    made = [
        slot.due_at
        for slot in islice(iterate_slots(nine_in_berlin, 7, BERLIN, OpenHours(BERLIN), after=None), 3)
    ]

    assert made == [nine_in_berlin, datetime(2026, 3, 30, 7, tzinfo=UTC), datetime(2026, 4, 6, 7, tzinfo=UTC)]


def test_a_daily_rhythm_of_a_person_rests_at_the_weekend() -> None:
    made = list(islice(iterate_slots(NOW, 1, UTC_ZONE, OFFICE, after=None), 7))

    assert [slot.due_at.weekday() for slot in made] == [0, 1, 2, 3, 4, 0, 1]
    assert made[4].deadline == made[5].nominal


def test_a_daily_mail_goes_out_every_day() -> None:
    made = list(islice(iterate_slots(NOW, 1, UTC_ZONE, message_hours(UTC_ZONE, QuietHours()), after=None), 8))

    assert [slot.due_at for slot in made] == [NOW + timedelta(days=n) for n in range(8)]


def test_a_later_start_gives_the_same_slots() -> None:
    whole = list(islice(iterate_slots(NOW, 3, BERLIN, OpenHours(BERLIN), after=None), 60))

    assert (
        list(islice(iterate_slots(NOW, 3, BERLIN, OpenHours(BERLIN), after=whole[30].nominal), 29))
        == whole[31:]
    )


@settings(deadline=None)
@given(st.integers(1, 400), zones, openings(), st.integers(0, 600))
def test_slots_ascend_are_open_never_early_and_end_before_the_next(
    every_days: int, zone: ZoneInfo, opening: OpenHours, days: int
) -> None:
    made = list(islice(iterate_slots(NOW, every_days, zone, opening, after=NOW + timedelta(days=days)), 30))

    for slot, following in pairwise(made):
        assert NOW + timedelta(days=days) < slot.nominal <= slot.due_at <= following.due_at
        assert slot.due_at < slot.deadline == following.nominal


def test_fractions_lie_above_nothing_and_up_to_the_whole() -> None:
    assert all(0 < start_fraction(f"a{n}", "tips") <= 1 for n in range(500))


def test_the_shortest_and_the_longest_interval_of_a_plan_do_no_harm() -> None:
    for every_days in (1, 3660):
        calendar(plan([rhythm(every_days, last_touch_at=NOW - timedelta(days=1))]))


@pytest.mark.parametrize("rule", [None, "FREQ=DAILY"])
@pytest.mark.parametrize(
    ("zone", "no_day"),
    [
        ("Pacific/Apia", date(2011, 12, 30)),
        ("Pacific/Fakaofo", date(2011, 12, 30)),
        ("Pacific/Kwajalein", date(1993, 8, 21)),
        ("Pacific/Kiritimati", date(1994, 12, 31)),
    ],
)
@pytest.mark.parametrize("opening", [False, True])
def test_a_daily_rhythm_has_one_moment_on_each_day_and_none_on_a_day_that_its_zone_skipped(
    rule: str | None, zone: str, no_day: date, *, opening: bool
) -> None:
    place = find_zone(zone)
    anchor = from_wall(datetime.combine(no_day - timedelta(days=3), time(10)), place)
    hours = OpenHours(place, EVERY_DAY) if opening else None

    slots = list(islice(iterate_slots(anchor, 1, place, hours, after=None, rrule=rule), 6))

    days = [to_wall(slot.due_at, place).date() for slot in slots]
    assert days == [no_day + timedelta(days=days) for days in (-3, -2, -1, 1, 2, 3)]
    assert [slot.deadline for slot in slots[:-1]] == [slot.nominal for slot in slots[1:]]


@pytest.mark.parametrize("rule", [None, "FREQ=WEEKLY;BYDAY=FR"])
def test_a_weekly_rhythm_on_a_day_that_its_zone_skipped_is_not_left_out(rule: str | None) -> None:
    """30 December 2011 was to be a Friday in Samoa."""
    apia = find_zone("Pacific/Apia")
    days = [date(2011, 12, 23), date(2011, 12, 31), date(2012, 1, 6)]
    expected = [from_wall(datetime.combine(day, time(10)), apia) for day in days]

    slots = islice(iterate_slots(expected[0], 7, apia, None, after=None, rrule=rule), 3)

    assert [slot.due_at for slot in slots] == expected
