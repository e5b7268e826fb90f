"""What does not fit into people's weeks, found as the simulated year goes on, before these weeks come."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache

from services.calendar.open_hours import OpenHours, open_days
from services.calendar.person_levelling import find_person_relief
from services.calendar.person_relief import PersonRelief
from services.simulation.book import Colleague
from services.simulation.people import PersonWork
from services.simulation.totals import FoundConflict, monday_of


def find_relief(work: PersonWork, moment: datetime, until: datetime) -> PersonRelief:
    """What does not fit the book of a person as it is planned at that moment, of what comes due before `until`."""
    viewed = work.view_book(moment)
    touches = tuple(each for each in viewed.touches if each.due_at < until)
    return find_person_relief(viewed._replace(touches=touches), moment)


def describe_conflicts(csm_id: str, relief: PersonRelief) -> list[FoundConflict]:
    """What does not fit the book of a person."""
    conflicts: list[FoundConflict] = []
    for each in relief.conflicts:
        first, last = (
            date.fromisoformat(f"{week}-1").isoformat() for week in (each.weeks[0], each.weeks[-1])
        )
        headcount = -(-each.headcount.numerator * 100 // each.headcount.denominator)
        groups = tuple((group.kind, group.account_id, group.touches, group.minutes) for group in each.groups)
        conflicts.append(
            FoundConflict(
                csm_id,
                first,
                last,
                each.needed,
                each.available,
                headcount,
                each.touchpoint_ids,
                groups,
            )
        )
    return conflicts


def has_overfull_week(work: PersonWork, moment: datetime) -> bool:
    """Whether any week has more planned minutes than it holds. Else everything fits where it stands: no conflict."""
    planned = Counter[str]()
    for _, touchpoint in work.planned(moment):
        planned[monday_of(touchpoint.due_at, work.colleague.hours)] += touchpoint.minutes
    return any(minutes > available_minutes(work.colleague, week) for week, minutes in planned.items())


def add_conflicts(known: list[FoundConflict], found: Iterable[FoundConflict]) -> None:
    """Add those about other weeks of the person than all that are known.

    Those that share weeks are one: what was found first stays, unless the later one misses more.
    """
    for each in found:
        same = [other for other in known if _shares_weeks(each, other)]
        if not same or _missing(each) > sum(map(_missing, same)):
            known[:] = [other for other in known if other not in same]
            known.append(each)


def _shares_weeks(one: FoundConflict, other: FoundConflict) -> bool:
    is_near = one.first_week <= other.last_week and other.first_week <= one.last_week
    return is_near and one.csm_id == other.csm_id


def _missing(conflict: FoundConflict) -> int:
    return conflict.needed_minutes - conflict.available_minutes


def available_minutes(colleague: Colleague, week: str) -> int:
    """What the person's working days of the week from that Monday (`2026-03-02`) hold."""
    per_day = colleague.weekly_minutes // (len(colleague.hours.days) or 1)
    return per_day * _count_open_days(colleague.hours, week)


@lru_cache(maxsize=8192)
def _count_open_days(hours: OpenHours, week: str) -> int:
    monday = date.fromisoformat(week)
    return len(open_days(hours, monday, monday + timedelta(days=6)))
