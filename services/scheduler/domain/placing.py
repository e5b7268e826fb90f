"""Placing: the occurrences of a rhythm go around what is to be avoided, in their order.

What falls in a stretch moves to its nearest side, never before now, and keeps a third of an interval from its
neighbours. Of several in one stretch the first may stand before it and the last after it (after a pause: only
the last); the rest is left out. What is never skipped is never left out by a season, however close it comes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.scheduler.domain.avoid import NEVER, Ground
from services.scheduler.domain.recurrence import Moved, Slot

LATE = "its time passed while it was held back"
CROWDED = "the one before it had to move"


@dataclass(frozen=True, slots=True)
class Out:
    """A nominal moment at which nothing stands, and why."""

    nominal: datetime
    why: str


Placed = Slot | Out


@dataclass(frozen=True, slots=True)
class Placing:
    """What placing goes by; `interval` is the rhythm's."""

    ground: Ground
    interval: timedelta
    never_skip: bool
    now: datetime

    @property
    def room(self) -> timedelta:
        return self.interval / 3

    @property
    def longest(self) -> timedelta:
        return self.interval * 3 / 2


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbours that cannot stand where they belong; `end` is where all of them could again."""

    slots: Sequence[Slot]
    end: datetime
    before: datetime | None
    following: datetime | None


def place(slots: Sequence[Slot], last: datetime | None, by: Placing) -> list[Placed]:
    """Each slot as it can stand, in the same order; `last` is when the one before them came due.

    A slot brought along with a shift keeps that reason while it cannot be where it belongs.
    """
    placed: list[Placed] = []
    index, before = 0, last
    while index < len(slots):
        run = _run(slots, index, before, by)
        stand = [_natural(slots[index], before, placed, by)] if run is None else _around(run, by)
        placed += stand
        before = next((each.due_at for each in reversed(stand) if isinstance(each, Slot)), before)
        index += len(stand)
    return _judged(placed, last, by) if by.never_skip else placed


def _way_out(slot: Slot, by: Placing) -> datetime:
    return by.ground.clear(max(slot.due_at, by.now))


def _run(slots: Sequence[Slot], index: int, before: datetime | None, by: Placing) -> _Run | None:
    end = _way_out(slots[index], by)
    if end == slots[index].due_at:
        return None
    beyond = index + 1
    while beyond < len(slots) and _way_out(slots[beyond], by) == end != slots[beyond].due_at:
        beyond += 1
    following = slots[beyond].due_at if beyond < len(slots) else None
    return _Run(slots[index:beyond], end, before, following)


def _natural(slot: Slot, before: datetime | None, placed: Sequence[Placed], by: Placing) -> Slot:
    """Where it belongs; what is never skipped makes room for one before it that had to move here."""
    if by.never_skip and before is not None and placed:
        neighbour = placed[-1]
        moved = isinstance(neighbour, Slot) and neighbour.shift is not None
        if moved and slot.due_at < _plus(before, by.room):
            due_at = by.ground.later(slot.due_at, _plus(before, by.room))
            return _to(slot, due_at, f"moved: {CROWDED}")
    return slot if slot.shift is None else Slot(slot.nominal, slot.due_at, slot.deadline)


def _around(run: _Run, by: Placing) -> list[Placed]:
    if run.end >= NEVER:
        return _held(run, by)
    paused = by.ground.pauses_until(run.end)
    if not by.never_skip:
        return _some(run, by)
    if not paused and by.ground.covering(max(run.slots[-1].due_at, by.now)) is not None:
        return [*_all(run, by)]
    *over, last = run.slots  # nobody makes up for more than one at once
    left = [Out(each.nominal, _why(each, by, "leaves it no room")) for each in over]
    return [*left, *_all(replace(run, slots=(last,)), by)]


def _held(run: _Run, by: Placing) -> list[Placed]:
    """Nothing is released until the plan changes; of what has passed meanwhile only the last is kept."""
    past = sum(each.due_at < by.now for each in run.slots)
    return [
        Out(each.nominal, _why(each, by, "is over it"))
        if index < past - 1
        else _to(each, NEVER, f"held until further notice: {_name(each, by)}")
        for index, each in enumerate(run.slots)
    ]


def _some(run: _Run, by: Placing) -> list[Placed]:
    """The first goes before, the last goes after, where they keep their distance; the rest is left out."""
    first, last = run.slots[0], run.slots[-1]
    before, after = _before(first, by), by.ground.later(last.due_at, run.end)
    early = before is not None and _roomy(run.before, before, by)
    late = _roomy(run.before, after, by) and _roomy(after, run.following, by)
    if early and late:
        nearer = before is not None and first.due_at - before <= after - first.due_at
        alone = len(run.slots) == 1
        late = not nearer if alone else _roomy(before, after, by)
        early = nearer or not alone
    early = early and _roomy(before, run.following, by)
    placed: list[Placed] = []
    for each in run.slots:
        if each is first and early and before is not None:
            placed.append(_moved(each, before, by))
        elif each is last and late:
            placed.append(_moved(each, after, by))
        else:
            placed.append(Out(each.nominal, _why(each, by, "leaves it no room")))
    return placed


def _all(run: _Run, by: Placing) -> list[Slot]:
    """All of them: one alone on its better side, several after one another from the first side that holds."""
    first = run.slots[0]
    before = _before(first, by)
    after = by.ground.later(first.due_at, max(run.end, _plus(run.before, by.room)))
    if before is not None and run.before is not None and before <= run.before:
        before = None
    if len(run.slots) == 1:
        sides = [each for each in (before, after) if each is not None]
        return [_moved(first, min(sides, key=lambda at: _burden(at, first, run, by)), by)]
    placed: list[Slot] = []
    previous = run.before
    for each in run.slots:
        if each is first and before is not None and _roomy(previous, before, by):
            at = before
        else:
            at = by.ground.later(each.due_at, max(run.end, _plus(previous, by.room)))
        placed.append(_moved(each, at, by))
        previous = at
    return placed


def _burden(at: datetime, slot: Slot, run: _Run, by: Placing) -> tuple[bool, bool, timedelta]:
    """What speaks against a side: a gap that is too long, neighbours too near, and the way to it."""
    before, following = run.before, run.following
    stretched = (before is not None and at - before > by.longest) or (
        following is not None and following - at > by.longest
    )
    crowded = not (_roomy(before, at, by) and _roomy(at, following, by))
    return stretched, crowded, abs(at - slot.due_at)


def _judged(placed: Sequence[Placed], last: datetime | None, by: Placing) -> list[Placed]:
    """A gap that a move made longer than one and a half intervals is said in the reason of that move."""
    judged = list(placed)
    before: int | None = None
    for index, each in enumerate(placed):
        if not isinstance(each, Slot) or each.due_at >= NEVER:
            continue
        neighbour = None if before is None else judged[before]
        since = neighbour.due_at if isinstance(neighbour, Slot) else last
        if since is not None and each.due_at - since > by.longest:
            gap = each.due_at - since
            if each.shift is not None:
                judged[index] = _stretched(each, gap, by, "since the one before")
            elif before is not None and isinstance(neighbour, Slot) and neighbour.shift is not None:
                judged[before] = _stretched(neighbour, gap, by, "until the next")
        before = index
    return judged


def _stretched(slot: Slot, gap: timedelta, by: Placing, side: str) -> Slot:
    most = by.longest / timedelta(days=1)
    text = f"{slot.shift}; {gap.days} days {side}, more than the {most:g} it should be at most"
    return Moved(slot.nominal, slot.due_at, slot.deadline, text, stretched=True)


def _before(slot: Slot, by: Placing) -> datetime | None:
    if slot.due_at < by.now or by.ground.paused(slot.due_at):
        return None
    return by.ground.earlier(slot.due_at, by.now)


def _moved(slot: Slot, at: datetime, by: Placing) -> Slot:
    window = by.ground.covering(max(slot.due_at, by.now))
    if window is None:
        return _to(slot, at, _known(slot) or f"moved: {LATE}")
    if at >= NEVER:
        return _to(slot, at, f"held until further notice: {window.said}")
    side = "before" if at < slot.due_at else "after"
    return _to(slot, at, f"moved {side} {window.said}")


def _to(slot: Slot, at: datetime, why: str) -> Moved:
    return Moved(slot.nominal, at, slot.deadline, why)


def _known(slot: Slot) -> str | None:
    """Why it had to move before, without what was said about its gap, which is judged anew."""
    shift = slot.shift or ""
    return shift.partition("; ")[0] if shift.startswith("moved") else None


def _name(slot: Slot, by: Placing) -> str:
    window = by.ground.covering(max(slot.due_at, by.now))
    return LATE if window is None else window.said


def _why(slot: Slot, by: Placing, what: str) -> str:
    window = by.ground.covering(max(slot.due_at, by.now))
    return LATE if window is None else f"{window.name} {what}: {window.text}"[:500]


def _roomy(one: datetime | None, other: datetime | None, by: Placing) -> bool:
    return one is None or other is None or other - one >= by.room


def _plus(moment: datetime | None, span: timedelta) -> datetime:
    """NEVER stays NEVER."""
    if moment is None:
        return datetime.min.replace(tzinfo=NEVER.tzinfo)
    return NEVER if moment >= NEVER - span else moment + span
