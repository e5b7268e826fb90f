"""Every reason not to send belongs to one of the causes that the event names (F3)."""

import pytest

from services.notifier.domain.decision import Action, DeliveryDecision, Reason
from services.notifier.domain.delivery import State
from services.notifier.domain.delivery_cause import cause_of

FOR_SENDING = {
    Reason.READY,
    Reason.WAITING,
    Reason.QUIET,
    Reason.NO_ADDRESS_YET,
    Reason.DAY_MAIL,
    Reason.GATHERING,
    Reason.FAR_AHEAD,
    Reason.MORNING,
    Reason.SEND_WINDOW,
    Reason.NO_ROOM,
    Reason.APPROVAL,
}


@pytest.mark.parametrize("reason", sorted(set(Reason) - FOR_SENDING))
def test_every_reason_not_to_send_has_a_cause_with_and_without_detail_f3(reason: Reason) -> None:
    for detail in ("", "education: on email"):
        text = DeliveryDecision(Action.SUPPRESS, reason, detail).text
        assert cause_of(State.SUPPRESSED, text) is not None
        assert cause_of(State.EXPIRED, text) == cause_of(State.SUPPRESSED, text)


@pytest.mark.parametrize(
    ("state", "reason", "cause"),
    [
        (State.SENT, "posted", None),
        (State.FAILED, "the relay refused it", "failed"),
        (State.EXPIRED, "quiet hours lasted past the deadline", "quiet_hours"),
        (State.EXPIRED, "the deadline passed before it was sent", "deadline"),
        (State.EXPIRED, "the contact budget had no room in time: a, at most 3 in 7 days", "contact_budget"),
        (State.SUPPRESSED, "the channel is not supported: sms", "channel"),
        (State.SUPPRESSED, "an earlier message was refused: unknown email address", "no_address"),
        (State.SUPPRESSED, "the account has no contact in the audience: champion", "no_recipient"),
        (State.SUPPRESSED, "handed off to Sequencer", "handed_off"),
        (State.SUPPRESSED, "no platform takes Sequencer", "channel"),
        (State.SUPPRESSED, "not approved: Carl: not now", "approval"),
        (State.EXPIRED, "nobody approved it until 2026-03-04T12:00:00Z", "approval"),
        (State.SUPPRESSED, "of another version", None),
        (State.SUPPRESSED, None, None),
    ],
)
def test_the_cause_follows_from_state_and_reason_f3(
    state: State, reason: str | None, cause: str | None
) -> None:
    assert cause_of(state, reason) == cause
