"""Courses: where a rhythm's occurrences go, the ones that stand and those to come.

Where nothing is to be avoided and nothing had to move, a course is the rhythm's own slots, untouched.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.scheduler.domain.avoid import Ground
from services.scheduler.domain.calendar import next_open, step
from services.scheduler.domain.placing import Out, Placing, place
from services.scheduler.domain.plan.wish import Turn
from services.scheduler.domain.recurrence import (
    Moved,
    Rhythm,
    Series,
    Slot,
    anchor,
    every,
    horizon,
    slots,
    slots_until,
)
from services.scheduler.domain.touchpoint import HUMAN, Touchpoint

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Course:
    """Where the movable occurrences go, in their order, and after them the new ones.

    `out` are the moments left out; `in_place`: each slot still belongs to the occurrence that began with it.
    """

    anchor: datetime
    until: datetime | None
    slots: Sequence[Slot]
    out: Sequence[Out] = ()
    in_place: bool = False


def course_of(
    rhythm: Rhythm,
    held: Series | None,
    standing: Sequence[Touchpoint],
    movable: Sequence[Touchpoint],
    turn: Turn,
) -> Course:
    """The course of a rhythm whose `standing` occurrences stay; a continued one keeps its nominal moments."""
    came_due = [each.due_at for each in standing if turn.come_due(each)]
    if held is not None and _goes_on(held, rhythm):
        return _continued(rhythm, held, movable, came_due, turn)
    return _started(rhythm, came_due, turn)


def _goes_on(held: Series, rhythm: Rhythm) -> bool:
    same_kind = (held.owner in HUMAN) == (rhythm.owner in HUMAN)
    return held.active and held.every_days == every(rhythm) and same_kind


def _continued(
    rhythm: Rhythm, held: Series, movable: Sequence[Touchpoint], came_due: Sequence[datetime], turn: Turn
) -> Course:
    """Each occurrence keeps its nominal moment; the horizon has moved on and may want further ones.

    After a long standstill at most one moment of the past is made up for.
    """
    info, opening = turn.context.opening(rhythm.owner, rhythm.csm_id, rhythm.face)
    again = [Slot(each.start, next_open(each.start, opening), each.end) for each in movable]
    floor = turn.now - timedelta(days=held.every_days)
    after = floor if held.until is None else max(held.until, floor)
    limit = turn.now + horizon(rhythm.owner)
    further = slots_until(held.anchor, held.every_days, info, opening, after=after, limit=limit)
    until = further[-1].nominal if further else held.until
    windows = turn.windows(rhythm.type, rhythm.face.topic)
    if not windows and not held.left_out and all(each.shift is None for each in movable):
        return Course(held.anchor, until, again + further)
    ground = Ground(windows, info, opening)
    for index, each in enumerate(movable):
        if each.shift is not None:
            again[index] = Moved(each.start, again[index].due_at, each.end, each.shift)
    back = [_slot_at(each, held, ground) for each in held.left_out if each > turn.now]
    wished = sorted({each.nominal: each for each in (*back, *again, *further)}.values(), key=_nominal)
    coming = slots(held.anchor, held.every_days, info, opening, after=until)
    last = _last_contact(rhythm, came_due, turn)
    placed, out = _placed(wished, coming, last, _by(rhythm, ground, turn))
    starts = {each.start for each in movable}
    latest = max(starts, default=turn.now)
    in_place = all(each.nominal in starts or each.nominal > latest for each in placed)
    return Course(held.anchor, until, placed, out, in_place)


def _started(rhythm: Rhythm, came_due: Sequence[datetime], turn: Turn) -> Course:
    info, opening = turn.context.opening(rhythm.owner, rhythm.csm_id, rhythm.face)
    last_contact = _last_contact(rhythm, came_due, turn)
    start = anchor(rhythm, turn.plan.account_id, last_contact, turn.now, opening)
    limit = turn.now + horizon(rhythm.owner)
    made = slots_until(start, every(rhythm), info, opening, after=None, limit=limit)
    until = made[-1].nominal if made else None
    windows = turn.windows(rhythm.type, rhythm.face.topic)
    if not windows:
        return Course(start, until, made)
    ground = Ground(windows, info, opening)
    coming = slots(start, every(rhythm), info, opening, after=until)
    placed, out = _placed(made, coming, last_contact, _by(rhythm, ground, turn))
    return Course(start, until, placed, out)


def _by(rhythm: Rhythm, ground: Ground, turn: Turn) -> Placing:
    return Placing(ground, timedelta(days=every(rhythm)), rhythm.never_skip, turn.now)


def _placed(
    wished: Sequence[Slot], coming: Iterator[Slot], last: datetime | None, by: Placing
) -> tuple[list[Slot], list[Out]]:
    """Placed with a view to what comes beyond the horizon, so that nothing has to be taken back later."""
    ahead = outlook(coming, by.ground) if wished else ()
    placed = place([*wished, *ahead], last, by)[: len(wished)]
    return (
        [each for each in placed if isinstance(each, Slot)],
        [each for each in placed if isinstance(each, Out)],
    )


def outlook(coming: Iterator[Slot], ground: Ground) -> list[Slot]:
    """What comes next, up to the first that nothing has to be avoided for."""
    ahead: list[Slot] = []
    for each in coming:
        ahead.append(each)
        window = ground.covering(each.due_at)
        if window is None or window.end is None:
            break
    return ahead


def _slot_at(nominal: datetime, held: Series, ground: Ground) -> Slot:
    """The slot of the series at that moment, as it would be if nothing had to be avoided."""
    found = next(slots(held.anchor, held.every_days, ground.info, ground.opening, after=nominal - INSTANT))
    if found.nominal == nominal:
        return found
    return Slot(nominal, next_open(nominal, ground.opening), step(nominal, held.every_days, ground.info))


def _nominal(slot: Slot) -> datetime:
    return slot.nominal


def _last_contact(rhythm: Rhythm, came_due: Sequence[datetime], turn: Turn) -> datetime | None:
    contacts = (rhythm.last_touch_at, turn.held.last_due.get(rhythm.type), *came_due)
    return max((each for each in contacts if each is not None), default=None)
