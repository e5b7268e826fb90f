"""The facts that come of what came in about a mail of ours."""

import re
from datetime import datetime
from typing import Final

from schemas.facts import InteractionLogged
from schemas.ids import derived_id
from schemas.outcomes import MESSAGE_ENGAGED, MessageEngaged
from schemas.patterns import WEB_ADDRESS
from services.chassis.outbox import Outgoing
from services.notifier.adapters.messages import OUTCOMES, SIGNALS
from services.notifier.application.receive_mail import Received
from services.notifier.domain.inbound_decision import AnsweredMail, InboundDecision

INTERACTION_LOGGED: Final = "drumbeat.interaction.logged.v1"
MOST_ADDRESS: Final = 2_000
"""Characters of an address in an event."""


def facts_of(
    received: Received, mail: AnsweredMail, at: datetime, *, declined_by_all: bool | None = None
) -> list[Outgoing]:
    """The engagement, and of a reply that the customer was in contact. The ids follow from what came in.

    `declined_by_all`: of a declined invitation, whether every contact who is invited has declined.
    """
    decision = received.decision
    if decision.engagement is None:
        return []
    text = decision.text.strip() or None
    engaged = MessageEngaged.of_valid(
        delivery_id=mail.delivery_id,
        touchpoint_id=mail.touchpoint_id,
        touchpoint_type=mail.touchpoint_type if decision.answer is not None else None,
        kind=decision.engagement,
        bounce=decision.bounce,
        text=text,
        declined_by_all=declined_by_all if decision.engagement == "declined" else None,
        automatic=decision.is_automatic or None,
        url=_link_of(decision),
    )
    id_ = derived_id("engaged", received.id, mail.delivery_id)
    facts = [_outgoing(OUTCOMES, mail, id_, MESSAGE_ENGAGED, at, engaged)]
    if decision.engagement == "replied":
        channel = "sms" if mail.channel == "sms" else "email"
        contact = InteractionLogged.of_valid(
            channel=channel, contact_id=mail.recipient.id, at=at, notes=text, initiated_by="customer"
        )
        id_ = derived_id("contact by reply", received.id, mail.delivery_id)
        facts.append(_outgoing(SIGNALS, mail, id_, INTERACTION_LOGGED, at, contact))
    return facts


def _link_of(decision: InboundDecision) -> str | None:
    """The link that was followed, where an event can carry it."""
    url = decision.url
    if url is None or len(url) > MOST_ADDRESS or re.fullmatch(WEB_ADDRESS, url) is None:
        return None
    return url


def _outgoing(
    topic: str,
    mail: AnsweredMail,
    id_: str,
    type_: str,
    at: datetime,
    data: MessageEngaged | InteractionLogged,
) -> Outgoing:
    payload = data.model_dump_json(exclude_none=True).encode()
    return Outgoing(topic, mail.account_id, id_, type_, at, payload)
