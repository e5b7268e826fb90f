"""No transition leaves a final state, and every visible change grows the sequence by one."""

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.vocabulary import Outcome as OutcomeKind
from services.calendar.touchpoint import (
    Cancellation,
    Closure,
    IllegalTransition,
    RecordedOutcome,
    Status,
    Touchpoint,
    become_overdue,
    cancel,
    move_by_hand,
    reassign,
    release,
    settle,
)
from tests.unit.calendar.plans import NOW, by_hand

TERMINAL = (Status.SETTLED, Status.CANCELLED)
ORDER = {Status.PLANNED: 0, Status.DUE: 1, Status.OVERDUE: 2, Status.SETTLED: 3, Status.CANCELLED: 3}


class Life(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        self.touchpoint: Touchpoint = by_hand(NOW + timedelta(days=3))
        self.ended: Status | None = None

    def become(self, after: Touchpoint) -> None:
        before = self.touchpoint
        assert after.sequence == before.sequence + (after != before)
        assert ORDER[after.status] >= ORDER[before.status]
        self.touchpoint = after
        if after.status in TERMINAL:
            self.ended = after.status

    @rule(days=st.integers(0, 5))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule()
    def release(self) -> None:
        try:
            self.become(release(self.touchpoint, self.now))
        except IllegalTransition:
            return
        assert self.touchpoint.due_at <= self.now

    @rule()
    def become_overdue(self) -> None:
        try:
            self.become(become_overdue(self.touchpoint))
        except IllegalTransition:
            return

    @rule(kind=st.sampled_from(["completed", "missed"]), hours=st.integers(-3, 3), name=st.sampled_from("ab"))
    def settle(self, kind: OutcomeKind, hours: int, name: str) -> None:
        outcome = RecordedOutcome(kind, self.now + timedelta(hours=hours), "crm", name)
        stored = self.touchpoint.outcome
        try:
            self.become(settle(self.touchpoint, outcome))
        except IllegalTransition:
            return
        best = outcome if stored is None else max(stored, outcome, key=lambda each: each.stamp)
        assert self.touchpoint.outcome is not None
        assert self.touchpoint.outcome.stamp == best.stamp

    @rule(closure=st.sampled_from(list(Closure)))
    def cancel(self, closure: Closure) -> None:
        try:
            self.become(cancel(self.touchpoint, Cancellation(closure, "why")))
        except IllegalTransition:
            return

    @rule(days=st.integers(-3, 9))
    def move(self, days: int) -> None:
        try:
            self.become(move_by_hand(self.touchpoint, self.now + timedelta(days=days)))
        except IllegalTransition:
            return

    @rule()
    def reassign(self) -> None:
        try:
            self.become(reassign(self.touchpoint, "bob"))
        except IllegalTransition:
            return

    @invariant()
    def ends_once(self) -> None:
        assert self.ended is None or self.touchpoint.status is self.ended


TestLife = Life.TestCase
