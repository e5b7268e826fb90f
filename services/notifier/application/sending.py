"""How mails are written and sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from services.notifier.application.mail_ports import Mailbox, Mailer, MailRecorder
from services.notifier.application.message_facts import FactsSource
from services.notifier.application.phrases import PhraseBook
from services.notifier.application.send_to_customers import CustomerSending
from services.notifier.application.text_ports import TextSending
from services.notifier.application.track_mail import MailTracking
from services.notifier.domain import message
from services.notifier.domain.contact_budget import NoRoom


@dataclass(frozen=True, slots=True)
class OwnerSending:
    """How people of ours are written to: the words, who has the figures, where they act, and the console.

    `action_url` takes a touchpoint (None: of a test), a person (None: the mailbox) and the real moment of writing.
    """

    book: PhraseBook
    facts: FactsSource
    action_url: Callable[[str | None, str | None, datetime], str]
    console_url: str


@dataclass(frozen=True, slots=True)
class ProgramUse:
    """A delivery that presents an announced program to a contact."""

    delivery_id: str
    contact_id: str
    program_id: str


@dataclass(frozen=True, slots=True)
class MessageUse:
    """A message to a contact that asks for room in the contact budgets. All of `delivery_ids` go in it, the first first.

    `occasion`: what the account has as one contact, whoever gets it. `address`: the mail address of the contact, over
    whichever channel it goes; None: they have none. `types`: of the touchpoints it is about. `rank`, `due_at`: what waits
    is sent by rank, the least first, then by time. `is_ambiguous`: an earlier attempt may have reached the contact.
    """

    delivery_ids: tuple[str, ...]
    token: str
    account_id: str
    contact_id: str
    address: str | None
    occasion: str
    channel: str
    types: frozenset[str]
    rank: int
    due_at: datetime
    never_waits: bool = False
    is_ambiguous: bool = False


class Reservations(Protocol):
    """What is reserved before a message to a contact is sent, whichever replica sends it. Completion ends it."""

    async def reserve_programs(self, uses: Sequence[ProgramUse]) -> set[str]:
        """The deliveries that nobody else presents the program with, or did."""
        ...

    async def reserve_room(self, uses: Sequence[MessageUse]) -> Mapping[str, NoRoom]:
        """The messages for which the contact budgets have no room now, by their first delivery."""
        ...


NO_SENDER: Final = Mailbox("", "")


@dataclass(frozen=True, slots=True)
class Sending:
    """What the senders of messages share.

    `customers`, `owners`: how theirs are written. `mail_hold`: why customers get no mail. `fallback_to`: the mailbox
    of the deployment for work that nobody has. `sender`: who mail comes from. `texts`: the gateways for short texts.
    `tracking`: what is measured of mails to customers; None: nothing.
    """

    mailer: Mailer
    render: message.Render
    customers: CustomerSending
    owners: OwnerSending
    reservations: Reservations
    recorder: MailRecorder
    mail_hold: str | None = None
    fallback_to: str | None = None
    sender: Mailbox = NO_SENDER
    texts: TextSending = field(default_factory=TextSending)
    tracking: MailTracking | None = None

    @property
    def through(self) -> tuple[Mailer, MailRecorder]:
        return self.mailer, self.recorder
