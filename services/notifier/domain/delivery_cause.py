"""The cause of a delivery that was not sent: one of a few kinds, for those who only see its event."""

from collections.abc import Iterator, Mapping

from schemas.vocabulary import DeliveryCause
from services.notifier.domain.decision import UNFINISHED, Reason
from services.notifier.domain.delivery import State

_REASONS: Mapping[DeliveryCause, frozenset[Reason]] = {
    "no_recipient": frozenset(
        {
            Reason.UNKNOWN_ACCOUNT,
            Reason.UNKNOWN_CONTACT,
            Reason.UNKNOWN_CSM,
            Reason.NOBODY_TO_TELL,
            Reason.NO_AUDIENCE,
            Reason.LEFT,
            Reason.NO_LEADER,
        }
    ),
    "no_address": frozenset(
        {
            Reason.NO_ADDRESS,
            Reason.UNKNOWN_ADDRESS,
            Reason.NO_NUMBER,
            Reason.NO_SLACK_ID,
            Reason.UNKNOWN_NUMBER,
        }
    ),
    "on_hold": frozenset({Reason.ON_HOLD, Reason.MAIL_ON_HOLD}),
    "opt_out": frozenset({Reason.OPTED_OUT}),
    "pause": frozenset({Reason.PAUSED}),
    "channel": frozenset({Reason.CHANNEL, Reason.NO_PLATFORM}),
    "quiet_hours": frozenset({Reason.QUIET_PAST_DEADLINE, Reason.WINDOW_PAST_DEADLINE}),
    "contact_budget": frozenset({Reason.NO_ROOM_IN_TIME}),
    "deadline": frozenset(
        {Reason.DEADLINE, Reason.BEGUN, Reason.NO_FIGURES, Reason.PAST, Reason.TOO_LATE_FOR_MAIL}
    ),
    "no_content": frozenset({Reason.NO_CONTENT}),
    "approval": frozenset({Reason.NOT_APPROVED, Reason.REJECTED}),
    "handed_off": frozenset({Reason.HANDED_OFF}),
    "withdrawn": frozenset({Reason.WITHDRAWN, Reason.OWN_ACT, Reason.UNCHANGED, Reason.NOT_INVITED}),
}


def _causes() -> Iterator[tuple[str, DeliveryCause]]:
    for cause, reasons in _REASONS.items():
        for reason in reasons:
            yield str(reason), cause


_CAUSES: Mapping[str, DeliveryCause] = dict(_causes())


def cause_of(state: State, reason: str | None) -> DeliveryCause | None:
    """The kind of reason for which a delivery in a final state was not sent; None where it was, or for another reason."""
    if state is State.FAILED:
        return "failed"
    text = reason or ""
    for own, cause in _CAUSES.items() if state in {State.SUPPRESSED, State.EXPIRED} else ():
        # An address that was refused has a colon in its own text.
        if text == own or text.startswith((f"{own}: ", f"{own} ") if own in UNFINISHED else f"{own}: "):
            return cause
    return None
