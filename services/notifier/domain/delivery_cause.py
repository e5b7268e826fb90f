"""The cause of a delivery that was not sent: one of a few kinds, for those who only see its event."""

from collections.abc import Mapping

from schemas.vocabulary import DeliveryCause
from services.notifier.domain.delivery import State
from services.notifier.domain.delivery_policy import Reason

_CAUSES: Mapping[str, DeliveryCause] = {
    **dict.fromkeys(
        (
            Reason.UNKNOWN_ACCOUNT,
            Reason.UNKNOWN_CONTACT,
            Reason.UNKNOWN_CSM,
            Reason.UNASSIGNED,
            Reason.NO_AUDIENCE,
            Reason.LEFT,
        ),
        "no_recipient",
    ),
    **dict.fromkeys((Reason.NO_ADDRESS, Reason.UNKNOWN_ADDRESS), "no_address"),
    **dict.fromkeys((Reason.ON_HOLD, Reason.MAIL_ON_HOLD), "on_hold"),
    Reason.OPTED_OUT: "opt_out",
    Reason.PAUSED: "pause",
    Reason.CHANNEL: "channel",
    Reason.QUIET_PAST_DEADLINE: "quiet_hours",
    Reason.DEADLINE: "deadline",
    Reason.WITHDRAWN: "withdrawn",
}


def cause_of(state: State, reason: str | None) -> DeliveryCause | None:
    """The kind of reason for which a delivery in a final state was not sent; None where it was, or for another reason."""
    if state in {State.SUPPRESSED, State.EXPIRED}:
        text = reason or ""
        # An address that was refused has a colon in its own text.
        known = (cause for own, cause in _CAUSES.items() if text == own or text.startswith(f"{own}: "))
        return next(known, None)
    return "failed" if state is State.FAILED else None
