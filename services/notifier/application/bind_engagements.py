"""Bind engagements: what recipients and their mail servers answer to a mail holds for every later one.

A complaint is an opt-out from all topics, an unsubscription one from the topic of the mail, both the contact's own.
A hard bounce ends mail to that address. Everything else is for the rules engine alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.directory import PreferenceRecord
from schemas.outcomes import MessageEngaged
from schemas.vocabulary import Topic
from services.notifier.application.ports import DeliveredMessage, Now, UnitOfWork
from services.notifier.domain.consent import SOURCE
from services.notifier.domain.delivery import RecipientKind

OPT_OUTS: Final = frozenset({"complained", "unsubscribed"})
BOUNCE_DETAIL: Final = "a message bounced"


@dataclass(frozen=True, slots=True)
class Engagement:
    """An engagement with the id under which its opt-out is stored: the same each time it is reported."""

    id: str
    time: datetime
    content: MessageEngaged
    source: str
    """Who reports it."""

    @property
    def binds(self) -> bool:
        """Whether it has an effect on later messages."""
        return self.is_opt_out or self.is_hard_bounce

    @property
    def delivery_id(self) -> str:
        """The id of the delivery, also where it is named by the Message-ID of its mail, `<id@domain>` (RFC 5322)."""
        return (
            (self.content.delivery_id or self.content.message_id or "")
            .strip()
            .removeprefix("<")
            .partition("@")[0]
        )

    @property
    def is_opt_out(self) -> bool:
        return self.content.kind in OPT_OUTS

    @property
    def is_hard_bounce(self) -> bool:
        return self.content.kind == "bounced" and self.content.bounce != "soft"


async def bind_engagements(
    engagements: Sequence[Engagement], *, work: UnitOfWork, now: Now
) -> dict[str, str]:
    """Store what the engagements say; repeated ones change nothing. Returns why some bind nobody, by id."""
    binding = [engagement for engagement in engagements if engagement.binds]
    if not binding:
        return {}
    messages = await work.delivered_messages([engagement.delivery_id for engagement in binding])
    problems = {
        engagement.id: problem
        for engagement in binding
        if (problem := _problem(engagement, messages.get(engagement.delivery_id))) is not None
    }
    sound = [engagement for engagement in binding if engagement.id not in problems]
    bounced = [messages[engagement.delivery_id] for engagement in sound if engagement.is_hard_bounce]
    await work.refuse_addresses([message for message in bounced if message.address_hash], BOUNCE_DETAIL)
    for engagement in sound:
        if engagement.is_opt_out:
            record, account_id = _opt_out(engagement, messages[engagement.delivery_id], now)
            await work.record_opt_out(record, account_id, f"source {engagement.source}"[:200])
    return problems


def _problem(engagement: Engagement, message: DeliveredMessage | None) -> str | None:
    """Why the engagement binds nobody, or None."""
    content = engagement.content
    if message is None:
        return (
            f"delivery_id: the notifier made no delivery {engagement.delivery_id!r}, so {content.kind!r} binds nobody; "
            "send preference.changed with the contact_id instead"
        )
    if engagement.is_opt_out and message.recipient.kind is not RecipientKind.CONTACT:
        return f"delivery_id: {engagement.delivery_id!r} went to a {message.recipient.kind}; only a contact opts out"
    if engagement.is_hard_bounce and message.address_hash is None:
        return f"delivery_id: {engagement.delivery_id!r} was not a mail to an address that is known"
    return None


def _opt_out(engagement: Engagement, message: DeliveredMessage, now: Now) -> tuple[PreferenceRecord, str]:
    """The preference with the id of its account."""
    topic: Topic | None = message.topic if engagement.content.kind == "unsubscribed" else None
    record = PreferenceRecord(
        contact_id=message.recipient.id or "",
        topic=topic,
        opted_in=False,
        by_contact=True,
        time=min(engagement.time, now.service),
        source=SOURCE,
        id=engagement.id,
    )
    return record, message.account_id
