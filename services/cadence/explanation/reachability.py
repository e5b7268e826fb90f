"""Reachability: whether a contact of the audience still accepts messages of the topic over the channel."""

from collections.abc import Iterator

from schemas.plans import OneOffItem, RhythmItem
from services.cadence.account import Facts, Stamp
from services.cadence.features.contacts import people_of

_SENT_BY_DRUMBEAT = frozenset({"automation", "marketing"})
_MESSAGE_CHANNELS = frozenset({"email", "in_app", "sms", "slack"})
_Scope = tuple[str, str]
"""A topic and a channel; "" stands for all of them."""


def unreachable_reason(facts: Facts, item: RhythmItem | OneOffItem) -> str:
    """Why no contact can receive a message that Drumbeat itself sends; "" where one can, or none is known."""
    sent = item.owner in _SENT_BY_DRUMBEAT and item.channel in _MESSAGE_CHANNELS
    if not sent or item.topic is None or not facts.contacts:
        return ""
    audience = [
        contact_id
        for contact_id, contact in people_of(facts).items()
        if not contact.left and (not item.audience or contact.role in item.audience)
    ]
    if not audience:
        return "no contact of the audience is present"
    topic, channel = item.topic, item.channel
    if any(not _refuses(facts, contact_id, topic, channel) for contact_id in audience):
        return ""
    who = audience[0] if len(audience) == 1 else f"all {len(audience)} contacts of the audience"
    return f"{who} opted out of {topic.replace('_', ' ')} by {channel.replace('_', ' ')}"


def _refuses(facts: Facts, contact_id: str, topic: str, channel: str) -> bool:
    """An opt-out holds until a newer opt-in of the same or a narrower scope, the contact's own until the contact's."""
    refused: set[tuple[_Scope, bool]] = set()
    # Of one event an opt-in comes first: only a newer one lifts an opt-out.
    for _, is_refusal, scope, own in sorted(_statements(facts, contact_id)):
        if not _covers(scope, (topic, channel)):
            continue
        if is_refusal:
            refused.add((scope, own))
        else:
            refused = {(each, theirs) for each, theirs in refused if own < theirs or not _covers(each, scope)}
    return bool(refused)


def _covers(wider: _Scope, scope: _Scope) -> bool:
    return all(own in {"", other} for own, other in zip(wider, scope, strict=True))


def _statements(facts: Facts, contact_id: str) -> Iterator[tuple[Stamp, bool, _Scope, bool]]:
    """When a contact stated a preference, whether it is an opt-out, for what, and whether it is the contact's own act."""
    for key, stamped in facts.preferences.items():
        own_id, topic, channel, *own = key.split("\n")
        for stamp, fields in stamped.items() if own_id == contact_id else ():
            if isinstance(opted_in := fields.get("opted_in"), bool):
                yield stamp, not opted_in, (topic, channel), bool(own)
