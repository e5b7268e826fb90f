"""A delivery ends once: no path leaves a final state."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.notifier.domain.delivery import (
    AlreadyFinal,
    Delivery,
    Outcome,
    Receipt,
    Recipient,
    RecipientKind,
    State,
    delivery_id,
)
from services.notifier.domain.retry import after_attempt

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
ACME_HOOK = Recipient(RecipientKind.SUBSCRIPTION, "acme-hook")
receipts = st.builds(
    Receipt,
    outcome=st.sampled_from(Outcome),
    detail=st.just("so it was"),
    retry_after=st.none() | st.timedeltas(timedelta(), timedelta(hours=2)),
    permanent=st.booleans(),
    gone=st.booleans(),
)


class LifeOfADelivery(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.delivery = Delivery("a-delivery", "webhook", ACME_HOOK, next_at=NOW)
        self.now = NOW
        self.verdicts: list[State] = []

    def _move(self, change: Delivery) -> None:
        self.delivery = change
        if change.state.final:
            self.verdicts.append(change.state)

    @precondition(lambda self: not self.delivery.state.final)
    @rule(receipt=receipts)
    def try_it(self, receipt: Receipt) -> None:
        self.now = self.delivery.next_at or self.now
        changed, attempt = after_attempt(self.delivery, receipt, at=self.now, first_at=NOW)
        assert attempt.number == self.delivery.attempts + 1 == changed.attempts
        assert (changed.state is State.SENT) == (receipt.outcome is Outcome.DELIVERED)
        self._move(changed)

    @precondition(lambda self: not self.delivery.state.final)
    @rule()
    def postpone(self) -> None:
        attempts = self.delivery.attempts
        self._move(self.delivery.postponed(self.now + timedelta(minutes=5), "the circuit is open"))
        assert self.delivery.attempts == attempts

    @precondition(lambda self: not self.delivery.state.final)
    @rule()
    def suppress(self) -> None:
        self._move(self.delivery.suppressed("opted out"))

    @precondition(lambda self: not self.delivery.state.final)
    @rule()
    def expire(self) -> None:
        self._move(self.delivery.expired("too late"))

    @precondition(lambda self: self.delivery.state.final)
    @rule(receipt=receipts)
    def nothing_changes_a_final_one(self, receipt: Receipt) -> None:
        for change in (
            lambda: after_attempt(self.delivery, receipt, at=self.now, first_at=NOW),
            lambda: self.delivery.postponed(self.now, "later"),
            lambda: self.delivery.suppressed("opted out"),
            lambda: self.delivery.expired("too late"),
        ):
            with pytest.raises(AlreadyFinal):
                change()

    @invariant()
    def ends_once(self) -> None:
        assert len(self.verdicts) <= 1

    @invariant()
    def pending_has_a_moment_and_final_has_none(self) -> None:
        assert (self.delivery.next_at is None) == self.delivery.state.final


TestLifeOfADelivery = LifeOfADelivery.TestCase


def test_a_webhook_that_always_fails_is_tried_eleven_times_and_fails() -> None:
    delivery, at = Delivery("a-delivery", "webhook", ACME_HOOK, next_at=NOW), NOW
    refused = Receipt(Outcome.REFUSED, "HTTP 500")

    while not delivery.state.final:
        at = delivery.next_at or at
        delivery, _ = after_attempt(delivery, refused, at=at, first_at=NOW)

    assert delivery.state is State.FAILED
    assert delivery.attempts == 11
    assert timedelta(days=2) < at - NOW < timedelta(days=4)
    assert delivery.reason == "gave up after HTTP 500"


def test_an_endpoint_that_is_gone_fails_at_once() -> None:
    delivery = Delivery("a-delivery", "webhook", ACME_HOOK, next_at=NOW)

    after, _ = after_attempt(delivery, Receipt(Outcome.REFUSED, "HTTP 410", gone=True), at=NOW, first_at=None)

    assert after.state is State.FAILED


@given(event=st.text(max_size=20), other=st.text(max_size=20), recovery=st.integers(0, 3))
def test_an_id_follows_from_event_channel_and_recipient(event: str, other: str, recovery: int) -> None:
    first = delivery_id(event, "webhook", ACME_HOOK, recovery=recovery)

    assert first == delivery_id(event, "webhook", ACME_HOOK, recovery=recovery)
    assert "." not in first
    assert (delivery_id(other, "webhook", ACME_HOOK, recovery=recovery) == first) == (event == other)
    assert delivery_id(event, "email", ACME_HOOK, recovery=recovery) != first
