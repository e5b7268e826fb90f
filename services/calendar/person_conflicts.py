"""What does not fit into the weeks of one person, with the weeks by their names, before these weeks come."""

from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from services.calendar.levelling import find_conflicts
from services.calendar.levelling.conflicts import Group
from services.calendar.person_book import PersonBook, make_book
from services.calendar.weeks import name_week


class PersonConflict(NamedTuple):
    """ISO weeks (`2026-W14`) whose touchpoints do not fit, which can lie in no other week.

    `needed` and `available`: minutes. `touchpoint_ids`: the fewest that already do not fit; empty above 20.
    `headcount`: people needed for each person there is, exact. `groups`: by type and account, the most minutes first.
    """

    weeks: tuple[str, ...]
    needed: int
    available: int
    touchpoint_ids: tuple[str, ...]
    headcount: Fraction
    groups: tuple[Group, ...]


def find_person_conflicts(person: PersonBook, now: datetime) -> tuple[PersonConflict, ...]:
    """The conflicts of a person's weeks from this one on, in their order; empty when all fits."""
    book = make_book(person, now)
    return tuple(
        PersonConflict(
            tuple(name_week(book.first_day + timedelta(weeks=week)) for week in conflict.weeks),
            conflict.needed,
            conflict.available,
            conflict.touch_ids,
            conflict.headcount,
            conflict.groups,
        )
        for conflict in find_conflicts(book)
    )
