"""A delivery ends once: no operation changes a final state."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.notifier.domain.delivery import (
    AlreadyFinal,
    AttemptOutcome,
    Delivery,
    Recipient,
    RecipientKind,
    Response,
    State,
)
from services.notifier.domain.retry import after_attempt

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
ACME_HOOK = Recipient(RecipientKind.SUBSCRIPTION, "acme-hook")
responses = st.builds(
    Response,
    outcome=st.sampled_from(AttemptOutcome),
    detail=st.just("HTTP 503"),
    retry_after=st.none() | st.timedeltas(timedelta(), timedelta(hours=2)),
    is_permanent=st.booleans(),
    is_gone=st.booleans(),
)


class LifeOfADelivery(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.delivery = Delivery("a-delivery", "webhook", ACME_HOOK, next_at=NOW)
        self.now = NOW
        self.final_states: list[State] = []

    def _move(self, changed: Delivery) -> None:
        self.delivery = changed
        if changed.state.is_final:
            self.final_states.append(changed.state)

    @precondition(lambda self: not self.delivery.state.is_final)
    @rule(response=responses)
    def attempt(self, response: Response) -> None:
        self.now = self.delivery.next_at or self.now
        changed, attempt = after_attempt(self.delivery, response, at=self.now, first_at=NOW)
        assert attempt.number == self.delivery.attempts + 1 == changed.attempts
        assert (changed.state is State.SENT) == (response.outcome is AttemptOutcome.DELIVERED)
        self._move(changed)

    @precondition(lambda self: not self.delivery.state.is_final)
    @rule()
    def postpone(self) -> None:
        attempts = self.delivery.attempts
        self._move(self.delivery.postponed(self.now + timedelta(minutes=5), "the circuit is open"))
        assert self.delivery.attempts == attempts

    @precondition(lambda self: not self.delivery.state.is_final)
    @rule()
    def suppress(self) -> None:
        self._move(self.delivery.finished(State.SUPPRESSED, "opted out"))

    @precondition(lambda self: not self.delivery.state.is_final)
    @rule()
    def expire(self) -> None:
        self._move(self.delivery.finished(State.EXPIRED, "too late"))

    @precondition(lambda self: self.delivery.state.is_final)
    @rule(response=responses)
    def nothing_changes_a_final_one(self, response: Response) -> None:
        for change in (
            lambda: after_attempt(self.delivery, response, at=self.now, first_at=NOW),
            lambda: self.delivery.postponed(self.now, "later"),
            lambda: self.delivery.finished(State.SUPPRESSED, "opted out"),
            lambda: self.delivery.finished(State.EXPIRED, "too late"),
        ):
            with pytest.raises(AlreadyFinal):
                change()

    @invariant()
    def ends_once(self) -> None:
        assert len(self.final_states) <= 1

    @invariant()
    def only_a_pending_delivery_has_a_next_moment(self) -> None:
        assert (self.delivery.next_at is None) == self.delivery.state.is_final


TestLifeOfADelivery = LifeOfADelivery.TestCase


def test_a_webhook_that_always_fails_is_tried_eleven_times_and_fails() -> None:
    delivery, at = Delivery("a-delivery", "webhook", ACME_HOOK, next_at=NOW), NOW
    refused = Response(AttemptOutcome.REFUSED, "HTTP 500")

    while not delivery.state.is_final:
        at = delivery.next_at or at
        delivery, _ = after_attempt(delivery, refused, at=at, first_at=NOW)

    assert delivery.state is State.FAILED
    assert delivery.attempts == 11
    assert timedelta(days=2) < at - NOW < timedelta(days=4)
    assert delivery.reason == "gave up after HTTP 500"


def test_an_endpoint_that_is_gone_fails_at_once() -> None:
    delivery = Delivery("a-delivery", "webhook", ACME_HOOK, next_at=NOW)

    after, _ = after_attempt(
        delivery, Response(AttemptOutcome.REFUSED, "HTTP 410", is_gone=True), at=NOW, first_at=None
    )

    assert after.state is State.FAILED
