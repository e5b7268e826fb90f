"""A person's work as a book, and what levelling changes as dates."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.calendar.avoid import Availability
from services.calendar.open_hours import OpenHours
from services.calendar.person_book import NewRhythm, PersonBook, PlannedTouch, availability_key
from services.calendar.person_levelling import PersonLevelling, level_person
from tests.unit.calendar.plans import NOW, OFFICE, season

DAY = timedelta(days=1)
BERLIN = OpenHours(ZoneInfo("Europe/Berlin"))


def touch(number: int, target_at: datetime, *, is_new: bool = True, width: int = 13) -> PlannedTouch:
    return PlannedTouch(
        f"t{number:03d}", f"acc-{number:03d}", "check_in", target_at, target_at, target_at - width * DAY,
        target_at + width * DAY, 5, 60, 0, is_new,
    )  # fmt: skip


def person(touches: Sequence[PlannedTouch], **changed: object) -> PersonBook:
    return PersonBook("ada", OFFICE, 600, tuple(touches), (), {})._replace(**changed)


def days_of(book: PersonBook, levelled: PersonLevelling) -> list[datetime]:
    moved = {move.id: move.due_at for move in levelled.moves}
    return [moved.get(each.id, each.due_at) for each in book.touches]


def test_twenty_talks_of_one_day_are_spread_over_their_windows_with_a_reason() -> None:
    target_at = NOW + 28 * DAY
    book = person([touch(number, target_at) for number in range(20)])
    levelled = level_person(book, NOW)
    weeks = Counter(due_at.isocalendar().week for due_at in days_of(book, levelled))
    assert max(weeks.values()) <= 10  # ten hours a week
    assert all(
        move.reason.startswith("levelled: the week 2026-W1")
        for move in levelled.moves
        if "day" not in move.reason
    )
    assert levelled.moves


def test_the_same_book_again_moves_nothing() -> None:
    target_at = NOW + 28 * DAY
    book = person([touch(number, target_at) for number in range(20)])
    due = days_of(book, level_person(book, NOW))
    again = person(
        [each._replace(due_at=at, is_new=False) for each, at in zip(book.touches, due, strict=True)]
    )
    assert level_person(again, NOW).moves == ()


def test_a_touchpoint_keeps_its_time_of_day_over_a_change_of_the_clocks() -> None:
    """Clocks go forward in Berlin on 29 March 2026."""
    target_at = datetime(2026, 3, 27, 9, tzinfo=BERLIN.zone)
    book = person([touch(number, target_at) for number in range(20)], hours=BERLIN)
    levelled = level_person(book, NOW)
    clocks = {move.due_at.astimezone(BERLIN.zone).time() for move in levelled.moves}
    assert clocks == {target_at.time()}
    assert any(move.due_at.date() > datetime(2026, 3, 29).date() for move in levelled.moves)  # noqa: DTZ001


def test_nothing_is_levelled_into_a_time_to_avoid() -> None:
    target_at = NOW + 28 * DAY
    closed = season(29, 58)
    touches = [touch(number, target_at) for number in range(20)]
    availability = Availability((closed,), OFFICE.zone, OFFICE)
    accounts = {availability_key(each.account_id, each.type): availability for each in touches}
    levelled = level_person(person(touches, accounts=accounts), NOW)
    assert levelled.moves
    assert all(move.due_at <= target_at + DAY for move in levelled.moves)


def test_what_is_due_today_or_tomorrow_stays() -> None:
    touches = [touch(number, NOW + DAY, is_new=False) for number in range(20)]
    assert level_person(person(touches), NOW).moves == ()


def test_new_rhythms_begin_where_the_weeks_have_room_and_nothing_moves_in_that_pass() -> None:
    rhythms = tuple(
        NewRhythm(f"acc-{number:03d}", "check_in", 28, 30, NOW, (NOW, NOW + 28 * DAY)) for number in range(40)
    )
    levelled = level_person(person([touch(1, NOW + 28 * DAY)], rhythms=rhythms), NOW)
    weeks = Counter((anchor - NOW).days // 7 for anchor in levelled.anchors.values())
    assert len(levelled.anchors) == 40
    assert not levelled.moves
    assert max(weeks.values()) <= 12, weeks


def test_what_people_are_invited_to_moves_only_out_of_a_week_that_does_not_hold_it() -> None:
    """S188: twelve talks of an hour on four days of a week of ten hours, and of one of thirty."""
    free = [touch(number, NOW + (28 + number % 4) * DAY, is_new=False) for number in range(12)]
    invited = [each._replace(is_invited=True) for each in free]
    assert len(level_person(person(invited), NOW).moves) == 2
    assert level_person(person(invited, weekly_minutes=1800), NOW).moves == ()
    assert level_person(person(free, weekly_minutes=1800), NOW).moves


def test_what_people_are_invited_to_keeps_its_day_also_in_a_book_that_is_new_to_it() -> None:
    """It came with an account that was handed over."""
    target_at = NOW + 28 * DAY
    new = [touch(number, target_at) for number in range(6)]
    assert level_person(person(new, weekly_minutes=1800), NOW).moves
    invited = [each._replace(is_invited=True) for each in new]
    assert level_person(person(invited, weekly_minutes=1800), NOW).moves == ()
