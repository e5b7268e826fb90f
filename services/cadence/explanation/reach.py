"""Reach: is there anybody of the audience who still wants to hear of it over its channel?"""

from collections.abc import Iterator
from typing import NamedTuple

from services.cadence.account import Facts, Stamp, StampedFields
from services.cadence.evaluation import OneOffItem, RhythmItem
from services.cadence.features.people import person

_DRUMBEAT = frozenset({"automation", "marketing"})
_SENT = frozenset({"email", "in_app", "sms", "slack"})


class _Word(NamedTuple):
    """A word about consent: for which topic and channel ("": all), and when it was said."""

    topic: str
    channel: str
    opted_in: bool
    stamp: Stamp


def nobody(facts: Facts, item: RhythmItem | OneOffItem) -> str:
    """Why nobody can be told of something that Drumbeat itself sends; "" where somebody can, or no contact is known."""
    if item.owner not in _DRUMBEAT or item.channel not in _SENT or item.topic is None or not facts.contacts:
        return ""
    found = [
        contact_id
        for contact_id, held in facts.contacts.items()
        if not (each := person(held)).left and (not item.audience or each.role in item.audience)
    ]
    if not found:
        return "nobody of the audience is among the contacts present"
    if any(not _refuses(facts, contact_id, item.topic, item.channel) for contact_id in found):
        return ""
    who = found[0] if len(found) == 1 else f"all {len(found)} contacts of the audience"
    return f"{who} opted out of {item.topic.replace('_', ' ')} by {item.channel.replace('_', ' ')}"


def _refuses(facts: Facts, contact_id: str, topic: str, channel: str) -> bool:
    """An opt-out stands until a newer opt-in of the same or a narrower scope lifts it."""
    words = [
        word
        for word in _words(facts, contact_id)
        if word.topic in {"", topic} and word.channel in {"", channel}
    ]
    return any(not word.opted_in and not any(_lifts(other, word) for other in words) for word in words)


def _lifts(other: _Word, refusal: _Word) -> bool:
    return (
        other.opted_in
        and other.stamp > refusal.stamp
        and refusal.topic in {"", other.topic}
        and refusal.channel in {"", other.channel}
    )


def _words(facts: Facts, contact_id: str) -> Iterator[_Word]:
    for key, held in facts.preferences.items():
        own, topic, channel = key.split("\n")
        if own == contact_id:
            yield from _consent(topic, channel, held)


def _consent(topic: str, channel: str, held: StampedFields) -> Iterator[_Word]:
    for stamp, said in held.items():
        if isinstance(opted_in := said.get("opted_in"), bool):
            yield _Word(topic, channel, opted_in, stamp)
