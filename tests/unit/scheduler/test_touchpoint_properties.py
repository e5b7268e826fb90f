"""No path leaves a terminal state, and every visible change counts one up."""

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.scheduler.domain.touchpoint import (
    Closure,
    IllegalTransition,
    Outcome,
    Status,
    Touchpoint,
    Verdict,
    cancelled,
    lapsed,
    moved_by_hand,
    reassigned,
    released,
    settled,
)
from tests.unit.scheduler.wishes import NOW, by_hand

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
            self.become(released(self.touchpoint, self.now))
        except IllegalTransition:
            return
        assert self.touchpoint.due_at <= self.now

    @rule()
    def lapse(self) -> None:
        try:
            self.become(lapsed(self.touchpoint))
        except IllegalTransition:
            return

    @rule(kind=st.sampled_from(["completed", "missed"]), hours=st.integers(-3, 3), name=st.sampled_from("ab"))
    def settle(self, kind: str, hours: int, name: str) -> None:
        outcome = Outcome(kind, self.now + timedelta(hours=hours), "crm", name)
        held = self.touchpoint.outcome
        try:
            self.become(settled(self.touchpoint, outcome))
        except IllegalTransition:
            return
        best = outcome if held is None else max(held, outcome, key=lambda each: each.stamp)
        assert self.touchpoint.outcome is not None
        assert self.touchpoint.outcome.stamp == best.stamp

    @rule(closure=st.sampled_from(list(Closure)))
    def cancel(self, closure: Closure) -> None:
        try:
            self.become(cancelled(self.touchpoint, Verdict(closure, "why")))
        except IllegalTransition:
            return

    @rule(days=st.integers(-3, 9))
    def move(self, days: int) -> None:
        try:
            self.become(moved_by_hand(self.touchpoint, self.now + timedelta(days=days)))
        except IllegalTransition:
            return

    @rule()
    def reassign(self) -> None:
        try:
            self.become(reassigned(self.touchpoint, "bob"))
        except IllegalTransition:
            return

    @invariant()
    def ends_once(self) -> None:
        assert self.ended is None or self.touchpoint.status is self.ended


TestLife = Life.TestCase
