"""Write the mail that the owner of a touchpoint gets."""

from services.notifier.application.ports import Mail, MessageClaim
from services.notifier.domain import message
from services.notifier.domain.delivery_policy import csm_address
from services.notifier.domain.situation import Situation


def write_owner_mail(claim: MessageClaim, situation: Situation, render: message.Render) -> Mail:
    """The mail of a claim to the owner."""
    event = claim.event
    account = (situation.account.name if situation.account else None) or event.content.account_id
    csm = situation.csms.get(claim.delivery.recipient.id or "")
    context = message.make_context(event, account=account, recipient=(csm.name if csm else None) or "")
    template = message.csm_template(event.content.touchpoint_type)
    composed = message.compose_message(template, context, render)
    return Mail(claim.delivery.id, csm_address(event, situation) or "", composed)
