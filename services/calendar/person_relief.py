"""What does not fit into the weeks of one person, before these weeks come, and what is given up for it.

What is given up is proposed at once, and carried out only for weeks that are near: until then hours, people and plans
may still change. What gave way is asked about again with every pass, so that it comes back when there is room.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from services.calendar.escalation import AHEAD
from services.calendar.idle_weeks import find_idle_weeks
from services.calendar.levelling import Book, Conflict, GivenUp, Hold, Touch, find_conflicts, relieve
from services.calendar.levelling.conflicts import Group
from services.calendar.levelling.model import NOWHERE, WEEK
from services.calendar.open_hours import OpenHours, from_wall, to_wall
from services.calendar.person_book import PRIORITIES, PersonBook, PlannedTouch
from services.calendar.weeks import name_week

GIVEN_UP_AHEAD: Final = timedelta(days=14)
"""A touchpoint gives way when the first week in which it may lie begins within this time."""
NEVER_GIVEN_UP: Final = PRIORITIES["escalation"]
"""From this priority on a touchpoint is protected, and so is what is never skipped."""


class Action(StrEnum):
    """What becomes of a touchpoint without room. `proposed`: nothing yet, its weeks are far."""

    PROPOSED = "proposed"
    GAVE_WAY = "gave_way"
    ESCALATED = "escalated"


class TouchRelief(NamedTuple):
    """A touchpoint that has no room beside what goes before it, what becomes of it, and why.

    `first_week`, `last_week`: numbers of the weeks that are full, from the first of the book.
    """

    touch: PlannedTouch
    action: Action
    reason: str
    first_week: int
    last_week: int


class PersonConflict(NamedTuple):
    """ISO weeks (`2026-W14`) whose touchpoints do not fit, which can lie in no other week.

    `needed` and `available`: minutes, of what gave way too. `touchpoint_ids`: the fewest that already do not fit; empty
    above 20. `headcount`: people needed for each person there is, exact. `groups`: by type and account, the most minutes
    first. `relief`: what is given up, what yields first first.
    """

    weeks: tuple[str, ...]
    needed: int
    available: int
    touchpoint_ids: tuple[str, ...]
    headcount: Fraction
    groups: tuple[Group, ...]
    relief: tuple[TouchRelief, ...] = ()


class PersonRelief(NamedTuple):
    """The conflicts in the order of their weeks, and what has no room.

    `gone`: what is not planned after this pass. `review_at`: when the next of what is only proposed becomes near.
    """

    conflicts: tuple[PersonConflict, ...] = ()
    without_room: tuple[TouchRelief, ...] = ()
    gone: frozenset[str] = frozenset()
    review_at: datetime | None = None

    @property
    def given_up(self) -> list[TouchRelief]:
        """What is to be cancelled now."""
        return [
            each
            for each in self.without_room
            if each.action is Action.GAVE_WAY and not each.touch.has_yielded
        ]

    @property
    def escalated(self) -> list[TouchRelief]:
        return [each for each in self.without_room if each.action is Action.ESCALATED]


NO_RELIEF: Final = PersonRelief()


def is_protected(touch: PlannedTouch) -> bool:
    """Whether it is never given up."""
    return touch.priority >= NEVER_GIVEN_UP or touch.is_never_skipped


def find_relief(
    person: PersonBook, book: Book, now: datetime, *, with_conflicts: bool = True
) -> PersonRelief:
    """What does not fit from tomorrow on, and what is given up for it; empty when all fits and nothing gave way.

    `book`: of the person, with what gave way, which is to come back when it has room. `with_conflicts`: False leaves out
    what only people read, which takes most of the time of a book that does not fit. Raises InvalidBook.
    """
    planned = {each.id: each for each in (*person.touches, *person.yielded)}
    today = (to_wall(now, person.hours.zone).date() - book.first_day).days
    rest = _select_rest(book, planned, today)
    relieved = relieve(rest)
    idle = find_idle_weeks(rest) if with_conflicts else ()
    if not relieved.given_up and not person.yielded and not idle:
        return NO_RELIEF
    conflicts = (*find_conflicts(rest), *idle) if with_conflicts else ()
    touches = {touch.id: touch for touch in rest.touches}
    free = [each for each in relieved.given_up if touches[each.touch_id].hold is not Hold.FROZEN]
    without_room = tuple(
        _decide(each, planned[each.touch_id], touches[each.touch_id], today) for each in free
    )
    room = set(relieved.kept) | {each.touch.id for each in without_room if each.action is not Action.GAVE_WAY}
    gone = {each.touch.id for each in without_room if each.action is Action.GAVE_WAY}
    gone |= {each.id for each in person.yielded if each.id not in room}
    far = [
        _near_on(touches[each.touch.id], _ahead(each.touch))
        for each in without_room
        if each.action is Action.PROPOSED
    ]
    review_at = _begin_of(book, min(far), person.hours) if far else None
    return PersonRelief(
        _describe_conflicts(book, conflicts, without_room), without_room, frozenset(gone), review_at
    )


def _select_rest(book: Book, planned: Mapping[str, PlannedTouch], today: int) -> Book:
    """From tomorrow on: the minutes of days that have passed hold nothing any more, and nothing is changed today.

    What is protected goes before all else. What is new counts as if it stood, as it will in the next pass. Escalations of
    the calendar are left out: they would be causes of their own.
    """
    minutes = (0,) * (today + 1) + book.day_minutes[today + 1 :]
    touches = tuple(
        _rank(touch, planned[touch.id])
        for touch in book.touches
        if not planned[touch.id].is_by_calendar and (touch.hold is not Hold.FROZEN or touch.day > today)
    )
    return book._replace(
        day_minutes=minutes, touches=touches, idle=frozenset(day for day in book.idle if day > today)
    )


def _rank(touch: Touch, planned: PlannedTouch) -> Touch:
    if is_protected(planned):
        touch = touch._replace(priority=NEVER_GIVEN_UP)
    is_new = touch.day == NOWHERE and not planned.has_yielded
    return touch._replace(day=touch.earliest) if is_new else touch


def _decide(given_up: GivenUp, planned: PlannedTouch, touch: Touch, today: int) -> TouchRelief:
    is_near = _near_on(touch, _ahead(planned)) <= today
    if not is_near and not planned.has_yielded:
        action = Action.PROPOSED
    else:
        action = Action.ESCALATED if is_protected(planned) else Action.GAVE_WAY
    return TouchRelief(planned, action, given_up.reason, given_up.first_week, given_up.last_week)


def _ahead(touch: PlannedTouch) -> timedelta:
    """How long before its first week something is done about it. People need longer to find room than the calendar."""
    return AHEAD if is_protected(touch) else GIVEN_UP_AHEAD


def _near_on(touch: Touch, ahead: timedelta) -> int:
    """The day, counted from the first of the book, from which the first week of a touch is near."""
    return touch.earliest // WEEK * WEEK - ahead.days


def _begin_of(book: Book, day: int, hours: OpenHours) -> datetime:
    midnight = datetime.combine(book.first_day + timedelta(days=day), datetime.min.time())
    return from_wall(midnight, hours.zone)


def _describe_conflicts(
    book: Book, conflicts: Iterable[Conflict], without_room: Iterable[TouchRelief]
) -> tuple[PersonConflict, ...]:
    left = list(without_room)
    described: list[PersonConflict] = []
    for conflict in conflicts:
        own = [each for each in left if not _are_apart(each, conflict)]
        left = [each for each in left if _are_apart(each, conflict)]
        weeks = tuple(name_week(book.first_day + timedelta(weeks=week)) for week in conflict.weeks)
        described.append(
            PersonConflict(
                weeks, conflict.needed, conflict.available, conflict.touch_ids, conflict.headcount,
                conflict.groups, tuple(own),
            )
        )  # fmt: skip
    if left and described:
        described[-1] = described[-1]._replace(relief=(*described[-1].relief, *left))
    return tuple(described)


def _are_apart(relief: TouchRelief, conflict: Conflict) -> bool:
    return relief.last_week < conflict.first_week or conflict.last_week < relief.first_week
