"""Moves the slots of a rhythm around the times to avoid, in their order.

A slot inside a period moves to its nearer side, never before now, and keeps a third of an interval from its
neighbours. Of several slots in one period the first may move before it and the last after it (after a pause: only
the last); the others are left out. A rhythm that is never skipped loses no slot to a season, however close the
slots come.

What people do moves out of public holidays and time off to the nearest day on which it can be, and is not left out:
only of many occurrences in one absence the first and the last are kept, and what is nearly daily rests. What meets
busy time in its person's calendar goes to another hour of its day, while the day has one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.calendar.avoid import (
    NEVER,
    Availability,
    ClosedTime,
    Period,
    describe_move,
    describe_period,
)
from services.calendar.closed_reasons import reason_at
from services.calendar.recurrence import Slot

LATE = "its time passed while it was held back"
CROWDED = "the one before it had to move"
MOST_MADE_UP = 3
"""Occurrences of one absence that are all made up for."""
SHORTEST_MADE_UP = timedelta(days=3)
"""The least interval of a rhythm whose occurrences move out of public holidays and time off."""


@dataclass(frozen=True, slots=True)
class LeftOutSlot:
    """A nominal moment without an occurrence, and why."""

    nominal: datetime
    reason: str


PlacedSlot = Slot | LeftOutSlot


@dataclass(frozen=True, slots=True)
class _BlockedRun:
    """Neighbouring slots inside one period (or joined periods), which ends at `end`; what comes before and after."""

    slots: Sequence[Slot]
    end: datetime
    before: datetime | None
    following: datetime | None


@dataclass(frozen=True, slots=True)
class SlotPlacer:
    """Places the slots of one rhythm, whose interval is `interval`, where it is available."""

    availability: Availability
    interval: timedelta
    never_skip: bool
    now: datetime

    @property
    def shortest_gap(self) -> timedelta:
        return self.interval / 3

    @property
    def longest_gap(self) -> timedelta:
        return self.interval * 3 / 2

    def place(self, slots: Sequence[Slot], last: datetime | None) -> list[PlacedSlot]:
        """Each slot where it can be, in the same order; `last` is when the one before them came due.

        A slot that comes with a shift keeps that reason while it cannot return to its own time.
        """
        placed: list[PlacedSlot] = []
        index, before = 0, last
        while index < len(slots):
            run = self._blocked_run(slots, index, before)
            aside = self._put_aside(slots[index]) if run else None
            if aside is not None:
                placed_run: list[PlacedSlot] = [aside]
            else:
                placed_run = self._place_run(run) if run else [self._place_free(slots[index], before, placed)]
            placed += placed_run
            before = next((slot.due_at for slot in reversed(placed_run) if isinstance(slot, Slot)), before)
            index += len(placed_run)
        return self._mark_long_gaps(placed, last) if self.never_skip else placed

    def _wanted_at(self, slot: Slot) -> datetime:
        """Its own time; now, if that passed while something had to be avoided."""
        was_avoided = slot.shift is not None or self.availability.periods
        return max(slot.due_at, self.now) if was_avoided else slot.due_at

    def _free_at(self, slot: Slot) -> datetime:
        return self.availability.first_outside(self._wanted_at(slot))

    def _blocked_run(self, slots: Sequence[Slot], index: int, before: datetime | None) -> _BlockedRun | None:
        end = self._free_at(slots[index])
        if end == slots[index].due_at:
            return None
        beyond = index + 1
        while beyond < len(slots) and self._free_at(slots[beyond]) == end != slots[beyond].due_at:
            beyond += 1
        following = slots[beyond].due_at if beyond < len(slots) else None
        return _BlockedRun(slots[index:beyond], end, before, following)

    def _place_free(self, slot: Slot, before: datetime | None, placed: Sequence[PlacedSlot]) -> Slot:
        """The slot at its own time; one that is never skipped makes room for a moved one before it.

        It also does so once that one has come due: then its own shift says that it had to.
        """
        if (self.never_skip or self.availability.has_closures) and before is not None:
            neighbour = placed[-1] if placed else slot
            was_moved = isinstance(neighbour, Slot) and neighbour.shift is not None
            if was_moved and slot.due_at < _plus(before, self.shortest_gap):
                return _move(slot, self._after(slot, before, slot.due_at), f"moved: {CROWDED}")
        return slot if slot.shift is None else replace(slot, shift=None)

    def _put_aside(self, slot: Slot) -> Slot | None:
        """The slot at another hour of its day, where only busy time is in its way."""
        wanted_at = self._wanted_at(slot)
        aside = self.availability.beside_busy_time(wanted_at, self.now)
        return None if aside is None else self._move_around(slot, aside)

    def _place_run(self, run: _BlockedRun) -> list[PlacedSlot]:
        if run.end >= NEVER:
            return self._hold(run)
        if not self.never_skip:
            return [*self._place_all(run)] if self._is_made_up(run) else self._place_some(run)
        is_paused = self.availability.is_end_of_pause(run.end)
        if not is_paused and self._period_around(run.slots[-1]) is not None:
            return [*self._place_all(run)]
        *superseded, last = run.slots  # only one is made up for at once
        left_out = [self._leave_out(slot, "leaves it no room") for slot in superseded]
        return [*left_out, *self._place_all(replace(run, slots=(last,)))]

    def _is_made_up(self, run: _BlockedRun) -> bool:
        """Whether public holidays or time off alone are in the way of a few occurrences."""
        is_few = len(run.slots) <= MOST_MADE_UP and self.interval >= SHORTEST_MADE_UP
        return is_few and all(isinstance(self._period_around(slot), ClosedTime) for slot in run.slots)

    def _hold(self, run: _BlockedRun) -> list[PlacedSlot]:
        """Hold the slots until the plan changes; of those whose time has passed only the last is kept."""
        past = sum(slot.due_at < self.now for slot in run.slots)
        superseded = max(past - 1, 0)
        placed: list[PlacedSlot] = [self._leave_out(slot, "covers it") for slot in run.slots[:superseded]]
        for slot in run.slots[superseded:]:
            period = self._period_around(slot)
            reason = LATE if period is None else describe_period(period)
            placed.append(_move(slot, NEVER, f"held until further notice: {reason}"))
        return placed

    def _place_some(self, run: _BlockedRun) -> list[PlacedSlot]:
        """Move the first before and the last after, where they keep their distance; leave the others out."""
        first, last = run.slots[0], run.slots[-1]
        before, after = self._slot_before(first), self.availability.available_after(last.due_at, run.end)
        uses_before = before is not None and self._has_room(run.before, before)
        uses_after = self._has_room(run.before, after) and self._has_room(after, run.following)
        if uses_before and uses_after:
            is_nearer = before is not None and first.due_at - before <= after - first.due_at
            is_alone = len(run.slots) == 1
            uses_after = not is_nearer if is_alone else self._has_room(before, after)
            uses_before = is_nearer or not is_alone
        uses_before = uses_before and self._has_room(before, run.following)
        placed: list[PlacedSlot] = []
        for slot in run.slots:
            if slot is first and uses_before and before is not None:
                placed.append(self._move_around(slot, before))
            elif slot is last and uses_after:
                placed.append(self._move_around(slot, after))
            else:
                placed.append(self._leave_out(slot, "leaves it no room"))
        return placed

    def _place_all(self, run: _BlockedRun) -> list[Slot]:
        """Place all: a single one on its better side, several one after another from the first possible side."""
        first = run.slots[0]
        before = self._slot_before(first)
        after = self._after(first, run.before, run.end)
        if before is not None and run.before is not None and before <= run.before:
            before = None
        if len(run.slots) == 1:
            sides = [side for side in (before, after) if side is not None]
            best = min(sides, key=lambda side: self._rank_side(side, first, run))
            return [self._move_around(first, best)]
        placed: list[Slot] = []
        previous = run.before
        for slot in run.slots:
            if slot is first and before is not None and self._has_room(previous, before):
                due_at = before
            else:
                due_at = self._after(slot, previous, run.end)
            placed.append(self._move_around(slot, due_at))
            previous = due_at
        return placed

    def _rank_side(self, due_at: datetime, slot: Slot, run: _BlockedRun) -> tuple[bool, bool, timedelta]:
        """Order of preference of a side, best first: no long gap, no crowded neighbour, the shortest move."""
        before, following = run.before, run.following
        is_stretched = (before is not None and due_at - before > self.longest_gap) or (
            following is not None and following - due_at > self.longest_gap
        )
        is_crowded = not (self._has_room(before, due_at) and self._has_room(due_at, following))
        return is_stretched, is_crowded, abs(due_at - slot.due_at)

    def _mark_long_gaps(self, placed: Sequence[PlacedSlot], last: datetime | None) -> list[PlacedSlot]:
        """Add to the reason of a move that it makes a gap longer than one and a half intervals."""
        marked = list(placed)
        before: int | None = None
        for index, slot in enumerate(placed):
            if not isinstance(slot, Slot) or slot.due_at >= NEVER:
                continue
            neighbour = None if before is None else marked[before]
            since = neighbour.due_at if isinstance(neighbour, Slot) else last
            if since is not None and slot.due_at - since > self.longest_gap:
                gap = slot.due_at - since
                if slot.shift is not None:
                    marked[index] = self._with_gap(slot, gap, "since the one before")
                elif before is not None and isinstance(neighbour, Slot) and neighbour.shift is not None:
                    marked[before] = self._with_gap(neighbour, gap, "until the next")
            before = index
        return marked

    def _with_gap(self, slot: Slot, gap: timedelta, side: str) -> Slot:
        most = self.longest_gap / timedelta(days=1)
        text = f"{slot.shift}; {gap.days} days {side}, more than the {most:g} it should be at most"
        return Slot(slot.nominal, slot.due_at, slot.deadline, text, stretched=True)

    def _slot_before(self, slot: Slot) -> datetime | None:
        if slot.due_at < self.now or self.availability.is_paused(slot.due_at):
            return None
        return self.availability.available_before(slot.due_at, self.now)

    def _after(self, slot: Slot, previous: datetime | None, end: datetime) -> datetime:
        """The first available moment for the slot from `end` on that keeps its distance from the previous one."""
        return self.availability.available_after(
            slot.due_at, max(end, self.now, _plus(previous, self.shortest_gap))
        )

    def _period_around(self, slot: Slot) -> Period | None:
        return self.availability.period_at(self._wanted_at(slot))

    def _move_around(self, slot: Slot, due_at: datetime) -> Slot:
        period = self._period_around(slot)
        if period is None:
            return _move(slot, due_at, _former_reason(slot) or f"moved: {LATE}")
        if due_at >= NEVER:
            return _move(slot, due_at, f"held until further notice: {describe_period(period)}")
        return _move(slot, due_at, describe_move(period, before=due_at < slot.due_at))

    def _leave_out(self, slot: Slot, what: str) -> LeftOutSlot:
        period = self._period_around(slot)
        if period is None:
            return LeftOutSlot(slot.nominal, LATE)
        text = f": {period.text}" if period.text else ""
        return LeftOutSlot(slot.nominal, f"{period.name} {what}{text}"[:500])

    def _has_room(self, one: datetime | None, other: datetime | None) -> bool:
        return one is None or other is None or other - one >= self.shortest_gap


def describe_obstacle(availability: Availability, moment: datetime) -> str:
    """Why something cannot stand at that moment, for a move to an earlier one."""
    period = availability.period_at(moment)
    if period is not None:
        return describe_move(period, before=True)
    opening = availability.opening
    return f"moved: {(opening and reason_at(moment, opening)) or LATE}"


def _move(slot: Slot, due_at: datetime, reason: str) -> Slot:
    return Slot(slot.nominal, due_at, slot.deadline, reason)


def _former_reason(slot: Slot) -> str | None:
    """Why it had to move before, without the note about its gap, which is determined anew."""
    shift = slot.shift or ""
    return shift.partition("; ")[0] if shift.startswith("moved") else None


def _plus(moment: datetime | None, span: timedelta) -> datetime:
    """The sum, at most NEVER; without a moment, the earliest one."""
    if moment is None:
        return datetime.min.replace(tzinfo=NEVER.tzinfo)
    return NEVER if moment >= NEVER - span else moment + span
