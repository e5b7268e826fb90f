"""The work of one person as a book for the leveller, and what the leveller changes as dates.

Days are those of the person's zone; a touchpoint keeps its time of day. What takes place today or tomorrow stays.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final, NamedTuple

from services.calendar.avoid import Availability
from services.calendar.levelling import (
    HORIZON_WEEKS,
    Beat,
    Book,
    Hold,
    Homeless,
    Move,
    Touch,
    choose_phases,
    relevel,
)
from services.calendar.open_hours import DAY, OpenHours, from_wall, next_open, open_days, to_wall
from services.calendar.touchpoint import Origin
from services.calendar.windows import LEVELLED

SETTLED_DAYS: Final = 2
"""Today and tomorrow: nobody plans their day anew because of a colleague's account."""
DEFAULT_WEEKLY_MINUTES: Final = 2400
HORIZON_DAYS: Final = HORIZON_WEEKS * 7
PRIORITIES: Final[Mapping[str, int]] = {"escalation": 3, "floor": 2}
ONE_OFF_PRIORITY: Final = 1


def find_priority(precedence: str | None, origin: str) -> int:
    """How firmly a touchpoint stands among others, by the precedence of its rule; a one-off before a routine call."""
    priority = PRIORITIES.get(precedence or "", 0)
    return priority if origin == Origin.RHYTHM else max(priority, ONE_OFF_PRIORITY)


class PlannedTouch(NamedTuple):
    """A planned touchpoint of the person. `is_new`: it was planned since the book was levelled last."""

    id: str
    account_id: str
    type: str
    due_at: datetime
    target_at: datetime
    earliest_at: datetime | None
    latest_at: datetime | None
    soft_days: int
    minutes: int
    priority: int
    is_new: bool


class NewRhythm(NamedTuple):
    """A rhythm whose first moment is to be chosen between two; its provisional `anchor` has the time of day."""

    account_id: str
    type: str
    every_days: int
    minutes: int
    anchor: datetime
    phase: tuple[datetime, datetime]


class PersonBook(NamedTuple):
    """The person's hours and minutes a week, their planned touchpoints, and when each account is available."""

    csm_id: str
    hours: OpenHours
    weekly_minutes: int
    touches: tuple[PlannedTouch, ...]
    rhythms: tuple[NewRhythm, ...]
    accounts: Mapping[str, Availability]
    """By account and type, as `availability_key` joins them; others are available in the person's hours."""


class LevelledTouch(NamedTuple):
    """A touchpoint that moves, and why."""

    id: str
    due_at: datetime
    reason: str


class PersonLevelling(NamedTuple):
    """What changes: anchors by (account, type), moved touchpoints, and those for which no day is allowed."""

    anchors: Mapping[tuple[str, str], datetime]
    moves: tuple[LevelledTouch, ...] = ()
    homeless: tuple[Homeless, ...] = ()


def availability_key(account_id: str, touchpoint_type: str) -> str:
    return f"{account_id}\x00{touchpoint_type}"


def level_person(person: PersonBook, now: datetime) -> PersonLevelling:
    """Choose the phases of new rhythms; without any, level what is planned.

    Phases come first: the occurrences of a new rhythm are placed anew before they are levelled.
    """
    book = _BookMaker(person, now)
    if person.rhythms:
        return PersonLevelling(book.choose_anchors())
    return book.relevel()


def make_book(person: PersonBook, now: datetime) -> Book:
    """The person's touchpoints as the levelling core reads them, also to find what does not fit."""
    return _BookMaker(person, now).make(person.touches)


class _BookMaker:
    def __init__(self, person: PersonBook, now: datetime) -> None:
        self._person = person
        self._zone = person.hours.zone
        today = to_wall(now, self._zone).date()
        self._first = today - timedelta(days=today.weekday())
        self._today = (today - self._first).days
        self._at = cache(self._moment_on)
        self._spans_of = cache(self._find_spans)
        open_on = open_days(person.hours, self._first, self._date(HORIZON_DAYS - 1))
        self._worked = frozenset((day - self._first).days for day in open_on)

    def choose_anchors(self) -> dict[tuple[str, str], datetime]:
        pending = {(rhythm.account_id, rhythm.type): rhythm for rhythm in self._person.rhythms}
        others = [each for each in self._person.touches if (each.account_id, each.type) not in pending]
        phases = choose_phases(self.make(others), [self._beat(rhythm) for rhythm in pending.values()])
        return {key: self._anchor(pending[key], day) for key, day in phases.items()}

    def relevel(self) -> PersonLevelling:
        planned = {each.id: each for each in self._person.touches}
        book = self.make(self._person.touches)
        levelled = relevel(book)
        causes = {move.touch_id: move for move in levelled.moves}
        moves = [
            self._move(planned[touch.id], day, causes.get(touch.id))
            for touch, day in zip(book.touches, levelled.days, strict=True)
            if day >= 0 and day != self._day(planned[touch.id].due_at)
        ]
        return PersonLevelling({}, tuple(move for move in moves if move is not None), levelled.homeless)

    def _beat(self, rhythm: NewRhythm) -> Beat:
        first = max(self._day(rhythm.phase[0]), self._today + 1)
        last = max(self._day(rhythm.phase[1]) - 1, first)
        return Beat(rhythm.account_id, rhythm.type, rhythm.every_days, rhythm.minutes, first, last)

    def _anchor(self, rhythm: NewRhythm, day: int) -> datetime:
        clock = to_wall(rhythm.anchor, self._zone).time()
        return next_open(from_wall(datetime.combine(self._date(day), clock), self._zone), self._person.hours)

    def make(self, planned: Sequence[PlannedTouch]) -> Book:
        """Touches beyond the horizon are none of its business; they are levelled when it reaches them."""
        last = HORIZON_DAYS - 1
        touches = [self._touch(each) for each in planned if 0 <= self._day(each.due_at) <= last]
        touches.sort(key=lambda touch: touch.id)
        return Book(self._person.csm_id, self._first, self._day_minutes(), tuple(touches))

    def _day_minutes(self) -> tuple[int, ...]:
        minutes = self._person.weekly_minutes // (len(self._person.hours.days) or 1)
        return tuple(minutes if day in self._worked else 0 for day in range(HORIZON_DAYS))

    def _touch(self, planned: PlannedTouch) -> Touch:
        day, target = self._day(planned.due_at), self._day(planned.target_at)
        is_fixed = (
            planned.earliest_at is None or planned.latest_at is None or day < self._today + SETTLED_DAYS
        )
        if is_fixed or planned.earliest_at is None or planned.latest_at is None:
            return Touch(
                planned.id, planned.account_id, planned.type, planned.priority, planned.minutes, day, 0, day, day,
                (), Hold.FROZEN, day,
            )  # fmt: skip
        earliest = max(self._day(planned.earliest_at), self._today + SETTLED_DAYS)
        latest = self._day(planned.latest_at)
        closed = self._closed_days(planned, earliest, latest)
        return Touch(
            planned.id, planned.account_id, planned.type, planned.priority, planned.minutes, target,
            planned.soft_days, earliest, latest, closed, Hold.FREE, -1 if planned.is_new else day,
        )  # fmt: skip

    def _closed_days(self, planned: PlannedTouch, earliest: int, latest: int) -> tuple[int, ...]:
        """The days of the window on which the person works and it may not be due.

        A time of day within the person's own hours is open on every day they work, so only days that a time to avoid
        touches are looked at; others are looked at day by day.
        """
        worked = [day for day in range(earliest, latest + 1) if day in self._worked]
        key = availability_key(planned.account_id, planned.type)
        if self._is_usual(planned, self._person.accounts.get(key)):
            spans = self._spans_of(key)
            worked = [day for day in worked if any(first <= day <= last for first, last in spans)]
        return tuple(day for day in worked if self._at(planned, day) is None)

    def _is_usual(self, planned: PlannedTouch, availability: Availability | None) -> bool:
        hours = self._person.hours
        opening = hours if availability is None else availability.opening
        if opening is None:
            return True
        is_plain = opening == hours and not hours.also_in and hours.customer is None
        return is_plain and hours.start <= to_wall(planned.target_at, self._zone).time() < hours.end

    def _find_spans(self, key: str) -> tuple[tuple[int, int], ...]:
        """The first and the last day of each time to avoid of an account and type."""
        availability = self._person.accounts.get(key)
        return (
            ()
            if availability is None
            else tuple(
                (self._day(period.from_), HORIZON_DAYS if period.to is None else self._day(period.to))
                for period in availability.periods
            )
        )

    def _moment_on(self, planned: PlannedTouch, day: int) -> datetime | None:
        """When it would be due on that day; None: it may not be."""
        wall = datetime.combine(self._date(day), to_wall(planned.target_at, self._zone).time())
        moment = from_wall(wall, self._zone)
        availability = self._person.accounts.get(availability_key(planned.account_id, planned.type))
        if availability is None:
            free_at = next_open(moment, self._person.hours)
        elif availability.is_available(moment):
            return moment
        else:
            free_at = availability.first_available(
                from_wall(datetime.combine(wall, datetime.min.time()), self._zone)
            )
        return free_at if to_wall(free_at, self._zone).date() == wall.date() else None

    def _move(self, planned: PlannedTouch, day: int, move: Move | None) -> LevelledTouch | None:
        """None: it may not be due on that day. What is new moves without a price, so it has no `move`."""
        due_at = self._at(planned, day)
        if due_at is None:
            return None
        former, chosen = self._week(self._day(planned.due_at)), self._week(day)
        if former == chosen:
            reason = f"another day of the week {chosen} has more room"
        elif move is None or planned.is_new:
            reason = f"the week {chosen} has more room than {former}"
        else:
            load = f"{move.week_minutes_before} of {move.available} minutes"
            reason = f"the week {former} had {load}, the week {chosen} has more room"
        return LevelledTouch(planned.id, due_at, f"{LEVELLED}{reason}")

    def _week(self, day: int) -> str:
        year, week, _ = self._date(day).isocalendar()
        return f"{year}-W{week:02d}"

    def _day(self, moment: datetime) -> int:
        return (to_wall(moment, self._zone).date() - self._first).days

    def _date(self, day: int) -> date:
        return self._first + day * DAY
