"""Touchpoint: one moment of contact with an account, and the few paths its life may take.

planned -> due -> (overdue ->) settled | cancelled; a planned one may be settled early or cancelled.
`sequence` grows by one on every change a reader could see, so that a late copy never wins.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    PLANNED = "planned"
    DUE = "due"
    OVERDUE = "overdue"
    SETTLED = "settled"
    CANCELLED = "cancelled"


class Owner(StrEnum):
    CSM = "csm"
    POOLED_CSM = "pooled_csm"
    SALES = "sales"
    MARKETING = "marketing"
    AUTOMATION = "automation"


class Origin(StrEnum):
    RHYTHM = "rhythm"
    ONE_OFF = "one_off"
    HAND = "hand"


class Closure(StrEnum):
    """Why a touchpoint was cancelled. Only a withdrawn one may stand in a plan again."""

    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    BY_HAND = "cancelled"
    ERASED = "erased"


HUMAN = frozenset({Owner.CSM, Owner.POOLED_CSM, Owner.SALES})
OPEN = frozenset({Status.PLANNED, Status.DUE, Status.OVERDUE})


class IllegalTransition(Exception):
    def __init__(self, touchpoint: "Touchpoint", wish: str) -> None:
        super().__init__(
            f"touchpoint {touchpoint.id} is {touchpoint.status} and cannot be {wish}; "
            "read it again and act on what it is now"
        )


@dataclass(frozen=True, slots=True)
class Face:
    """What is said about a touchpoint. Occurrences of a rhythm share their rhythm's.

    `reason` is the decision's own JSON text: carried, never read here.
    """

    channel: str
    purpose: str
    topic: str | None
    audience: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    closure: Closure
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a touchpoint, stamped so that the latest word wins whatever the order of arrival."""

    kind: str
    time: datetime
    source: str
    id: str
    notes: str | None = None

    @property
    def stamp(self) -> tuple[datetime, str, str]:
        return self.time, self.source, self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Touchpoint:
    """Times are aware UTC. `start` is the nominal moment, `due_at` the same shifted into open hours.

    `face` is None while an occurrence is open and its rhythm speaks for it.
    `pinned`: a person chose the date; plans leave it alone.
    `shift`: why it is not due where its rhythm or its window would have it; None: it is.
    """

    id: str
    account_id: str
    type: str
    origin: Origin
    status: Status = Status.PLANNED
    due_at: datetime
    start: datetime
    end: datetime
    deadline: datetime | None
    owner: Owner
    csm_id: str | None = None
    minutes: int = 0
    number: int | None = None
    pinned: bool = False
    sequence: int = 1
    released_at: datetime | None = None
    face: Face | None = None
    verdict: Verdict | None = None
    outcome: Outcome | None = None
    follows: str | None = None
    shift: str | None = None

    @property
    def led_by_a_person(self) -> bool:
        return self.owner in HUMAN

    @property
    def lapses_at(self) -> datetime | None:
        """When it is too late; a one-off without a deadline has its window. What comes due later has none."""
        latest = self.end if self.deadline is None and self.origin is Origin.ONE_OFF else self.deadline
        return latest if latest is not None and latest > self.due_at else None

    @property
    def withdrawn(self) -> bool:
        return self.verdict is not None and self.verdict.closure is Closure.WITHDRAWN


def released(touchpoint: Touchpoint, now: datetime) -> Touchpoint:
    """The touchpoint, come due. Raises IllegalTransition before its time or out of its turn."""
    if touchpoint.status is not Status.PLANNED or now < touchpoint.due_at:
        raise IllegalTransition(
            touchpoint, f"released at {now.isoformat()}, due {touchpoint.due_at.isoformat()}"
        )
    return replace(touchpoint, status=Status.DUE, released_at=now, sequence=touchpoint.sequence + 1)


def lapsed(touchpoint: Touchpoint) -> Touchpoint:
    """Its deadline passed while nobody said what became of it."""
    if touchpoint.status is not Status.DUE:
        raise IllegalTransition(touchpoint, "overdue")
    return replace(touchpoint, status=Status.OVERDUE, sequence=touchpoint.sequence + 1)


def settled(touchpoint: Touchpoint, outcome: Outcome) -> Touchpoint:
    """Closed by an outcome; on one already settled only a later stamp changes anything."""
    if touchpoint.status is Status.CANCELLED:
        raise IllegalTransition(touchpoint, "settled")
    if touchpoint.outcome is not None and touchpoint.outcome.stamp >= outcome.stamp:
        return touchpoint
    return replace(touchpoint, status=Status.SETTLED, outcome=outcome, sequence=touchpoint.sequence + 1)


def cancelled(touchpoint: Touchpoint, verdict: Verdict) -> Touchpoint:
    if touchpoint.status not in OPEN:
        raise IllegalTransition(touchpoint, "cancelled")
    return replace(touchpoint, status=Status.CANCELLED, verdict=verdict, sequence=touchpoint.sequence + 1)


def moved_by_hand(touchpoint: Touchpoint, to: datetime) -> Touchpoint:
    """On the date a person chose; a deadline that would come first gives way."""
    if touchpoint.status is not Status.PLANNED:
        raise IllegalTransition(touchpoint, "moved")
    deadline = touchpoint.deadline if touchpoint.deadline is None or touchpoint.deadline > to else None
    start, end = min(touchpoint.start, to), max(touchpoint.end, to)
    return replace(
        touchpoint,
        due_at=to, start=start, end=end, deadline=deadline, pinned=True, shift=None,
        sequence=touchpoint.sequence + 1,
    )  # fmt: skip


def reassigned(touchpoint: Touchpoint, csm_id: str) -> Touchpoint:
    """In another person's hands; what nobody led is led by that person from now on."""
    if touchpoint.status not in OPEN:
        raise IllegalTransition(touchpoint, "reassigned")
    owner = touchpoint.owner if touchpoint.led_by_a_person else Owner.CSM
    return replace(touchpoint, owner=owner, csm_id=csm_id, pinned=True, sequence=touchpoint.sequence + 1)


def planned_again(withdrawn: Touchpoint, wished: Touchpoint) -> Touchpoint:
    """A withdrawn touchpoint that the plan asks for once more, under its old identity."""
    if withdrawn.status is not Status.CANCELLED or not withdrawn.withdrawn:
        raise IllegalTransition(withdrawn, "planned again")
    return replace(wished, sequence=withdrawn.sequence + 1)


def misfire(origin: Origin, owner: Owner, lapses_at: datetime | None, *, superseded: bool) -> Verdict | None:
    """The verdict on a touchpoint found long after it was due and past its time; None: release it late.

    A person's rhythm is always released, so that nothing they owe is forgotten. The machine's keeps only
    its newest occurrence (`superseded`: a newer one is due as well): nobody gets three newsletters at once.
    """
    if origin is Origin.RHYTHM:
        if owner in HUMAN or not superseded:
            return None
        return Verdict(
            Closure.EXPIRED, "superseded after an outage: a newer one of its rhythm is due as well"
        )
    if origin is Origin.ONE_OFF and lapses_at is not None:
        return Verdict(Closure.EXPIRED, f"its time passed at {lapses_at.isoformat()} during an outage")
    return None
