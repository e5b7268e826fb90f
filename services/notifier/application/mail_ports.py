"""What the use cases that send mail need from outside: the relay, and records of what is handed to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.directory import PreferenceRecord
from services.notifier.application.ports import ClaimResult, MessageClaim
from services.notifier.domain.delivery import Response
from services.notifier.domain.message import Message
from services.notifier.domain.mode import Mode


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A person's or a team's address; `name` may be empty."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """What a calendar reads of a mail: iCalendar with this method (RFC 5546), as UTF-8."""

    method: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one recipient. `reply_to`: where answers go; None: to the mailbox of the deployment."""

    delivery_id: str
    to: str
    message: Message
    unsubscribe_url: str | None = None
    reply_to: Mailbox | None = None
    calendar: CalendarPart | None = None


class Handover(Protocol):
    """What goes with the moment at which a mail is handed to the relay."""

    async def begin(self) -> bool:
        """Whether the mail may still go. Awaited when the relay asks for the message, before any of it is sent."""
        ...

    async def end(self, response: Response) -> None:
        """Awaited with the response to a mail that began, before its connection carries another one."""
        ...


class Mailer(Protocol):
    async def send(self, mail: Mail, *, at: datetime, handover: Handover | None = None) -> Response:
        """Make one attempt at this real moment; what did not begin is unreached."""
        ...


@dataclass(frozen=True, slots=True)
class OptOuts:
    """What may have changed since a mail was decided on: see the fields of `Directory`."""

    preferences: Mapping[str, Sequence[PreferenceRecord]]
    consents: Mapping[str, Sequence[PreferenceRecord]]
    unknown_addresses: frozenset[str]
    mode: Mode


@dataclass(frozen=True, slots=True)
class BeginningMail:
    """The claims that go in one mail. `contact_ids`, `address`: whose opt-outs bind it; none for people of ours."""

    claims: Sequence[MessageClaim]
    contact_ids: Sequence[str] = ()
    address: str | None = None


class MailRecorder(Protocol):
    """Records mails one by one, so that an outage leaves at most one in doubt for each connection to the relay."""

    async def begin(self, mail: BeginningMail) -> OptOuts | None:
        """Mark the deliveries as begun, under their lease; the opt-outs as they are now. None: it must not go now."""
        ...

    async def record(self, results: Sequence[ClaimResult]) -> None:
        """Returns when they are recorded. While the database is away they are kept."""
        ...
