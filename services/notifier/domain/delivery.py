"""A delivery: one word to one recipient over one channel, and what became of it.

pending -> sent | failed | suppressed | expired. Nothing leaves a final state.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b


class State(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"

    @property
    def final(self) -> bool:
        return self is not State.PENDING


class RecipientKind(StrEnum):
    CSM = "csm"
    CONTACT = "contact"
    SUBSCRIPTION = "subscription"


class Outcome(StrEnum):
    """What an attempt came to. Ambiguous: it may have arrived."""

    DELIVERED = "delivered"
    DEFERRED = "deferred"
    REFUSED = "refused"
    UNREACHED = "unreached"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Recipient:
    """`id` None: nobody could be named, and the delivery records just that."""

    kind: RecipientKind
    id: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int
    at: datetime
    outcome: Outcome
    detail: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the other side answered.

    `permanent`: it will not change its mind. `gone`: it wants no more of this, ever.
    `address_refused`: it knows no such mailbox. `retry_after`: when it wants to be asked again.
    """

    outcome: Outcome
    detail: str
    retry_after: timedelta | None = None
    permanent: bool = False
    gone: bool = False
    address_refused: bool = False


class AlreadyFinal(Exception):
    """A delivery in a final state was asked to change; its first verdict stands."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """`next_at` is real time and None once final; `reason` says why it stands where it stands."""

    id: str
    channel: str
    recipient: Recipient
    state: State = State.PENDING
    reason: str | None = None
    attempts: int = 0
    next_at: datetime | None = None

    def tried(self, attempt: Attempt, *, again_at: datetime | None, reason: str | None) -> "Delivery":
        """After an attempt: sent, or pending until `again_at`, or failed when there is no other time."""
        self._refuse_if_final()
        state = State.SENT if attempt.outcome is Outcome.DELIVERED else State.FAILED
        if state is State.FAILED and again_at is not None:
            state = State.PENDING
        next_at = again_at if state is State.PENDING else None
        return Delivery(self.id, self.channel, self.recipient, state, reason, attempt.number, next_at)

    def postponed(self, until: datetime, reason: str) -> "Delivery":
        """Not now; no attempt is used up."""
        self._refuse_if_final()
        return replace(self, next_at=until, reason=reason)

    def suppressed(self, reason: str) -> "Delivery":
        self._refuse_if_final()
        return replace(self, state=State.SUPPRESSED, reason=reason, next_at=None)

    def expired(self, reason: str) -> "Delivery":
        self._refuse_if_final()
        return replace(self, state=State.EXPIRED, reason=reason, next_at=None)

    def _refuse_if_final(self) -> None:
        if self.state is not State.PENDING:
            raise AlreadyFinal(f"delivery {self.id} is {self.state}: nothing leaves a final state")


def delivery_id(event_id: str, channel: str, recipient: Recipient, *, recovery: int = 0) -> str:
    """The id that event, channel and recipient lead to; each recovery of a failed one has its own."""
    who = recipient.id if recipient.id is not None else f"nobody:{recipient.kind}"
    again = ["recovery", str(recovery)] if recovery else []
    parts = ["delivery", event_id, channel, who, *again]
    raw = blake2b(json.dumps(parts, separators=(",", ":")).encode(), digest_size=16).hexdigest()
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
