"""Reachability: whether a contact of the audience still accepts messages of the topic over the channel."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.plans import OneOffItem, RhythmItem
from services.cadence.account import Facts, Stamp, StampedFields
from services.cadence.features.people import person

_SENT_BY_DRUMBEAT = frozenset({"automation", "marketing"})
_MESSAGE_CHANNELS = frozenset({"email", "in_app", "sms", "slack"})


class _Consent(NamedTuple):
    """A statement about consent: for which topic and channel ("": all), and when it was made."""

    topic: str
    channel: str
    opted_in: bool
    stamp: Stamp


def unreachable_reason(facts: Facts, item: RhythmItem | OneOffItem) -> str:
    """Why no contact can receive a message that Drumbeat itself sends; "" where one can, or none is known."""
    sent = item.owner in _SENT_BY_DRUMBEAT and item.channel in _MESSAGE_CHANNELS
    if not sent or item.topic is None or not facts.contacts:
        return ""
    audience = [
        contact_id
        for contact_id, fields in facts.contacts.items()
        if not (contact := person(fields)).left and (not item.audience or contact.role in item.audience)
    ]
    if not audience:
        return "no contact of the audience is present"
    topic, channel = item.topic, item.channel
    if any(not _refuses(facts, contact_id, topic, channel) for contact_id in audience):
        return ""
    who = audience[0] if len(audience) == 1 else f"all {len(audience)} contacts of the audience"
    return f"{who} opted out of {topic.replace('_', ' ')} by {channel.replace('_', ' ')}"


def _refuses(facts: Facts, contact_id: str, topic: str, channel: str) -> bool:
    """An opt-out holds until a newer opt-in of the same or a narrower scope."""
    statements = [
        statement
        for statement in _statements(facts, contact_id)
        if statement.topic in {"", topic} and statement.channel in {"", channel}
    ]
    return any(
        not statement.opted_in and not any(_lifts(other, statement) for other in statements)
        for statement in statements
    )


def _lifts(other: _Consent, refusal: _Consent) -> bool:
    return (
        other.opted_in
        and other.stamp > refusal.stamp
        and refusal.topic in {"", other.topic}
        and refusal.channel in {"", other.channel}
    )


def _statements(facts: Facts, contact_id: str) -> Iterator[_Consent]:
    for key, fields in facts.preferences.items():
        own_id, topic, channel = key.split("\n")
        if own_id == contact_id:
            yield from _consents(topic, channel, fields)


def _consents(topic: str, channel: str, stamped: StampedFields) -> Iterator[_Consent]:
    for stamp, fields in stamped.items():
        if isinstance(opted_in := fields.get("opted_in"), bool):
            yield _Consent(topic, channel, opted_in, stamp)
