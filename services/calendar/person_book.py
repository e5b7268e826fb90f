"""The work of one person as a book for the leveller, and what the leveller changes as dates.

Days are those of the person's zone; a touchpoint keeps its time of day. What takes place today or tomorrow stays.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple

from schemas.plans import Avoid
from services.calendar.avoid import Availability
from services.calendar.book_days import number_open_days, share_days
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
from services.calendar.open_hours import DAY, OpenHours, from_wall, next_open, to_wall
from services.calendar.touchpoint import Origin
from services.calendar.weeks import name_week
from services.calendar.windows import LEVELLED

SETTLED_DAYS: Final = 2
"""Today and tomorrow: nobody plans their day anew because of a colleague's account."""
APART_DAYS: Final = 2
"""Two touchpoints of one account keep so many days apart, as far as their windows allow."""
DEFAULT_WEEKLY_MINUTES: Final = 2400
HORIZON_DAYS: Final = HORIZON_WEEKS * 7
PRIORITIES: Final[Mapping[str, int]] = {"escalation": 3, "floor": 2}
ONE_OFF_PRIORITY: Final = 1


def find_priority(priority: int | None, precedence: str | None, origin: str) -> int:
    """How firmly a touchpoint stands among others: as the policy says, else by the precedence of its rule."""
    if priority is not None:
        return priority
    return PRIORITIES.get(precedence or "", 0 if origin == Origin.RHYTHM else ONE_OFF_PRIORITY)


def find_availability(
    periods: Sequence[Avoid], topic: str | None, hours: OpenHours, meeting: OpenHours
) -> Availability | None:
    """When a touchpoint is available for its person, where that is not in all of their hours.

    `meeting`: the hours in which they may be with the customer, which do not count for internal work.
    """
    opening = hours if topic is None else meeting
    return Availability(periods, hours.zone, opening) if periods or opening != hours else None


class PlannedTouch(NamedTuple):
    """A planned touchpoint of the person. `is_new`: it was planned since the book was levelled last. `is_shifted`: a
    season moved it out of its place.
    """

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
    is_shifted: bool = False

    @property
    def window(self) -> tuple[datetime, datetime]:
        """The hard window; where it stands if it has none.

        The window of an occurrence is as long after its target as before it. It is stretched to where the occurrence had
        to be put; only what a season moved may stay there.
        """
        if self.earliest_at is None or self.latest_at is None:
            return self.due_at, self.due_at
        width = min(self.target_at - self.earliest_at, self.latest_at - self.target_at)
        if self.is_shifted or not width:
            return self.earliest_at, self.latest_at
        return self.target_at - width, self.target_at + width


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
    """What changes: anchors by (account, type), moved touchpoints, and those for which no day is allowed.

    `crowded`: how many stand less than two days from another of their account, because no other day is better.
    """

    anchors: Mapping[tuple[str, str], datetime]
    moves: tuple[LevelledTouch, ...] = ()
    homeless: tuple[Homeless, ...] = ()
    crowded: int = 0


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
        self._days = share_days(self._zone, self._first, HORIZON_DAYS)
        self._day = self._days.number_of
        self._at = cache(self._moment_on)

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
        last = HORIZON_DAYS - 1
        touches = [self._touch(each) for each in planned if 0 <= self._day(each.due_at) <= last]
        touches.sort(key=lambda touch: touch.id)
        return Book(self._person.csm_id, self._first, self._day_minutes(), tuple(touches))

    def _day_minutes(self) -> tuple[int, ...]:
        hours = self._person.hours
        minutes = self._person.weekly_minutes // (len(hours.days) or 1)
        open_on = number_open_days(hours, self._first, HORIZON_DAYS)
        return tuple(minutes if day in open_on else 0 for day in range(HORIZON_DAYS))

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
        earliest = max(self._day(planned.window[0]), self._today + SETTLED_DAYS)
        latest = self._day(planned.window[1])
        closed = self._closed_days(planned, earliest, latest)
        return Touch(
            planned.id, planned.account_id, planned.type, planned.priority, planned.minutes, target,
            planned.soft_days, earliest, latest, closed, Hold.FREE, -1 if planned.is_new else day,
        )  # fmt: skip

    def _closed_days(self, planned: PlannedTouch, earliest: int, latest: int) -> tuple[int, ...]:
        """The days on which `_moment_on` finds nothing."""
        days = range(earliest, latest + 1)
        availability = self._person.accounts.get(availability_key(planned.account_id, planned.type))
        if availability is not None:
            return self._days.unavailable(availability, days)
        clock = to_wall(planned.target_at, self._zone).time()
        return self._days.closed_from(clock, self._person.hours, days)

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
            load = f"{move.week_minutes_before} of {move.available} minutes and has {move.week_minutes_after} now"
            reason = f"the week {former} had {load}, the week {chosen} has more room"
        return LevelledTouch(planned.id, due_at, f"{LEVELLED}{reason}")

    def _week(self, day: int) -> str:
        return name_week(self._date(day))

    def _date(self, day: int) -> date:
        return self._first + day * DAY
