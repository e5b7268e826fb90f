"""Write the mail that a person of ours gets: about one cause, or about the day."""

from collections.abc import Sequence

from services.notifier.application.ports import Mail, MessageClaim, Now
from services.notifier.application.sending import Sending
from services.notifier.domain import message
from services.notifier.domain.owner_policy import address_of
from services.notifier.domain.situation import Directory


def write_owner_mail(
    claims: Sequence[MessageClaim], directory: Directory, now: Now, sending: Sending
) -> Mail:
    """The one mail of these claims, which have one recipient."""
    first = claims[0]
    event, recipient = first.event, first.delivery.recipient
    situation = directory.situation_of(event, fallback_to=sending.fallback_to)
    account = (situation.account.name if situation.account else None) or event.content.account_id
    csm = situation.csms.get(recipient.id or "")
    context = message.make_context(event, account=account, recipient=(csm.name if csm else None) or "")
    template = message.csm_template(event.content.touchpoint_type)
    composed = message.compose_message(template, context, sending.render)
    return Mail(first.message_id, address_of(event, recipient, situation) or "", composed)
