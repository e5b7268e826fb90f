"""Rhythms: the open occurrences of a series, kept, re-timed in their order, made or withdrawn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from services.scheduler.domain.placing import Out, Placed
from services.scheduler.domain.plan.courses import Course, course_of
from services.scheduler.domain.plan.wish import Cancel, Change, Create, Keep, Turn, towards, withdrawn
from services.scheduler.domain.recurrence import Moved, Rhythm, Series, Slot, derived, every
from services.scheduler.domain.touchpoint import OPEN, Closure, Origin, Touchpoint, Verdict, cancelled


@dataclass(frozen=True, slots=True)
class Turned:
    """What becomes of one rhythm."""

    changes: Sequence[Change]
    series: Series
    stretched: int


def occurrences_by_type(touchpoints: Iterable[Touchpoint]) -> dict[str, list[Touchpoint]]:
    by_type: dict[str, list[Touchpoint]] = {}
    for each in touchpoints:
        if each.origin is Origin.RHYTHM and each.status in OPEN:
            by_type.setdefault(each.type, []).append(each)
    for several in by_type.values():
        several.sort(key=lambda each: each.number or 0)
    return by_type


def rhythm_changes(rhythm: Rhythm, occurrences: Sequence[Touchpoint], turn: Turn) -> Turned:
    standing: list[Touchpoint] = []
    movable: list[Touchpoint] = []
    for each in occurrences:
        stays = (each.pinned and each.shift is None) or turn.come_due(each)
        (standing if stays else movable).append(each)
    held = turn.held.series.get(rhythm.type)
    course = course_of(rhythm, held, standing, movable, turn)
    changes: list[Change] = [Keep(each, "it has come due, or a person set its date") for each in standing]
    number = 0 if held is None else held.last_number
    owners, gone = _matched(course, movable)
    stretched = index = 0
    for slot in _in_order(course, held, movable):
        if index < len(owners) and isinstance(slot, Slot):
            change = _placed(owners[index], rhythm, slot)
            index += 1
        else:
            number += 1
            change = _new(turn.plan.account_id, rhythm, slot, number)
        changes.append(change)
        if isinstance(slot, Moved) and slot.stretched and not isinstance(change, Keep):
            stretched += 1
    changes += gone
    return Turned(changes, _series(rhythm, course, number, turn), stretched)


def _in_order(course: Course, held: Series | None, movable: Sequence[Touchpoint]) -> Sequence[Placed]:
    """The slots, and between them the moments that are left out for the first time."""
    if not course.out:
        return course.slots
    known = {each.start for each in movable}
    if held is not None:
        known.update(held.left_out)
    news = [each for each in course.out if each.nominal not in known]
    return sorted([*course.slots, *news], key=lambda each: each.nominal)


def _matched(course: Course, movable: Sequence[Touchpoint]) -> tuple[list[Touchpoint], list[Change]]:
    """The occurrences that take the first slots, in their order, and what becomes of the others.

    While no moment comes back, each keeps its own and those left out go; else all move up.
    """
    if course.in_place:
        out = {each.nominal: each for each in course.out}
        left = [_left_out(each, out[each.start]) for each in movable if each.start in out]
        return [each for each in movable if each.start not in out], left
    room = len(course.slots)
    over: list[Change] = [withdrawn(each, "the new interval leaves it no room") for each in movable[room:]]
    return list(movable[:room]), over


def _left_out(occurrence: Touchpoint, out: Out) -> Change:
    return Cancel(cancelled(occurrence, Verdict(Closure.SUPPRESSED, out.why)), out.why)


def _stands(occurrence: Touchpoint, rhythm: Rhythm, slot: Slot) -> bool:
    there = occurrence.due_at == slot.due_at and occurrence.start == slot.nominal
    if occurrence.shift is None and not isinstance(slot, Moved):
        until = occurrence.end == slot.deadline == occurrence.deadline
    else:
        until = occurrence.end == slot.deadline and occurrence.deadline == slot.owed_by
        until = until and occurrence.shift == slot.shift
    whose = occurrence.owner is rhythm.owner and occurrence.csm_id == rhythm.csm_id
    return there and until and whose and occurrence.minutes == rhythm.minutes


def _series(rhythm: Rhythm, course: Course, number: int, turn: Turn) -> Series:
    return Series(
        type=rhythm.type, every_days=every(rhythm), anchor=course.anchor, until=course.until,
        last_number=number, active=True, face=rhythm.face, owner=rhythm.owner, csm_id=rhythm.csm_id,
        minutes=rhythm.minutes,
        left_out=tuple(each.nominal for each in course.out if each.nominal > turn.now),
    )  # fmt: skip


def _new(account_id: str, rhythm: Rhythm, slot: Placed, number: int) -> Create:
    if isinstance(slot, Slot):
        occurrence = _occurrence(account_id, rhythm, slot, number)
        return Create(occurrence, slot.shift or f"every {every(rhythm)} days")
    there = Slot(slot.nominal, slot.nominal, slot.nominal)
    refused = cancelled(_occurrence(account_id, rhythm, there, number), Verdict(Closure.SUPPRESSED, slot.why))
    return Create(replace(refused, sequence=1), slot.why)


def _occurrence(account_id: str, rhythm: Rhythm, slot: Slot, number: int) -> Touchpoint:
    return Touchpoint(
        id=derived("touchpoint", account_id, rhythm.type, str(number)), account_id=account_id,
        type=rhythm.type, origin=Origin.RHYTHM, due_at=slot.due_at, start=slot.nominal, end=slot.deadline,
        deadline=slot.owed_by, owner=rhythm.owner, csm_id=rhythm.csm_id, minutes=rhythm.minutes,
        number=number, shift=slot.shift,
    )  # fmt: skip


def _placed(occurrence: Touchpoint, rhythm: Rhythm, slot: Slot) -> Change:
    if _stands(occurrence, rhythm, slot):  # the usual case, fifty times a plan
        return Keep(occurrence, "it stands where it should")
    whose = occurrence if occurrence.pinned else rhythm
    wished = replace(
        occurrence, due_at=slot.due_at, start=slot.nominal, end=slot.deadline, deadline=slot.owed_by,
        owner=whose.owner, csm_id=whose.csm_id, minutes=rhythm.minutes, shift=slot.shift,
    )  # fmt: skip
    return towards(occurrence, wished, slot.shift or f"every {every(rhythm)} days")
