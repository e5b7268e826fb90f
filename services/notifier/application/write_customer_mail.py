"""Write the mail that a contact at the customer gets."""

from collections.abc import Callable

from services.notifier.application.ports import Mail, MessageClaim
from services.notifier.domain import message
from services.notifier.domain.situation import Situation


def write_customer_mail(
    claim: MessageClaim,
    situation: Situation,
    render: message.Render,
    unsubscribe_url: Callable[[str, str | None], str],
) -> Mail:
    """The mail of a claim to a contact. It leaves out the account's name when it is unknown."""
    event, recipient = claim.event, claim.delivery.recipient
    account = (situation.account.name if situation.account else None) or ""
    contact = situation.contact(recipient.id)
    url = unsubscribe_url(recipient.id or "", event.content.topic)
    name = (contact.name if contact else None) or ""
    context = message.make_context(event, account=account, recipient=name, unsubscribe_url=url)
    template = message.customer_template(event.content.touchpoint_type)
    composed = message.compose_message(template, context, render)
    return Mail(claim.delivery.id, (contact.email if contact else None) or "", composed, url)
