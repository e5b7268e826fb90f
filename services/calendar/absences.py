"""What finds no allowed day in its window: who stands in for a person who is away, and what has to be escalated."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final, NamedTuple

from schemas.plans import Avoid
from services.calendar.avoid import Availability
from services.calendar.deputies import Deputy, DeputyWork, sort_able, take_on
from services.calendar.escalation import (
    OF_PEOPLE,
    Difficulty,
    Problem,
    name_person,
    name_type,
    name_weeks,
    problem_of,
)
from services.calendar.levelling import Homeless, Obstacle
from services.calendar.open_hours import DAY, OpenHours, call_hours, from_wall, open_days, to_wall
from services.calendar.person_book import SETTLED_DAYS, PersonBook, PlannedTouch, availability_key
from services.calendar.person_hours import minutes_a_day
from services.calendar.plan import PROTECTED
from services.calendar.reconciliation.context import CalendarChange
from services.calendar.reconciliation.escalations import CAUSE_GONE, escalate
from services.calendar.touchpoint import Closure, Origin, Status, Touchpoint
from services.calendar.windows import COVERED

AROUND: Final = timedelta(days=7)
"""The planned work around the days in question says who has the most room."""

_NEED: Final = {
    Obstacle.AWAY: (
        "{person} is {away} on every working day of the window",
        "a colleague leads it, or the time off moves",
    ),
    Obstacle.NO_HOURS: (
        "{person} has no hours for touchpoints in the window",
        "a colleague leads it, or this person gets working days and minutes a week",
    ),
    Obstacle.CLOSED: (
        "the customer cannot be met on any day of the window that {person} works",
        "an exception agreed with the customer, a shorter blackout, or a colleague with other days",
    ),
}


class Cover(NamedTuple):
    """Who leads a touchpoint instead, when, and why."""

    touch_id: str
    csm_id: str
    due_at: datetime
    reason: str


class AccountTouch(NamedTuple):
    """A touchpoint without an allowed day, and why it has none."""

    touch: PlannedTouch
    obstacle: Obstacle


def find_in_question(book: PersonBook, homeless: Iterable[Homeless]) -> list[AccountTouch]:
    """What is covered or escalated: of an absence, or of somebody without hours, everything, also what its person can
    only do after its deadline; else what is protected and was not moved by a season.
    """
    touches = {touch.id: touch for touch in book.touches}
    found: list[AccountTouch] = []
    for touch_id, obstacle in homeless:
        touch = touches[touch_id]
        is_protected = touch.priority >= PROTECTED and not touch.is_shifted
        is_of_person = obstacle in (Obstacle.AWAY, Obstacle.NO_HOURS)
        if is_of_person or (obstacle is Obstacle.CLOSED and is_protected):
            found.append(AccountTouch(touch, obstacle))
    owed = (touch for touch in book.touches if touch.owed_within is not None)
    return [*found, *(AccountTouch(touch, Obstacle.AWAY) for touch in owed)]


def cover(book: PersonBook, touch: PlannedTouch, deputies: Iterable[Deputy], now: datetime) -> Cover | None:
    """The deputy with the most room who works in what is left of the window, on their day nearest to the target.

    What people have the date of goes to a deputy who is free then, at its time, or else on the day nearest to that. None:
    nobody can lead it.
    """
    able = sort_able(deputies)
    if touch.is_invited and touch.due_at > now:
        for deputy in able:
            if _is_free_at(book, touch, deputy):
                return _cover_by(book, touch, deputy, touch.due_at)
    for deputy in able:
        due_at = _find_time(book, touch, deputy, now)
        if due_at is not None:
            return _cover_by(book, touch, deputy, due_at)
    return None


def _is_free_at(book: PersonBook, touch: PlannedTouch, deputy: Deputy) -> bool:
    hours = deputy_hours(book, touch, deputy.hours)
    return Availability(periods_of(book, touch), hours.zone, hours).is_available(touch.due_at)


def _find_time(book: PersonBook, touch: PlannedTouch, deputy: Deputy, now: datetime) -> datetime | None:
    """Not today or tomorrow, like all that is levelled, except for what is late already."""
    earliest, latest = touch.window
    earliest = max(earliest, now if touch.owed_within is not None else now + SETTLED_DAYS * DAY)
    if earliest > latest:
        return None
    wanted_at = touch.due_at if touch.is_invited else touch.target_at
    hours = deputy_hours(book, touch, deputy.hours)
    return find_nearest((earliest, latest), wanted_at, hours, periods_of(book, touch))


def _cover_by(book: PersonBook, touch: PlannedTouch, deputy: Deputy, due_at: datetime) -> Cover:
    weeks = name_weeks([touch.target_at], book.hours)
    taker, away = name_person(deputy.csm_id, deputy.hours), name_person(book.csm_id, book.hours)
    reason = f"{COVERED}{taker}: {away} {_describe_absence(book, touch)} ({weeks})"
    return Cover(touch.id, deputy.csm_id, due_at, reason)


def _describe_absence(book: PersonBook, touch: PlannedTouch) -> str:
    is_idle = not minutes_a_day(book.hours, book.weekly_minutes)
    days = [to_wall(moment, book.hours.zone).date() for moment in touch.window]
    return "has no hours" if is_idle and open_days(book.hours, *days) else f"is {_away_word(book.hours)}"


def periods_of(book: PersonBook, touch: PlannedTouch) -> Sequence[Avoid]:
    """The times that the account of a touchpoint of a book avoids for it."""
    known = book.accounts.get(availability_key(touch.account_id, touch.type))
    return () if known is None else known.periods


def deputy_hours(book: PersonBook, touch: PlannedTouch, hours: OpenHours) -> OpenHours:
    """When a colleague with these hours may lead it: on days of the customer too, if it is for a customer."""
    known = book.accounts.get(availability_key(touch.account_id, touch.type))
    customer = None if known is None or known.opening is None else known.opening.customer
    own = call_hours(hours, touch.minutes)
    return own if customer is None else replace(own, customer=customer)


def find_nearest(
    window: tuple[datetime, datetime], target_at: datetime, hours: OpenHours, periods: Sequence[Avoid]
) -> datetime | None:
    """The available moment of the window on the day nearest to the target."""
    earliest, latest = window
    free, wall = Availability(periods, hours.zone, hours), to_wall(target_at, hours.zone)
    days = max((latest - target_at).days, (target_at - earliest).days) + 1
    for distance in sorted(range(-days, days + 1), key=lambda distance: (abs(distance), distance)):
        day = wall + timedelta(days=distance)
        for moment in (day, day.replace(hour=0, minute=0, second=0, microsecond=0)):
            due_at = free.first_available(from_wall(moment, hours.zone))
            if to_wall(due_at, hours.zone).date() == day.date() and earliest <= due_at <= latest:
                return due_at
    return None


def find_covers(
    book: PersonBook,
    touches: Iterable[PlannedTouch],
    deputies: Mapping[str, Sequence[Deputy]],
    now: datetime,
) -> list[Cover]:
    """Who stands in, of `deputies` by account; the minutes that a deputy takes on count for the next one."""
    taken: defaultdict[str, list[DeputyWork]] = defaultdict(list)
    covers: list[Cover] = []
    for touch in sorted(touches, key=lambda touch: (-touch.priority, touch.target_at, touch.id)):
        able = [take_on(each, taken[each.csm_id]) for each in deputies.get(touch.account_id, ())]
        found = cover(book, touch, able, now)
        if found is not None:
            taken[found.csm_id].append(DeputyWork(found.due_at, touch.minutes, touch.is_invited))
            covers.append(found)
    return covers


def span_around(touches: Iterable[PlannedTouch]) -> tuple[datetime, datetime]:
    """From when until when the planned work of deputies counts: around the windows of the touchpoints in question."""
    windows = [touch.window for touch in touches]
    return min(first for first, _ in windows) - AROUND, max(last for _, last in windows) + AROUND


def hand_over(touchpoint: Touchpoint, cover: Cover) -> Touchpoint:
    """The touchpoint with the colleague who stands in."""
    return touchpoint._replace(
        due_at=cover.due_at, csm_id=cover.csm_id, shift=cover.reason, sequence=touchpoint.sequence + 1,
        earliest_at=None, latest_at=None, soft_days=0,
    )  # fmt: skip


def is_about(touchpoint: Touchpoint, csm_id: str) -> bool:
    """Whether it is an escalation of the calendar about the days of that person."""
    cause = None if touchpoint.content is None else touchpoint.content.cause
    return touchpoint.origin is Origin.CALENDAR and cause is not None and cause.id.startswith(f"{csm_id}/")


def change_escalations_about(
    wanted: Mapping[str, Touchpoint], stored: Mapping[str, Touchpoint]
) -> list[CalendarChange]:
    """Level-triggered: escalations whose cause is gone are cancelled. `stored`: those about the person, by id."""
    return [escalate(each, stored) for each in wanted.values()] + [
        CalendarChange.cancel(each, Closure.WITHDRAWN, CAUSE_GONE)
        for each in stored.values()
        if each.id not in wanted and each.status is Status.PLANNED and problem_of(each) in OF_PEOPLE
    ]


def describe_difficulties(
    book: PersonBook, open_touches: Iterable[AccountTouch], covered: Collection[str]
) -> list[Difficulty]:
    """One for each account, cause and month, so that an absence of weeks is one matter and not twenty."""
    left = [each for each in open_touches if each.touch.id not in covered]
    left.sort(key=lambda each: (_key(book, each), each.touch.target_at, each.touch.id))
    return [
        _describe(book, list(group), key) for key, group in groupby(left, key=lambda each: _key(book, each))
    ]


def _away_word(hours: OpenHours) -> str:
    """What keeps somebody from all work of a day, as far as it is known."""
    return "away" if hours.busy is None else "away or busy"


def _key(book: PersonBook, each: AccountTouch) -> tuple[str, str, str]:
    month = to_wall(each.touch.target_at, book.hours.zone).strftime("%Y-%m")
    return each.touch.account_id, each.obstacle.value, month


def _describe(book: PersonBook, group: Sequence[AccountTouch], key: tuple[str, str, str]) -> Difficulty:
    account_id, obstacle, month = key
    names = " and ".join(sorted({name_type(each.touch.type) for each in group}))
    person = name_person(book.csm_id, book.hours)
    why, help_ = _NEED[group[0].obstacle]
    moments = [moment for each in group for moment in each.touch.window]
    text = (
        f"No day is left for {len(group)} of type {names} in {name_weeks(moments, book.hours)}: "
        f"{why.format(person=person, away=_away_word(book.hours))}, and nobody of the account's pool can stand in. "
        f"What helps: {help_}."
    )
    cause = f"{book.csm_id}/{obstacle}/{month}"
    return Difficulty(
        Problem.NO_DAY,
        account_id,
        cause,
        book.csm_id,
        group[0].touch.target_at,
        f"Find a day for the {names}",
        text,
    )
