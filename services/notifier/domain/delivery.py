"""A delivery: one message to one recipient over one channel, and its state.

pending -> sent | failed | suppressed | expired. A final state never changes.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class State(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"

    @property
    def is_final(self) -> bool:
        return self is not State.PENDING


CALENDAR: Final = "calendar"
"""The channel of invitations: mails that a calendar reads. No touchpoint has it."""
IN_DOUBT = "an earlier attempt may have reached the recipient"
"""Of a delivery that ends without a further attempt."""


class RecipientKind(StrEnum):
    CSM = "csm"
    CONTACT = "contact"
    SUBSCRIPTION = "subscription"
    MAILBOX = "mailbox"


class AttemptOutcome(StrEnum):
    """How an attempt ended. Ambiguous: the message may have arrived."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNREACHED = "unreached"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Recipient:
    """`id` None: there is no recipient, and the delivery records why."""

    kind: RecipientKind
    id: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int
    at: datetime
    outcome: AttemptOutcome
    detail: str


@dataclass(frozen=True, slots=True)
class Response:
    """How the other side responded to an attempt.

    `is_permanent`: it will refuse every further attempt. `is_gone`: the endpoint no longer exists.
    `is_unknown_address`: it has no such mailbox. `retry_after`: how long it asks us to wait.
    """

    outcome: AttemptOutcome
    detail: str
    retry_after: timedelta | None = None
    is_permanent: bool = False
    is_gone: bool = False
    is_unknown_address: bool = False


class AlreadyFinal(Exception):
    """A delivery in a final state cannot change."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """`next_at` is the real time of the next attempt, None once final; `reason` explains the state."""

    id: str
    channel: str
    recipient: Recipient
    state: State = State.PENDING
    reason: str | None = None
    attempts: int = 0
    next_at: datetime | None = None

    def after_attempt(self, attempt: Attempt, *, again_at: datetime | None, reason: str | None) -> "Delivery":
        """Sent, or pending until `again_at`, or failed when there is no further attempt."""
        self._refuse_if_final()
        state = State.SENT if attempt.outcome is AttemptOutcome.DELIVERED else State.FAILED
        if state is State.FAILED and again_at is not None:
            state = State.PENDING
        next_at = again_at if state is State.PENDING else None
        return Delivery(self.id, self.channel, self.recipient, state, reason, attempt.number, next_at)

    def postponed(self, until: datetime, reason: str) -> "Delivery":
        """Pending until then; does not count as an attempt."""
        self._refuse_if_final()
        return replace(self, next_at=until, reason=reason)

    def finished(self, state: State, reason: str) -> "Delivery":
        """In this final state without an attempt."""
        self._refuse_if_final()
        return replace(self, state=state, reason=reason, next_at=None)

    def _refuse_if_final(self) -> None:
        if self.state.is_final:
            raise AlreadyFinal(f"delivery {self.id} is {self.state}: a final state cannot change")
