"""How mails are written and sent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.notifier.application.message_facts import FactsSource
from services.notifier.application.phrases import PhraseBook
from services.notifier.application.ports import Mailer
from services.notifier.domain import message


@dataclass(frozen=True, slots=True)
class OwnerSending:
    """How people of ours are written to: the words, who has the figures, and where they act.

    `action_url` takes a touchpoint, a person (None: the mailbox) and the real moment of writing.
    """

    book: PhraseBook
    facts: FactsSource
    action_url: Callable[[str, str | None, datetime], str]
    fallback_to: str | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """What the senders of messages share.

    `unsubscribe_url` takes a contact id and a topic, None for all topics. `mail_hold`: why customers get no mail.
    """

    mailer: Mailer
    render: message.Render
    unsubscribe_url: Callable[[str, str | None], str]
    owners: OwnerSending
    mail_hold: str | None = None
