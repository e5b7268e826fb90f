"""Reachability: whether a contact of the audience still accepts messages of the topic over the channel."""

from collections.abc import Iterator

from schemas.plans import OneOffItem, RhythmItem
from services.cadence.account import Facts, Stamp, when
from services.cadence.account.verdicts import Verdicts, verdict_on
from services.cadence.explanation.model import Stopped
from services.cadence.features.contacts import people_of

_SENT_BY_DRUMBEAT = frozenset({"automation", "marketing"})
_MESSAGE_CHANNELS = frozenset({"email", "in_app", "sms", "slack"})
_BY_PEOPLE = frozenset({"no_recipient", "no_address", "opt_out", "pause", "quiet_hours"})
"""Causes that a change of the account's people, or of where and how they are reached, may undo."""
_DESCRIBED = frozenset({"csm_id", "pool", "timezone", "country"})
_Scope = tuple[str, str]
"""A topic and a channel; "" stands for all of them."""


def unreachable(facts: Facts, item: RhythmItem | OneOffItem) -> Stopped | None:
    """Why no contact can receive a message that Drumbeat itself sends; None where one can, or none is known."""
    sent = item.owner in _SENT_BY_DRUMBEAT and item.channel in _MESSAGE_CHANNELS
    if not sent or item.topic is None or not facts.contacts:
        return None
    audience = [
        contact_id
        for contact_id, contact in people_of(facts).items()
        if not contact.left and (not item.audience or contact.role in item.audience)
    ]
    if not audience:
        return Stopped("no_recipient", "no contact of the audience is present")
    topic, channel = item.topic, item.channel
    if any(not _refuses(facts, contact_id, topic, channel) for contact_id in audience):
        return None
    who = audience[0] if len(audience) == 1 else f"all {len(audience)} contacts of the audience"
    text = f"{who} opted out of {topic.replace('_', ' ')} by {channel.replace('_', ' ')}"
    return Stopped("opt_out", text)


def undelivered(facts: Facts, verdicts: Verdicts, item: RhythmItem | OneOffItem) -> Stopped | None:
    """Why the newest message about this was not sent; None where it was, or where news since then may change that."""
    verdict = verdict_on(verdicts, item.touchpoint_type)
    if verdict is None or verdict.cause in ("withdrawn", "handed_off"):
        return None
    if isinstance(item, OneOffItem) and item.id != verdict.touchpoint_id:
        return None
    if verdict.cause in {"channel", "quiet_hours"} and item.channel != verdict.channel:
        return None
    if verdict.cause in _BY_PEOPLE and _newest_about_people(facts) > verdict.at:
        return None
    return Stopped(verdict.cause, f"its newest message was not sent: {verdict.reason or verdict.cause}")


def _newest_about_people(facts: Facts) -> int:
    """When owner, zone, contacts, their preferences or pauses last changed, in microseconds; 0: never."""
    described = [stamp for stamp, fields in facts.account.items() if not _DESCRIBED.isdisjoint(fields)]
    parts = (described, *facts.contacts.values(), *facts.preferences.values(), *facts.pauses.values())
    return max((when(stamp) for stamps in parts for stamp in stamps), default=0)


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
