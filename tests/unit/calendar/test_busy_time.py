"""Busy time as values, and what it does to the hours of a person and to the places of their calls."""

import pickle
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.times import USUAL_QUIET_HOURS
from schemas.vocabulary import Channel, Topic
from schemas.zones import UTC_ZONE
from services.calendar.avoid import Availability
from services.calendar.busy_time import find_changes, make_busy_time
from services.calendar.closed_reasons import closed_reason, reason_at
from services.calendar.contact_hours import contact_hours
from services.calendar.lengths import length_of
from services.calendar.open_hours import (
    OpenHours,
    call_hours,
    is_open_at,
    next_open,
    open_minutes,
    working_hours,
)
from services.calendar.person_book import (
    AccountDays,
    PersonBook,
    PlannedTouch,
    TouchWork,
    availability_key,
    find_availability,
)
from services.calendar.person_hours import available_minutes
from services.calendar.person_levelling import level_person
from services.calendar.stretches import Span, from_micros, to_micros

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def span(start: datetime, hours: float) -> Span:
    return to_micros(start), to_micros(start + hours * HOUR)


def dana(*spans: Span) -> OpenHours:
    return OpenHours(UTC_ZONE, person="Dana", busy=make_busy_time(spans))


def test_busy_times_are_joined_in_order_and_come_back_from_a_worker_as_they_were() -> None:
    busy = make_busy_time([span(MONDAY + 9 * HOUR, 1), span(MONDAY, 1), span(MONDAY + 9.5 * HOUR, 2)])

    assert busy is not None
    assert busy.widen(0) == make_busy_time([span(MONDAY, 1), span(MONDAY + 9 * HOUR, 2.5)]).widen(0)  # type: ignore[union-attr]
    assert pickle.loads(pickle.dumps(busy)) == busy  # noqa: S301
    assert make_busy_time([(5, 5)]) is None


def test_changes_are_what_is_busy_in_one_of_two() -> None:
    before = make_busy_time([span(MONDAY, 2), span(MONDAY + DAY, 1)])
    after = make_busy_time([span(MONDAY + HOUR, 2), span(MONDAY + DAY, 1)])

    changed = find_changes(before, after)

    assert [from_micros(at) for at in changed.starts] == [MONDAY, MONDAY + 2 * HOUR]
    assert not find_changes(after, after).starts
    assert len(find_changes(None, after).starts) == 2


def test_a_call_that_would_not_end_before_busy_time_does_not_begin() -> None:
    hours = dana(span(MONDAY + 11 * HOUR, 1))
    half, whole = call_hours(hours, 30), call_hours(hours, 60)

    assert is_open_at(MONDAY + 10.25 * HOUR, half)
    assert not is_open_at(MONDAY + 10.25 * HOUR, whole)
    assert next_open(MONDAY + 10.25 * HOUR, whole) == MONDAY + 12 * HOUR
    assert call_hours(OpenHours(UTC_ZONE), 60) == OpenHours(UTC_ZONE)


def test_only_appointments_need_a_free_place() -> None:
    hours = dana(span(MONDAY + 9 * HOUR, 8))

    assert not is_open_at(MONDAY + 10 * HOUR, contact_hours(hours, "account", "call", 30))
    others: tuple[tuple[Topic | None, Channel], ...] = (
        ("account", "email"),
        (None, "in_app"),
        (None, "call"),
    )
    for topic, channel in others:
        assert contact_hours(hours, topic, channel, 30) == working_hours(hours)
        assert is_open_at(MONDAY + 10 * HOUR, working_hours(hours))


def test_reasons_say_whose_calendar_it_is() -> None:
    hours = dana(span(MONDAY + 9 * HOUR, 8), span(MONDAY + DAY + 9 * HOUR, 1))

    assert closed_reason(date(2026, 3, 2), hours) == "Dana is busy then"
    assert closed_reason(date(2026, 3, 3), hours) is None
    assert reason_at(MONDAY + DAY + 9.5 * HOUR, hours) == "Dana is busy then"
    assert reason_at(MONDAY + DAY + 11 * HOUR, hours) is None


def test_no_day_offers_more_minutes_than_are_free_in_it() -> None:
    hours = dana(span(MONDAY + 9 * HOUR, 7), span(MONDAY + DAY + 9 * HOUR, 2))
    days = [date(2026, 3, day) for day in range(2, 7)]

    assert [open_minutes(day, hours) for day in days] == [60, 360, 480, 480, 480]
    assert available_minutes(hours, 1500, days, 5) == 60 + 4 * 300
    assert available_minutes(working_hours(hours), 1500, days, 5) == 1500


def test_what_busy_time_meets_stays_on_its_day_while_the_day_has_room() -> None:
    """After it if that is open, else before it, never before now."""
    hours = call_hours(dana(span(MONDAY + 13 * HOUR, 4), span(MONDAY + DAY + 10 * HOUR, 1)), 60)
    free = Availability((), UTC_ZONE, hours)

    assert free.beside_busy_time(MONDAY + DAY + 10 * HOUR, MONDAY) == MONDAY + DAY + 11 * HOUR
    assert free.beside_busy_time(MONDAY + 14 * HOUR, MONDAY) == MONDAY + 9 * HOUR
    assert free.beside_busy_time(MONDAY + 14 * HOUR, MONDAY + 9.5 * HOUR) is None
    assert free.beside_busy_time(MONDAY + 5 * DAY + 10 * HOUR, MONDAY) is None


def touch(number: int, target: datetime, minutes: int) -> PlannedTouch:
    week = timedelta(days=3)
    return PlannedTouch(
        f"t{number:03}",
        f"a{number}",
        "check_in",
        target,
        target,
        target - week,
        target + week,
        2,
        minutes,
        1,
        is_new=True,
    )


@given(
    busy=st.lists(st.tuples(st.integers(0, 28 * 24 * 4), st.integers(1, 40)), min_size=1, max_size=40),
    calls=st.lists(
        st.tuples(st.integers(2, 26), st.integers(9 * 4, 16 * 4), st.sampled_from([0, 15, 30, 60, 120])),
        max_size=12,
    ),
)
def test_no_levelled_call_overlaps_busy_time(
    busy: list[tuple[int, int]], calls: list[tuple[int, int, int]]
) -> None:
    """Whatever the calendar has, and wherever the calls stand: what is moved has a free place."""
    spans = [span(MONDAY + start * 15 * MINUTE, length / 4) for start, length in busy]
    hours = dana(*spans)
    touches = [
        touch(number, next_open(MONDAY + day * DAY + quarter * 15 * MINUTE, working_hours(hours)), minutes)
        for number, (day, quarter, minutes) in enumerate(calls)
    ]
    account = AccountDays(None, USUAL_QUIET_HOURS)
    known = {
        availability_key(each.account_id, each.type): find_availability(
            (), TouchWork("account", "call", each.minutes), hours, account
        )
        for each in touches
    }
    found = {key: free for key, free in known.items() if free is not None}
    assert len(found) == len(touches)
    book = PersonBook("dana", hours, 1500, tuple(touches), (), found)

    levelled = level_person(book, MONDAY)

    lengths = {each.id: length_of(each.minutes) for each in touches}
    for move in levelled.moves:
        call = to_micros(move.due_at), to_micros(move.due_at + lengths[move.id])
        assert not any(start < call[1] and call[0] < end for start, end in spans), move
        assert time(9) <= move.due_at.time() < time(17)
    # What has no place is not lost: it is named, and its owner's colleagues or an escalation get it.
    moved = {move.id for move in levelled.moves}
    assert moved.isdisjoint(each.touch_id for each in levelled.homeless)
