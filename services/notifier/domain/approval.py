"""Messages to customers that somebody of ours approves first: their drafts, who is asked, and what a delivery waits for.

What the policy says of its types when the message is written holds: a draft that was written is not sent unasked because
the policy changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from schemas.times import format_instant


class DraftState(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class MessageHandling:
    """How the policy has the messages of a type handled.

    `approve`: they wait for an approval, for `approve_hours` (None: as long as they are worth sending). `hand_off`: the
    platform that writes them instead of Drumbeat.
    """

    approve: bool = False
    approve_hours: int | None = None
    hand_off: str | None = None

    def approve_until(self, written_at: datetime, worth_sending_until: datetime) -> datetime:
        """Until when a draft of this moment waits; all of service time."""
        if self.approve_hours is None:
            return worth_sending_until
        return min(worth_sending_until, written_at + timedelta(hours=self.approve_hours))


FIRST_VERSION: Final = 1
SENT_AS_WRITTEN: Final = MessageHandling()
"""Without a word of the policy a message goes as it is written."""


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """A message as one contact gets it, without the layout around it."""

    subject: str
    preheader: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Approval:
    """What a delivery whose message is a draft waits for, or what was decided.

    `approver`: the name of who is asked. `until`: service time. `reason`: of the decision, with who decided.
    """

    state: DraftState
    until: datetime
    approver: str
    reason: str = ""

    def is_late(self, now: datetime) -> bool:
        """Whether nobody decided in time; `now` is service time."""
        return self.state is DraftState.EXPIRED or (self.state is DraftState.PENDING and now >= self.until)

    @property
    def is_decided(self) -> bool:
        return self.state is not DraftState.PENDING

    @property
    def deadline(self) -> str:
        return format_instant(self.until)


@dataclass(frozen=True, slots=True)
class Approver:
    """Who is asked. `csm_id` None: the mailbox of the deployment."""

    csm_id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class DraftedMessage:
    """The message of a delivery that becomes a draft, or a recipient of the draft in its language.

    `version`: of the draft whose content it was rendered from.
    """

    language: str
    content: str
    facts: bytes
    written_at: datetime
    approve_until: datetime
    approver: Approver
    rendered: RenderedMessage
    version: int = FIRST_VERSION


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """A draft with its recipients: the message of each by the id of its delivery.

    `content` is a content file with placeholders; `facts`: the figures that it was written from, as JSON.
    """

    id: str
    touchpoint_id: str
    sequence: int
    channel: str
    language: str
    content: str
    facts: bytes
    written_at: datetime
    approval: Approval
    approver: Approver
    version: int = FIRST_VERSION
    recipients: Mapping[str, RenderedMessage] = field(default_factory=dict[str, RenderedMessage])
