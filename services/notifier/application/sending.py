"""How mails are written and sent."""

from dataclasses import dataclass

from services.notifier.application.ports import Mailer
from services.notifier.application.send_to_customers import CustomerSending
from services.notifier.domain import message


@dataclass(frozen=True, slots=True)
class Sending:
    """What the senders of messages share.

    `customers`: how theirs are written. `mail_hold`: why customers get no mail.
    `fallback_to`: the mailbox of the deployment for work that nobody has.
    """

    mailer: Mailer
    render: message.Render
    customers: CustomerSending
    mail_hold: str | None = None
    fallback_to: str | None = None
