"""Level the work of one person: their book for the levelling core, and what it changes as dates.

Days are those of the person's zone; a touchpoint keeps its time of day. What takes place today or tomorrow stays.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from services.calendar.avoid import Availability
from services.calendar.book_days import number_open_days, share_days
from services.calendar.levelling import (
    Beat,
    Book,
    Hold,
    Homeless,
    Move,
    Touch,
    choose_phases,
    relevel,
)
from services.calendar.levelling.model import NOWHERE
from services.calendar.open_hours import DAY, from_wall, next_open, open_minutes, to_wall
from services.calendar.person_book import (
    HORIZON_DAYS,
    SETTLED_DAYS,
    LevelledTouch,
    NewRhythm,
    PersonBook,
    PlannedTouch,
    availability_key,
)
from services.calendar.person_hours import minutes_a_day
from services.calendar.person_relief import NO_RELIEF, PersonRelief, find_relief
from services.calendar.weeks import name_week
from services.calendar.windows import LEVELLED

APART_DAYS: Final = 2
"""Two touchpoints of one account keep so many days apart, as far as their windows allow."""


class PersonLevelling(NamedTuple):
    """What changes: anchors by (account, type), moved touchpoints, and those for which no day is allowed.

    Among the moves is what gave way and comes back. `crowded`: how many stand less than two days from another of their
    account, because no other day is better. `relief`: what does not fit, and what is given up for it.
    """

    anchors: Mapping[tuple[str, str], datetime]
    moves: tuple[LevelledTouch, ...] = ()
    homeless: tuple[Homeless, ...] = ()
    crowded: int = 0
    relief: PersonRelief = NO_RELIEF


def level_person(person: PersonBook, now: datetime, *, with_conflicts: bool = True) -> PersonLevelling:
    """Choose the phases of new rhythms; without any, find what does not fit, and level what stays.

    Phases come first: the occurrences of a new rhythm are placed anew before they are levelled. `with_conflicts`: of
    `find_relief`.
    """
    maker = BookMaker(person, now)
    if person.rhythms:
        return PersonLevelling(maker.choose_anchors())
    book = maker.make((*person.touches, *person.yielded))
    relief = find_relief(person, book, now, with_conflicts=with_conflicts)
    gone = relief.gone
    staying = book._replace(touches=tuple(touch for touch in book.touches if touch.id not in gone))
    return maker.relevel(staying)._replace(relief=relief)


def find_person_relief(person: PersonBook, now: datetime) -> PersonRelief:
    """What does not fit, and what is to be given up for it, without levelling."""
    book = BookMaker(person, now).make((*person.touches, *person.yielded))
    return find_relief(person, book, now)


class BookMaker:
    def __init__(self, person: PersonBook, now: datetime) -> None:
        self._person = person
        self._zone = person.hours.zone
        today = to_wall(now, self._zone).date()
        self._first = today - timedelta(days=today.weekday())
        self._today = (today - self._first).days
        self._days = share_days(self._zone, self._first, HORIZON_DAYS)
        self._day = self._days.number_of
        self._in_own_hours = Availability((), self._zone, person.hours)

    def choose_anchors(self) -> dict[tuple[str, str], datetime]:
        pending = {(rhythm.account_id, rhythm.type): rhythm for rhythm in self._person.rhythms}
        others = [each for each in self._person.touches if (each.account_id, each.type) not in pending]
        phases = choose_phases(self.make(others), [self._beat(rhythm) for rhythm in pending.values()])
        return {key: self._anchor(pending[key], day) for key, day in phases.items()}

    def relevel(self, book: Book) -> PersonLevelling:
        planned = {each.id: each for each in (*self._person.touches, *self._person.yielded)}
        levelled = relevel(book)
        causes = {move.touch_id: move for move in levelled.moves}
        near = _NearTouches(book, levelled.days)
        moves: list[LevelledTouch | None] = []
        for touch, day in zip(book.touches, levelled.days, strict=True):
            each = planned[touch.id]
            former = self._day(each.due_at)
            if day >= 0 and (each.has_yielded or day != former):
                is_apart = not each.has_yielded and near.count(touch, former) > near.count(touch, day)
                moves.append(self._move(each, day, causes.get(touch.id), is_apart=is_apart))
        made = tuple(move for move in moves if move is not None)
        return PersonLevelling({}, made, levelled.homeless, self._count_crowded(book, levelled.days))

    def _count_crowded(self, book: Book, days: Sequence[int]) -> int:
        by_account = sorted(
            (touch.account_id, day)
            for touch, day in zip(book.touches, days, strict=True)
            if day >= self._today
        )
        return sum(
            account == following and later - day < APART_DAYS
            for (account, day), (following, later) in pairwise(by_account)
        )

    def _beat(self, rhythm: NewRhythm) -> Beat:
        first = max(self._day(rhythm.phase[0]), self._today + 1)
        last = max(self._day(rhythm.phase[1]) - 1, first)
        return Beat(rhythm.account_id, rhythm.type, rhythm.every_days, rhythm.minutes, first, last)

    def _anchor(self, rhythm: NewRhythm, day: int) -> datetime:
        """The time of day of the provisional anchor on that day; where it is closed, on the nearest open day."""
        hours = self._person.hours
        clock = to_wall(rhythm.anchor, self._zone).time()
        for near in sorted(range(day - 6, day + 7), key=lambda other: (abs(other - day), other)):
            moment = from_wall(datetime.combine(self._date(near), clock), self._zone)
            open_at = next_open(moment, hours)
            if near > self._today and to_wall(open_at, self._zone).date() == self._date(near):
                return open_at
        return next_open(from_wall(datetime.combine(self._date(day), clock), self._zone), hours)

    def make(self, planned: Sequence[PlannedTouch]) -> Book:
        """Touches beyond the horizon are none of its business; they are levelled when it reaches them."""
        last, minutes = HORIZON_DAYS - 1, self._day_minutes()
        touches = [
            self._touch(each, minutes)
            for each in planned
            if each.has_yielded or 0 <= self._day(each.due_at) <= last
        ]
        touches.sort(key=lambda touch: touch.id)
        return Book(self._person.csm_id, self._first, minutes, tuple(touches), self._idle_days())

    def _idle_days(self) -> frozenset[int]:
        if minutes_a_day(self._person.hours, self._person.weekly_minutes):
            return frozenset()
        return number_open_days(self._person.hours, self._first, HORIZON_DAYS)

    def _day_minutes(self) -> tuple[int, ...]:
        hours = self._person.hours
        minutes = minutes_a_day(hours, self._person.weekly_minutes)
        open_on = number_open_days(hours, self._first, HORIZON_DAYS)
        if hours.busy is None:
            return tuple(minutes if day in open_on else 0 for day in range(HORIZON_DAYS))
        return tuple(
            min(minutes, open_minutes(self._date(day), hours)) if day in open_on else 0
            for day in range(HORIZON_DAYS)
        )

    def _touch(self, planned: PlannedTouch, day_minutes: Sequence[int]) -> Touch:
        day, target = self._day(planned.due_at), self._day(planned.target_at)
        is_fixed = (
            planned.earliest_at is None or planned.latest_at is None or day < self._today + SETTLED_DAYS
        ) and not planned.has_yielded
        if is_fixed or planned.earliest_at is None or planned.latest_at is None:
            return Touch(
                planned.id, planned.account_id, planned.type, planned.priority, planned.minutes, day, 0, day, day,
                (), Hold.FROZEN, day,
            )  # fmt: skip
        opens_at, closes_at = planned.window
        earliest, latest = max(self._day(opens_at), self._today + SETTLED_DAYS), self._day(closes_at)
        closed = self._days.unavailable(
            self._availability(planned), range(earliest, latest + 1), (opens_at, closes_at)
        )  # the days on which `_moment_on` finds nothing
        is_nowhere = planned.has_yielded or (
            planned.is_new
            and not planned.is_invited
            and _has_day(day_minutes[max(earliest, 0) : latest + 1], max(earliest, 0), closed)
        )
        return Touch(
            planned.id, planned.account_id, planned.type, planned.priority, planned.minutes, target,
            planned.soft_days, earliest, latest, closed, Hold.INVITED if planned.is_invited else Hold.FREE,
            NOWHERE if is_nowhere else day,
        )  # fmt: skip

    def _availability(self, planned: PlannedTouch) -> Availability:
        key = availability_key(planned.account_id, planned.type)
        return self._person.accounts.get(key) or self._in_own_hours

    def _moment_on(self, planned: PlannedTouch, day: int) -> datetime | None:
        """When it would be due on that day, inside its window; None: it may not be."""
        opens_at, closes_at = planned.window
        availability, on = self._availability(planned), self._date(day)
        clock = to_wall(planned.target_at, self._zone).time()
        due_at = from_wall(datetime.combine(on, clock), self._zone)
        if not opens_at <= due_at <= closes_at or not availability.is_available(due_at):
            midnight = from_wall(datetime.combine(on, time()), self._zone)
            due_at = availability.first_available(max(midnight, opens_at))
        is_on_day = due_at <= closes_at and to_wall(due_at, self._zone).date() == on
        return due_at if is_on_day else None

    def _move(
        self, planned: PlannedTouch, day: int, move: Move | None, *, is_apart: bool
    ) -> LevelledTouch | None:
        """None: it may not be due on that day. What is new moves without a price, so it has no `move`.

        `is_apart`: fewer touchpoints of its account are near it there.
        """
        due_at = self._moment_on(planned, day)
        if due_at is None:
            return None
        former, chosen = self._week(self._day(planned.due_at)), self._week(day)
        if planned.has_yielded:
            reason = f"there is room for it again in the week {chosen}"
        elif is_apart:
            reason = "another day keeps it two days apart from another touchpoint of the account"
        elif former == chosen:
            reason = f"another day of the week {chosen} has more room"
        elif move is None or planned.is_new:
            reason = f"the week {chosen} has more room than {former}"
        else:
            load = f"{move.week_minutes_before} of {move.available} minutes and has {move.week_minutes_after} now"
            reason = f"the week {former} had {load}, the week {chosen} has more room"
        return LevelledTouch(planned.id, due_at, f"{LEVELLED}{reason}")

    def _week(self, day: int) -> str:
        return name_week(self._date(day))

    def _date(self, day: int) -> date:
        return self._first + day * DAY


def _has_day(minutes: Sequence[int], first: int, closed: Sequence[int]) -> bool:
    """Whether one of the days from `first` on is worked and not closed: what is new stays where it is without one."""
    return any(each and day not in closed for day, each in enumerate(minutes, first))


class _NearTouches:
    """The days of all touches of a book by account."""

    def __init__(self, book: Book, days: Sequence[int]) -> None:
        self._by_account: dict[str, list[tuple[str, int]]] = {}
        for touch, day in zip(book.touches, days, strict=True):
            if day >= 0:
                self._by_account.setdefault(touch.account_id, []).append((touch.id, day))

    def count(self, touch: Touch, day: int) -> int:
        """How many others of its account would be near that touch on that day."""
        others = self._by_account.get(touch.account_id, ())
        return sum(abs(other - day) < APART_DAYS for other_id, other in others if other_id != touch.id)
