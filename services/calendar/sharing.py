"""Work for which a person's weeks have no room, taken by colleagues of the account's pool who have room.

It comes before anything is given up or escalated. What has no room is what yields first, so what is protected stays with
its person longest; of what has none, the protected gets the room of a colleague first. Work that is bound to its person
is never shared: the policy says which types may be.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from schemas.vocabulary import Owner
from services.calendar.absences import Cover, deputy_hours, find_nearest, periods_of
from services.calendar.deputies import Deputy, DeputyWork, sort_able, take_on
from services.calendar.escalation import name_person
from services.calendar.open_hours import DAY, OpenHours, from_wall, open_days, to_wall
from services.calendar.person_book import DEFAULT_WEEKLY_MINUTES, SETTLED_DAYS, PersonBook, PlannedTouch
from services.calendar.person_hours import available_minutes, minutes_a_day
from services.calendar.person_levelling import PersonLevelling
from services.calendar.person_relief import Action, PersonRelief, TouchRelief, is_protected
from services.calendar.windows import SHARED

_WEEK = timedelta(days=7)
_INSTANT = timedelta(microseconds=1)


def may_be_shared(owner: Owner, *, share: bool | None) -> bool:
    """Whether a colleague may lead a touchpoint with that owner. `share`: what the policy says of its type.

    Without a word of the policy what a pooled CSM leads is bound to nobody, and a CSM's own work is.
    """
    return owner == "pooled_csm" if share is None else share and owner in ("csm", "pooled_csm")


def find_shareable(relief: PersonRelief) -> list[TouchRelief]:
    """What is to be given up or escalated now, as far as a colleague may lead it. What gave way before is not asked."""
    return [
        each
        for each in relief.without_room
        if each.action is not Action.PROPOSED and each.touch.may_be_shared and not each.touch.has_yielded
    ]


def measure_room(
    hours: OpenHours,
    weekly_minutes: int,
    planned: Iterable[DeputyWork],
    span: tuple[datetime, datetime],
) -> dict[date, int]:
    """The minutes that are free in each week of the span, by its Monday."""
    first, last = (_monday_of(moment, hours) for moment in span)
    days_a_week = len(hours.days) or 1
    free: dict[date, int] = {}
    for number in range((last - first).days // 7 + 1):
        monday = first + number * _WEEK
        present = open_days(hours, monday, monday + 6 * DAY)
        free[monday] = available_minutes(hours, weekly_minutes, present, days_a_week)
    for each in planned:
        monday = _monday_of(each.due_at, hours)
        if monday in free:
            free[monday] -= each.minutes
    return free


def make_deputy(
    csm_id: str,
    hours: OpenHours,
    weekly_minutes: int | None,
    planned: Collection[DeputyWork],
    span: tuple[datetime, datetime],
) -> Deputy:
    """A colleague with what they have planned in the span."""
    weekly = DEFAULT_WEEKLY_MINUTES if weekly_minutes is None else weekly_minutes
    room, has_hours = measure_room(hours, weekly, planned, span), bool(minutes_a_day(hours, weekly))
    return take_on(Deputy(csm_id, hours, 0, room, has_hours), planned)


def find_shares(
    book: PersonBook,
    without_room: Iterable[TouchRelief],
    colleagues: Mapping[str, Sequence[Deputy]],
    now: datetime,
) -> list[Cover]:
    """Who takes what, of `colleagues` by account: the one with the least planned work among those with room."""
    taken: Counter[tuple[str, date]] = Counter()
    work: defaultdict[str, list[DeputyWork]] = defaultdict(list)
    shares: list[Cover] = []
    for each in sorted(without_room, key=_rank):
        touch = each.touch
        able = sort_able(take_on(one, work[one.csm_id]) for one in colleagues.get(touch.account_id, ()))
        for one in able:
            due_at = _find_time(book, touch, one, taken, now)
            if due_at is not None:
                taken[one.csm_id, _monday_of(due_at, one.hours)] += touch.minutes
                work[one.csm_id].append(DeputyWork(due_at, touch.minutes, touch.is_invited))
                reason = f"{SHARED}{name_person(one.csm_id, one.hours)}: {each.reason}"
                shares.append(Cover(touch.id, one.csm_id, due_at, reason))
                break
    return shares


def leave_out(levelled: PersonLevelling, shares: Collection[Cover]) -> PersonLevelling:
    """What is left of a levelling for its person when colleagues take these."""
    if not shares:
        return levelled
    ids = {each.touch_id for each in shares}
    relief = levelled.relief
    left = tuple(each for each in relief.without_room if each.touch.id not in ids)
    return levelled._replace(
        moves=tuple(each for each in levelled.moves if each.id not in ids),
        relief=relief._replace(without_room=left),
    )


def _rank(each: TouchRelief) -> tuple[bool, int, datetime, str]:
    touch = each.touch
    return not is_protected(touch), -touch.priority, touch.target_at, touch.id


def _find_time(
    book: PersonBook, touch: PlannedTouch, one: Deputy, taken: Mapping[tuple[str, date], int], now: datetime
) -> datetime | None:
    """The moment nearest to its target, to where it stands if people have its date, in a week with room for it."""
    earliest, latest = touch.window
    earliest = max(earliest, now + SETTLED_DAYS * DAY)
    wanted_at = touch.due_at if touch.is_invited else touch.target_at
    hours, periods = deputy_hours(book, touch, one.hours), periods_of(book, touch)
    found: list[datetime] = []
    for monday, free in one.free.items():
        if free - taken.get((one.csm_id, monday), 0) < touch.minutes:
            continue
        opens_at = max(earliest, _midnight(monday, hours))
        closes_at = min(latest, _midnight(monday + _WEEK, hours) - _INSTANT)
        due_at = (
            find_nearest((opens_at, closes_at), wanted_at, hours, periods) if opens_at <= closes_at else None
        )
        if due_at is not None:
            found.append(due_at)
    return min(found, key=lambda moment: (abs(moment - wanted_at), moment), default=None)


def _monday_of(moment: datetime, hours: OpenHours) -> date:
    day = to_wall(moment, hours.zone).date()
    return day - timedelta(days=day.weekday())


def _midnight(day: date, hours: OpenHours) -> datetime:
    return from_wall(datetime.combine(day, time()), hours.zone)
