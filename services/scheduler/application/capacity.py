"""Capacity: what stands in each CSM's weeks against what those weeks hold. Sums, no advice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

DEFAULT_WEEKLY_MINUTES = 2400
DEFAULT_DAYS = frozenset(range(5))


@dataclass(frozen=True, slots=True)
class Person:
    """A CSM's week; `away` are first days and the days of return."""

    csm_id: str
    weekly_minutes: int | None = None
    days: frozenset[int] | None = None
    away: Sequence[tuple[date, date]] = ()


@dataclass(frozen=True, slots=True)
class Load:
    """What stands in one week (its Monday) of one CSM."""

    csm_id: str
    monday: date
    minutes: int
    touches: int


@dataclass(frozen=True, slots=True)
class Week:
    csm_id: str
    week: str
    weekly_minutes: int
    available_minutes: int
    planned_minutes: int
    touches: int


def weeks(people: Mapping[str, Person], loads: Iterable[Load], first: date, last: date) -> list[Week]:
    """Every ISO week from `first` to `last` of every CSM who is described or has something to do."""
    by_week = {(each.csm_id, each.monday): each for each in loads}
    names = sorted({*people, *(name for name, _ in by_week)})
    monday = first - timedelta(days=first.weekday())
    mondays = [monday + timedelta(days=7 * n) for n in range((last - monday).days // 7 + 1)]
    return [
        _week(people.get(name, Person(name)), each, by_week.get((name, each)))
        for name in names
        for each in mondays
    ]


def _week(person: Person, monday: date, load: Load | None) -> Week:
    weekly = DEFAULT_WEEKLY_MINUTES if person.weekly_minutes is None else person.weekly_minutes
    year, week, _ = monday.isocalendar()
    return Week(
        person.csm_id,
        f"{year}-W{week:02d}",
        weekly,
        _available(person, weekly, monday),
        0 if load is None else load.minutes,
        0 if load is None else load.touches,
    )


def _available(person: Person, weekly: int, monday: date) -> int:
    days = person.days or DEFAULT_DAYS
    working = [monday + timedelta(days=n) for n in sorted(days)]
    there = [day for day in working if not any(first <= day < end for first, end in person.away)]
    return weekly * len(there) // len(working)
