"""How mails are written and sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from services.notifier.application.mail_ports import Mailbox, Mailer, MailRecorder
from services.notifier.application.message_facts import FactsSource
from services.notifier.application.phrases import PhraseBook
from services.notifier.application.send_to_customers import CustomerSending
from services.notifier.application.text_ports import TextSending
from services.notifier.domain import message


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


class Programs(Protocol):
    """Which delivery presents a program to a contact, whichever replica sends it."""

    async def reserve_programs(self, uses: Sequence[ProgramUse]) -> set[str]:
        """Before sending: the deliveries that nobody else presents the program with, or did. Completion ends it."""
        ...


NO_SENDER: Final = Mailbox("", "")


@dataclass(frozen=True, slots=True)
class Sending:
    """What the senders of messages share.

    `customers`, `owners`: how theirs are written. `mail_hold`: why customers get no mail. `fallback_to`: the mailbox
    of the deployment for work that nobody has. `sender`: who mail comes from. `texts`: the gateways for short texts.
    """

    mailer: Mailer
    render: message.Render
    customers: CustomerSending
    owners: OwnerSending
    programs: Programs
    recorder: MailRecorder
    mail_hold: str | None = None
    fallback_to: str | None = None
    sender: Mailbox = NO_SENDER
    texts: TextSending = field(default_factory=TextSending)

    @property
    def through(self) -> tuple[Mailer, MailRecorder]:
        return self.mailer, self.recorder
