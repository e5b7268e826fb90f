"""How mails are written and sent."""

from collections.abc import Callable
from dataclasses import dataclass

from services.notifier.application.ports import Mailer
from services.notifier.domain import message


@dataclass(frozen=True, slots=True)
class Sending:
    """What the senders of messages share.

    `unsubscribe_url` takes a contact id and a topic, None for all topics. `mail_hold`: why customers get no mail.
    `fallback_to`: the mailbox of the deployment for work that nobody has.
    """

    mailer: Mailer
    render: message.Render
    unsubscribe_url: Callable[[str, str | None], str]
    mail_hold: str | None = None
    fallback_to: str | None = None
