"""When a first invitation goes: at once when it is soon, else in a morning, a few a day, the soonest first."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import WEEKDAYS
from schemas.zones import find_zone
from services.notifier.domain.invitation import FIRST, Queue
from services.notifier.domain.invitation_slots import SOON, Mornings, find_slot

BERLIN = Mornings(find_zone("Europe/Berlin"), 5)
MONDAY = datetime(2026, 3, 2, 7, tzinfo=UTC)
"""08:00 in Berlin."""
FAR = MONDAY + timedelta(days=100)

zones = st.sampled_from(("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")).map(
    find_zone
)
weeks = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True).map(tuple)
mornings = st.builds(Mornings, zones, st.integers(1, 40), weeks)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize("hour", [0, 7, 12, 22])
def test_what_takes_place_within_two_weeks_goes_at_any_hour_whatever_goes_before(hour: int) -> None:
    now = MONDAY.replace(hour=hour)
    assert find_slot(now + SOON, now, Queue(99, (now,) * 99), BERLIN) is None
    assert find_slot(now + SOON + timedelta(seconds=1), now, Queue(99), BERLIN) is not None


@pytest.mark.parametrize(
    ("hour", "minute", "goes"), [(6, 29, False), (6, 30, True), (10, 59, True), (11, 0, False)]
)
def test_the_rest_goes_between_half_past_seven_and_noon(hour: int, minute: int, *, goes: bool) -> None:
    now = MONDAY.replace(hour=hour, minute=minute)
    assert (find_slot(FAR, now, FIRST, BERLIN) is None) is goes
    assert find_slot(FAR, now - timedelta(days=1), FIRST, BERLIN) == MONDAY.replace(hour=6, minute=30), (
        "no Sunday"
    )


def test_a_morning_that_has_passed_is_caught_up_with() -> None:
    evening = MONDAY.replace(hour=18)
    assert find_slot(FAR, evening, FIRST, BERLIN, planned_at=MONDAY) is None
    assert find_slot(FAR, evening, FIRST, BERLIN, planned_at=evening + timedelta(hours=1)) is not None


@pytest.mark.parametrize(
    ("rank", "sent", "day"),
    [(4, 0, None), (0, 5, 3), (3, 2, 3), (5, 0, 3), (9, 0, 3), (10, 0, 4), (25, 0, 9)],
)
def test_five_go_a_day_those_that_were_sent_today_among_them(rank: int, sent: int, day: int | None) -> None:
    today, yesterday = (MONDAY,) * sent, (MONDAY - timedelta(days=1),) * 9
    slot = find_slot(FAR, MONDAY, Queue(rank, (*today, *yesterday)), BERLIN)
    assert slot == (None if day is None else MONDAY.replace(day=day, hour=6, minute=30))


def test_no_slot_is_later_than_two_weeks_before() -> None:
    starts_at = MONDAY + timedelta(days=20)
    assert find_slot(starts_at, MONDAY, Queue(1_000), BERLIN) == starts_at - SOON


@given(readers=mornings, now=moments, ahead=st.integers(0, 200))
def test_a_slot_is_a_morning_of_a_working_day_and_ends_the_wait(
    readers: Mornings, now: datetime, ahead: int
) -> None:
    starts_at = now + timedelta(days=2_000)
    slot = find_slot(starts_at, now, Queue(ahead), readers)
    if slot is None:
        assert readers.is_open(now)
        return
    local = slot.astimezone(readers.zone)
    assert slot > now
    assert (local.time(), WEEKDAYS[local.weekday()] in readers.days) == (time(7, 30), True)
    assert find_slot(starts_at, slot, FIRST, readers) is None


@given(readers=mornings, now=moments, pending=st.integers(1, 120))
def test_no_day_has_more_than_its_share(readers: Mornings, now: datetime, pending: int) -> None:
    starts_at = now + timedelta(days=3_000)
    slots = [find_slot(starts_at, now, Queue(rank), readers) for rank in range(pending)]
    days = Counter((slot or now).astimezone(readers.zone).date() for slot in slots)
    assert max(days.values()) <= readers.most
    in_order = [slot or now for slot in slots]
    assert in_order == sorted(in_order), "the soonest first"
