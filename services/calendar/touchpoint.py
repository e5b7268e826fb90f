"""A touchpoint, one moment of contact with an account, and its few transitions.

planned -> due -> (overdue ->) settled | cancelled; a planned one may also be settled early or cancelled.
`sequence` grows by one with every change that a reader can see, so that a late copy never wins.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from schemas.standing import TouchpointContent
from schemas.times import format_instant
from schemas.vocabulary import Owner
from schemas.vocabulary import ReportedOutcome as OutcomeKind
from services.calendar.windows import COVERED, GAVE_WAY, LEVELLED, SHARED


class Status(StrEnum):
    PLANNED = "planned"
    DUE = "due"
    OVERDUE = "overdue"
    SETTLED = "settled"
    CANCELLED = "cancelled"


class Origin(StrEnum):
    RHYTHM = "rhythm"
    ONE_OFF = "one_off"
    HAND = "hand"
    CALENDAR = "calendar"
    """An escalation of the calendar itself."""


class Closure(StrEnum):
    """The kind of a cancellation. Only a withdrawn touchpoint may be planned again."""

    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    BY_HAND = "cancelled"
    ERASED = "erased"


PEOPLE: Final = frozenset[Owner]({"csm", "pooled_csm", "sales"})
"""Owners that are people; the others are Drumbeat itself."""
Holder = tuple[Owner, str | None]
"""An owner: its kind and the person, if there is one."""
OPEN: Final = frozenset({Status.PLANNED, Status.DUE, Status.OVERDUE})


class IllegalTransition(Exception):
    def __init__(self, touchpoint: "Touchpoint", transition: str) -> None:
        super().__init__(
            f"touchpoint {touchpoint.id} is {touchpoint.status} and cannot be {transition}; "
            "read it again and act on its current state"
        )


@dataclass(frozen=True, slots=True)
class Cancellation:
    closure: Closure
    text: str

    @property
    def note(self) -> str:
        return f"{self.closure}: {self.text}"


@dataclass(frozen=True, slots=True)
class RecordedOutcome:
    """The outcome of a touchpoint. The latest stamp wins, so that the order of arrival does not matter."""

    kind: OutcomeKind
    time: datetime
    source: str
    id: str
    notes: str | None = None

    @property
    def stamp(self) -> tuple[datetime, str, str]:
        return self.time, self.source, self.id

    def later_than(self, other: "RecordedOutcome | None") -> "RecordedOutcome":
        """The outcome as one that was reported on top of the other one: its time is later."""
        if other is None or self.stamp > other.stamp:
            return self
        return replace(self, time=other.time + timedelta(microseconds=1))


class Touchpoint(NamedTuple):
    """Times are aware UTC. `start_at` is the nominal moment, `due_at` the same moved into open hours.

    `content` is None while an occurrence is open: its rhythm has the content.
    `pinned`: a person chose the date or the owner, plans leave them alone.
    `shift`: why it is not due at its nominal time; None: it is. `move_reason`: why a person chose its date.
    `group`: the same for touchpoints of one cause, which are shown and settled together.
    `earliest_at`, `latest_at`: the window in which a person's touchpoint may be levelled, both included, and `soft_days`
    half the width of the part of it that costs little; None: it stays.
    A named tuple, because a release copies thousands a second and a dataclass costs five times as much to copy.
    """

    id: str
    account_id: str
    type: str
    origin: Origin
    due_at: datetime
    start_at: datetime
    end_at: datetime
    deadline: datetime | None
    owner: Owner
    status: Status = Status.PLANNED
    csm_id: str | None = None
    minutes: int = 0
    number: int | None = None
    pinned: bool = False
    sequence: int = 1
    released_at: datetime | None = None
    content: TouchpointContent | None = None
    cancellation: Cancellation | None = None
    outcome: RecordedOutcome | None = None
    follows: str | None = None
    shift: str | None = None
    group: str | None = None
    move_reason: str | None = None
    earliest_at: datetime | None = None
    latest_at: datetime | None = None
    soft_days: int = 0

    @property
    def window(self) -> tuple[datetime, datetime]:
        """In which it takes place, as readers see it: the window in which it may be levelled, else that of its plan."""
        start = self.start_at if self.earliest_at is None else self.earliest_at
        return min(start, self.due_at), self.end_at if self.latest_at is None else max(
            self.latest_at, self.due_at
        )

    @property
    def is_levelled(self) -> bool:
        """Whether its day was chosen for the load of its owner's weeks."""
        return self.shift is not None and self.shift.startswith(LEVELLED)

    @property
    def is_covered(self) -> bool:
        """Whether a colleague leads it while its person is away."""
        return self.shift is not None and self.shift.startswith(COVERED)

    @property
    def is_shared(self) -> bool:
        """Whether a colleague leads it because the weeks of its person had no room for it."""
        return self.shift is not None and self.shift.startswith(SHARED)

    @property
    def is_led_by_person(self) -> bool:
        return self.owner in PEOPLE

    @property
    def holder(self) -> Holder:
        return self.owner, self.csm_id

    @property
    def overdue_at(self) -> datetime | None:
        """When it is too late: its deadline, for a one-off without one the end of its window.

        None when there is no such moment, or when it comes due only after it.
        """
        latest = self.end_at if self.deadline is None and self.origin is Origin.ONE_OFF else self.deadline
        return latest if latest is not None and latest > self.due_at else None

    @property
    def is_withdrawn(self) -> bool:
        return self.cancellation is not None and self.cancellation.closure is Closure.WITHDRAWN

    @property
    def gave_way(self) -> bool:
        """Whether it was cancelled because its owner's weeks have no room; it comes back when they have."""
        cancellation = self.cancellation
        return cancellation is not None and self.is_withdrawn and cancellation.text.startswith(GAVE_WAY)


def release(touchpoint: Touchpoint, now: datetime) -> Touchpoint:
    """The touchpoint as due. Raises IllegalTransition when it is not planned or its time has not come."""
    if touchpoint.status is not Status.PLANNED or now < touchpoint.due_at:
        due_at = format_instant(touchpoint.due_at)
        raise IllegalTransition(touchpoint, f"released at {format_instant(now)}, it is due at {due_at}")
    return touchpoint._replace(status=Status.DUE, released_at=now, sequence=touchpoint.sequence + 1)


def become_overdue(touchpoint: Touchpoint) -> Touchpoint:
    """The touchpoint as overdue: its deadline passed without an outcome. Raises IllegalTransition."""
    if touchpoint.status is not Status.DUE:
        raise IllegalTransition(touchpoint, "overdue")
    return touchpoint._replace(status=Status.OVERDUE, sequence=touchpoint.sequence + 1)


def settle(touchpoint: Touchpoint, outcome: RecordedOutcome) -> Touchpoint:
    """The touchpoint with an outcome; one already settled changes only by a later stamp.

    With the outcome `reopened` it is open again, and what was reported before does not count.
    Raises IllegalTransition when it is cancelled.
    """
    if touchpoint.status is Status.CANCELLED:
        raise IllegalTransition(touchpoint, "settled")
    if touchpoint.outcome is not None and touchpoint.outcome.stamp >= outcome.stamp:
        return touchpoint
    if outcome.kind == "reopened" and touchpoint.status is not Status.SETTLED:
        return touchpoint._replace(outcome=outcome)
    if outcome.kind == "reopened":
        status = Status.PLANNED if touchpoint.released_at is None else Status.DUE
        return touchpoint._replace(status=status, outcome=outcome, sequence=touchpoint.sequence + 1)
    return touchpoint._replace(status=Status.SETTLED, outcome=outcome, sequence=touchpoint.sequence + 1)


def cancel(touchpoint: Touchpoint, cancellation: Cancellation) -> Touchpoint:
    """Raises IllegalTransition when it is settled or cancelled."""
    if touchpoint.status not in OPEN:
        raise IllegalTransition(touchpoint, "cancelled")
    return touchpoint._replace(
        status=Status.CANCELLED, cancellation=cancellation, sequence=touchpoint.sequence + 1
    )


class WrongTime(Exception):
    """A person chose a time that makes no sense unless they say why."""


def check_new_time(touchpoint: Touchpoint, to: datetime, now: datetime) -> None:
    """Raises WrongTime for a time in the past or after the deadline."""
    remedy = "choose another time, or force it with a reason"
    if to < now:
        raise WrongTime(f"to: {format_instant(to)} is in the past; {remedy}")
    if touchpoint.deadline is not None and to > touchpoint.deadline:
        deadline = format_instant(touchpoint.deadline)
        raise WrongTime(f"to: {format_instant(to)} is after the deadline, {deadline}; {remedy}")


def move_by_hand(touchpoint: Touchpoint, to: datetime, reason: str | None = None) -> Touchpoint:
    """The touchpoint on the date a person chose, and why; it keeps its deadline. Raises IllegalTransition."""
    if touchpoint.status is not Status.PLANNED:
        raise IllegalTransition(touchpoint, "moved")
    start_at, end_at = min(touchpoint.start_at, to), max(touchpoint.end_at, to)
    return touchpoint._replace(
        due_at=to, start_at=start_at, end_at=end_at, pinned=True, shift=None, move_reason=reason,
        sequence=touchpoint.sequence + 1, earliest_at=None, latest_at=None, soft_days=0,
    )  # fmt: skip


def reassign(touchpoint: Touchpoint, csm_id: str) -> Touchpoint:
    """The touchpoint with another person; one that no person owned becomes the CSM's. Raises IllegalTransition."""
    if touchpoint.status not in OPEN:
        raise IllegalTransition(touchpoint, "reassigned")
    owner: Owner = touchpoint.owner if touchpoint.is_led_by_person else "csm"
    return touchpoint._replace(
        owner=owner, csm_id=csm_id, pinned=True, sequence=touchpoint.sequence + 1,
        earliest_at=None, latest_at=None, soft_days=0,
    )  # fmt: skip


def restore(touchpoint: Touchpoint, former: Touchpoint, outcome: RecordedOutcome | None) -> Touchpoint:
    """The touchpoint as it was before an act, with the outcome that counts from now on."""
    return former._replace(
        account_id=touchpoint.account_id, sequence=touchpoint.sequence + 1, outcome=outcome
    )


def plan_again(withdrawn: Touchpoint, target: Touchpoint) -> Touchpoint:
    """The target under the id of a withdrawn touchpoint. Raises IllegalTransition for any other one."""
    if withdrawn.status is not Status.CANCELLED or not withdrawn.is_withdrawn:
        raise IllegalTransition(withdrawn, "planned again")
    return target._replace(sequence=withdrawn.sequence + 1)


def give_way(touchpoint: Touchpoint, reason: str) -> Touchpoint:
    """The touchpoint as cancelled, because its owner's weeks have no room. Raises IllegalTransition."""
    return cancel(touchpoint, Cancellation(Closure.WITHDRAWN, f"{GAVE_WAY}{reason}"))


def return_to_plan(touchpoint: Touchpoint, due_at: datetime, reason: str) -> Touchpoint:
    """What gave way, planned at that time; an occurrence shares the content of its rhythm. Raises IllegalTransition."""
    content = None if touchpoint.origin is Origin.RHYTHM else touchpoint.content
    planned = touchpoint._replace(
        status=Status.PLANNED, cancellation=None, due_at=due_at, shift=reason, content=content
    )
    return plan_again(touchpoint, planned)
