"""One-offs: found again by their identity; a moved window moves open ones, done ones stay done."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from services.scheduler.domain.avoid import NEVER, Ground
from services.scheduler.domain.calendar import Hours, next_open
from services.scheduler.domain.plan.wish import (
    Cancel,
    Change,
    Create,
    Keep,
    Move,
    OneOff,
    Turn,
    towards,
    withdrawn,
)
from services.scheduler.domain.touchpoint import (
    OPEN,
    Closure,
    Origin,
    Status,
    Touchpoint,
    Verdict,
    cancelled,
    planned_again,
)


def one_off_changes(one_offs: Sequence[OneOff], turn: Turn) -> list[Change]:
    held = {each.id: each for each in turn.held.touchpoints if each.origin is not Origin.RHYTHM}
    wished = {each.id: each for each in one_offs}
    changes = [_met(each, held.get(each.id), turn) for each in wished.values()]
    gone = [
        each
        for each in held.values()
        if each.origin is Origin.ONE_OFF and each.id not in wished and each.status in OPEN
    ]
    return changes + [_absent(each, turn) for each in gone]


def _met(wish: OneOff, held: Touchpoint | None, turn: Turn) -> Change:
    if held is None:
        return _first(wish, turn)
    if held.origin is Origin.HAND:
        return Keep(held, "a person planned it")
    if held.status is Status.CANCELLED and held.withdrawn:
        return _again(wish, held, turn)
    if turn.come_due(held):
        return Keep(held, "it has come due" if held.status in OPEN else f"it is {held.status}")
    fresh = _planned(wish, turn)
    due_at, start, end, deadline, shift = fresh.due_at, fresh.start, fresh.end, fresh.deadline, fresh.shift
    if held.pinned and held.shift is None:
        shift = None
        due_at, start, end, deadline = held.due_at, held.start, held.end, held.deadline
    elif held.shift is None and _still_good(held, wish, _ground(wish, turn)):
        due_at, shift = held.due_at, None
    goal = replace(
        held, due_at=due_at, start=start, end=end, deadline=deadline, minutes=wish.minutes, face=wish.face,
        owner=held.owner if held.pinned else wish.owner, csm_id=held.csm_id if held.pinned else wish.csm_id,
        shift=shift,
    )  # fmt: skip
    return towards(held, goal, shift or "the plan asks for it")


def _first(wish: OneOff, turn: Turn) -> Change:
    touchpoint = _planned(wish, turn)
    refusal = _refusal(wish, turn)
    if refusal is not None:
        return Create(replace(cancelled(touchpoint, refusal), sequence=1), refusal.text)
    return Create(touchpoint, "the plan asks for it")


def _again(wish: OneOff, held: Touchpoint, turn: Turn) -> Change:
    refusal = _refusal(wish, turn)
    if refusal is not None:
        return Keep(held, refusal.text)
    return Move(planned_again(held, _planned(wish, turn)), "the plan asks for it again")


def _refusal(wish: OneOff, turn: Turn) -> Verdict | None:
    if wish.latest <= turn.now:
        return Verdict(
            Closure.EXPIRED, f"its time had passed at {wish.latest.isoformat()} when it was first planned"
        )
    last = turn.held.last_due.get(wish.type)
    if wish.spacing_days is None or last is None:
        return None
    if turn.now - last >= timedelta(days=wish.spacing_days):
        return None
    return Verdict(
        Closure.SUPPRESSED,
        f"another {wish.type} came due at {last.isoformat()}, less than {wish.spacing_days} days before",
    )


def _planned(wish: OneOff, turn: Turn) -> Touchpoint:
    due_at, shift = _place(wish, _ground(wish, turn), turn.now)
    return Touchpoint(
        id=wish.id, account_id=turn.plan.account_id, type=wish.type, origin=Origin.ONE_OFF,
        due_at=due_at, start=wish.start, end=wish.end, deadline=wish.deadline, owner=wish.owner,
        csm_id=wish.csm_id, minutes=wish.minutes, face=wish.face, shift=shift,
    )  # fmt: skip


def _ground(wish: OneOff, turn: Turn) -> Ground:
    info, opening = turn.context.opening(wish.owner, wish.csm_id, wish.face)
    return Ground(turn.windows(wish.type, wish.face.topic), info, opening)


def _place(wish: OneOff, ground: Ground, now: datetime) -> tuple[datetime, str | None]:
    """Its slot, and why it is another one than it would be if nothing had to be avoided."""
    slot = _slot(wish, ground.opening, now)
    window = ground.covering(slot) if ground.windows else None
    if window is None:
        return slot, None
    after = ground.soonest(slot)
    if after >= NEVER:
        return NEVER, f"held until further notice: {window.said}"
    before = None if ground.paused(slot) else ground.earlier(slot, now)
    if before is not None and after > wish.latest and slot - before <= after - slot:
        return before, f"moved before {window.said}"
    return after, f"moved after {window.said}"


def _slot(wish: OneOff, opening: Hours | None, now: datetime) -> datetime:
    """The earliest open moment of the window; when none is open in time, the window's start."""
    start = max(wish.start, now)
    slot = next_open(start, opening)
    return slot if slot <= wish.latest else start


def _still_good(held: Touchpoint, wish: OneOff, ground: Ground) -> bool:
    same_window = (held.start, held.end, held.deadline) == (wish.start, wish.end, wish.deadline)
    slot = next_open(held.due_at, ground.opening)
    free = not ground.windows or ground.covering(held.due_at) is None
    return same_window and free and (slot == held.due_at or slot > wish.latest)


def _absent(held: Touchpoint, turn: Turn) -> Change:
    if turn.come_due(held):
        return Keep(held, "it has come due")
    latest = held.end if held.deadline is None else held.deadline
    if latest <= turn.now:
        why = f"its time passed at {latest.isoformat()}"
        return Cancel(cancelled(held, Verdict(Closure.EXPIRED, why)), why)
    return withdrawn(held, f"the plan of version {turn.plan.version} no longer asks for it")
