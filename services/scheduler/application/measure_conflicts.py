"""What does not fit into people's weeks, in words and numbers, and how many people are missing in all."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import ceil
from typing import Annotated

from pydantic import Field

from schemas.base import Id, Name, SchemaModel
from services.calendar.headcount import find_worst_week
from services.calendar.person_relief import Action, PersonConflict, TouchRelief

RELIEF_SHOWN = 20
GROUPS_SHOWN = 20
"""Groups of touchpoints that a conflict lists, those with the most minutes."""


class ConflictGroup(SchemaModel):
    """The touchpoints of one type and account that can lie in no other week."""

    touchpoint_type: Name
    account_id: Id
    touches: int
    minutes: int


class ConflictRelief(SchemaModel):
    """A touchpoint without room, and what becomes of it."""

    touchpoint_id: Id
    touchpoint_type: Name
    account_id: Id
    minutes: int
    action: Annotated[
        Action,
        Field(
            description="`proposed`: it will give way, its weeks begin in more than 14 days; `gave_way`: it was "
            "cancelled, and comes back when there is room; `escalated`: it is never given up, a person has to find room"
        ),
    ]
    reason: str


class CapacityConflict(SchemaModel):
    """Weeks of one person that hold less than what can lie in no other week."""

    csm_id: Id
    weeks: Annotated[tuple[str, ...], Field(description="ISO weeks, as 2026-W14, in their order")]
    touchpoint_ids: Annotated[
        tuple[Id, ...],
        Field(description="the fewest that already do not fit together; empty when they are more than 20"),
    ]
    missing_minutes: int
    needed_minutes: Annotated[int, Field(description="of the touchpoints that can lie in no other week")]
    available_minutes: int
    touches: int
    headcount: Annotated[
        str, Field(description="people needed for this person in the worst of these weeks, as a fraction")
    ]
    groups: Annotated[
        tuple[ConflictGroup, ...],
        Field(description="by type and account, the most minutes first; at most 20"),
    ]
    relief: Annotated[
        tuple[ConflictRelief, ...],
        Field(
            description=f"what gives way so that the rest fits, what yields first first; at most {RELIEF_SHOWN}"
        ),
    ] = ()
    relief_touches: Annotated[int, Field(description="how many give way, of all")] = 0
    text: str


class HeadcountWeek(SchemaModel):
    """The week in which most people are missing."""

    week: str
    people: Annotated[str, Field(description="the people missing in it, as a fraction")]


def describe_conflict(csm_id: str, conflict: PersonConflict) -> CapacityConflict:
    """A conflict as it is stored and shown."""
    missing = conflict.needed - conflict.available
    touches = sum(group.touches for group in conflict.groups)
    first, last = conflict.weeks[0], conflict.weeks[-1]
    when = f"in {first}" if len(conflict.weeks) == 1 else f"from {first} to {last}"
    text = (
        f"{csm_id} has {touches} touchpoints {when} that can lie in no other week: {conflict.needed} minutes, "
        f"{conflict.available} available, {missing} missing"
    )
    return CapacityConflict(
        csm_id=csm_id,
        weeks=conflict.weeks,
        touchpoint_ids=conflict.touchpoint_ids,
        missing_minutes=missing,
        needed_minutes=conflict.needed,
        available_minutes=conflict.available,
        touches=touches,
        headcount=str(conflict.headcount),
        groups=tuple(
            ConflictGroup(
                touchpoint_type=group.kind,
                account_id=group.account_id,
                touches=group.touches,
                minutes=group.minutes,
            )
            for group in conflict.groups[:GROUPS_SHOWN]
        ),
        relief=tuple(map(_describe_relief, conflict.relief[:RELIEF_SHOWN])),
        relief_touches=len(conflict.relief),
        text=text,
    )


def _describe_relief(relief: TouchRelief) -> ConflictRelief:
    touch = relief.touch
    return ConflictRelief(
        touchpoint_id=touch.id,
        touchpoint_type=touch.type,
        account_id=touch.account_id,
        minutes=touch.minutes,
        action=relief.action,
        reason=relief.reason,
    )


def find_headcount_gap(conflicts: Iterable[CapacityConflict]) -> tuple[Fraction, HeadcountWeek | None]:
    """How many people are missing in the week in which most are, and that week; 0 and None without a conflict."""
    people, worst = find_worst_week((each.csm_id, each.weeks, Fraction(each.headcount)) for each in conflicts)
    return people, None if worst is None else HeadcountWeek(week=worst, people=str(people))


def round_people(people: Fraction) -> float:
    """Up to hundredths, so that whoever is missing is not rounded away."""
    return ceil(people * 100) / 100


def select_weeks(
    stored: Mapping[str, Iterable[CapacityConflict]], first: str, last: str
) -> list[CapacityConflict]:
    """The conflicts with a week from `first` to `last`, by person and week."""
    return [
        conflict
        for csm_id in sorted(stored)
        for conflict in stored[csm_id]
        if any(first <= week <= last for week in conflict.weeks)
    ]
