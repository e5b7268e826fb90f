"""Rhythms: the open occurrences of a series, kept, re-timed in their order, made or withdrawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.scheduler.domain.calendar import next_open
from services.scheduler.domain.plan.wish import Change, Create, Keep, Turn, towards, withdrawn
from services.scheduler.domain.recurrence import (
    Rhythm,
    Series,
    Slot,
    anchor,
    derived,
    every,
    horizon,
    slots_until,
)
from services.scheduler.domain.touchpoint import HUMAN, OPEN, Origin, Touchpoint


def occurrences_by_type(touchpoints: Iterable[Touchpoint]) -> dict[str, list[Touchpoint]]:
    by_type: dict[str, list[Touchpoint]] = {}
    for each in touchpoints:
        if each.origin is Origin.RHYTHM and each.status in OPEN:
            by_type.setdefault(each.type, []).append(each)
    for several in by_type.values():
        several.sort(key=lambda each: each.number or 0)
    return by_type


def rhythm_changes(
    rhythm: Rhythm, occurrences: Sequence[Touchpoint], turn: Turn
) -> tuple[list[Change], Series]:
    standing = [each for each in occurrences if each.pinned or turn.come_due(each)]
    movable = [each for each in occurrences if not (each.pinned or turn.come_due(each))]
    held = turn.held.series.get(rhythm.type)
    if held is not None and _goes_on(held, rhythm):
        course = _continued(rhythm, held, movable, turn)
    else:
        course = _started(rhythm, [each.due_at for each in standing if turn.come_due(each)], turn)
    changes: list[Change] = [Keep(each, "it has come due, or a person set its date") for each in standing]
    number = 0 if held is None else held.last_number
    for index, slot in enumerate(course.slots):
        if index < len(movable):
            changes.append(_placed(movable[index], rhythm, slot))
        else:
            number += 1
            changes.append(_occurrence(turn.plan.account_id, rhythm, slot, number))
    changes += [
        withdrawn(each, "the new interval leaves it no room") for each in movable[len(course.slots) :]
    ]
    return changes, _series(rhythm, course, number)


@dataclass(frozen=True, slots=True)
class _Course:
    """Where the movable occurrences go, in their order, and after them the new ones."""

    anchor: datetime
    until: datetime | None
    slots: Sequence[Slot]


def _goes_on(held: Series, rhythm: Rhythm) -> bool:
    same_kind = (held.owner in HUMAN) == (rhythm.owner in HUMAN)
    return held.active and held.every_days == every(rhythm) and same_kind


def _continued(rhythm: Rhythm, held: Series, movable: Sequence[Touchpoint], turn: Turn) -> _Course:
    """Each occurrence keeps its nominal moment; the horizon has moved on and may want further ones.

    After a long standstill at most one moment of the past is made up for.
    """
    info, opening = turn.context.opening(rhythm.owner, rhythm.csm_id, rhythm.face)
    again = [Slot(each.start, next_open(each.start, opening), each.end) for each in movable]
    floor = turn.now - timedelta(days=held.every_days)
    after = floor if held.until is None else max(held.until, floor)
    limit = turn.now + horizon(rhythm.owner)
    further = slots_until(held.anchor, held.every_days, info, opening, after=after, limit=limit)
    return _Course(held.anchor, further[-1].nominal if further else held.until, again + further)


def _started(rhythm: Rhythm, came_due: Sequence[datetime], turn: Turn) -> _Course:
    info, opening = turn.context.opening(rhythm.owner, rhythm.csm_id, rhythm.face)
    contacts = [rhythm.last_touch_at, turn.held.last_due.get(rhythm.type), *came_due]
    last_contact = max((each for each in contacts if each is not None), default=None)
    start = anchor(rhythm, turn.plan.account_id, last_contact, turn.now, opening)
    limit = turn.now + horizon(rhythm.owner)
    made = slots_until(start, every(rhythm), info, opening, after=None, limit=limit)
    return _Course(start, made[-1].nominal if made else None, made)


def _stands(occurrence: Touchpoint, rhythm: Rhythm, slot: Slot) -> bool:
    there = occurrence.due_at == slot.due_at and occurrence.start == slot.nominal
    until = occurrence.end == slot.deadline == occurrence.deadline
    whose = occurrence.owner is rhythm.owner and occurrence.csm_id == rhythm.csm_id
    return there and until and whose and occurrence.minutes == rhythm.minutes


def _series(rhythm: Rhythm, course: _Course, number: int) -> Series:
    return Series(
        type=rhythm.type, every_days=every(rhythm), anchor=course.anchor, until=course.until,
        last_number=number, active=True, face=rhythm.face, owner=rhythm.owner, csm_id=rhythm.csm_id,
        minutes=rhythm.minutes,
    )  # fmt: skip


def _occurrence(account_id: str, rhythm: Rhythm, slot: Slot, number: int) -> Create:
    occurrence = Touchpoint(
        id=derived("touchpoint", account_id, rhythm.type, str(number)), account_id=account_id,
        type=rhythm.type, origin=Origin.RHYTHM, due_at=slot.due_at, start=slot.nominal, end=slot.deadline,
        deadline=slot.deadline, owner=rhythm.owner, csm_id=rhythm.csm_id, minutes=rhythm.minutes,
        number=number,
    )  # fmt: skip
    return Create(occurrence, f"every {every(rhythm)} days")


def _placed(occurrence: Touchpoint, rhythm: Rhythm, slot: Slot) -> Change:
    if _stands(occurrence, rhythm, slot):  # the usual case, fifty times a plan
        return Keep(occurrence, "it stands where it should")
    wished = replace(
        occurrence, due_at=slot.due_at, start=slot.nominal, end=slot.deadline, deadline=slot.deadline,
        owner=rhythm.owner, csm_id=rhythm.csm_id, minutes=rhythm.minutes,
    )  # fmt: skip
    return towards(occurrence, wished, f"every {every(rhythm)} days")
