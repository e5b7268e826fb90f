"""What does not fit into people's weeks, found as the simulated year goes on, before these weeks come."""

from collections.abc import Iterable
from datetime import date, datetime

from services.calendar.person_levelling import find_person_relief
from services.calendar.person_relief import PersonRelief
from services.simulation.people import PersonWork
from services.simulation.totals import FoundConflict


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
