"""Whether the work of one person fits before the moments by which it is promised."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from schemas.times import format_instant
from services.calendar.open_hours import OpenHours
from services.calendar.working_time import last_moment_with, open_time

MINUTE: Final = timedelta(minutes=1)


class Work(NamedTuple):
    """Something that a person has to do by a moment. `is_promise`: others may displace it; else its time is fixed."""

    id: str
    span: timedelta
    by: datetime
    is_promise: bool


class Workload(NamedTuple):
    """Which promises do not fit before their moments, and why; until when the others do if nothing is done."""

    overloads: Mapping[str, str]
    room_until: Mapping[str, datetime]


def measure_workload(work: Iterable[Work], hours: OpenHours, now: datetime) -> Workload:
    """Find the fewest promises that do not fit, as Moore and Hodgson (1968) find the fewest late jobs.

    In the order of their moments, whenever what is to be done by one of them takes more open time than there is, the
    longest promise so far is left out. What is fixed stays.
    """
    accepted: list[Work] = []
    taken = timedelta()
    overloads: dict[str, str] = {}
    for each in sorted(work, key=lambda one: (one.by, one.id)):
        accepted.append(each)
        taken += each.span
        free = open_time(now, each.by, hours)
        promises = [one for one in accepted if one.is_promise]
        if taken > free and promises:
            longest = max(promises, key=lambda one: (one.span, one.by, one.id))
            overloads[longest.id] = _describe_overload(taken, free, each.by)
            accepted.remove(longest)
            taken -= longest.span
    return Workload(overloads, _find_room(accepted, hours, now))


def _describe_overload(taken: timedelta, free: timedelta, by: datetime) -> str:
    return (
        f"{taken // MINUTE} minutes of work are to be done by {format_instant(by)}, "
        f"and {free // MINUTE} are open until then"
    )


def _find_room(accepted: Sequence[Work], hours: OpenHours, now: datetime) -> dict[str, datetime]:
    room_until: dict[str, datetime] = {}
    taken = timedelta()
    for each in accepted:
        taken += each.span
        found = last_moment_with(taken, now, each.by, hours) if taken else None
        if found is not None and each.is_promise:
            room_until[each.id] = found
    return room_until
