"""Consent: what a contact allows, from preferences that may arrive late, twice and in any order.

Each aspect of (contact, topic, channel) is last-writer-wins, so a later preference about frequency leaves an
earlier opt-out in force. An opt-out holds until a *newer* opt-in of the same or a narrower scope; a wider or an
older opt-in does not lift it. What the contact does (link, page, complaint) is an aspect of its own: only the
contact's own opt-in lifts the contact's own opt-out. A refusal binds the mail address: contacts with one address are
one person, whatever their accounts. Without any preference a contact is opted in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from schemas.directory import PreferenceRecord
from schemas.facts import PreferenceChanged

SOURCE = "/drumbeat/notifier"
SUGGESTED: Final = "suggested"
"""The value of a channel or frequency that ends a wish for one."""

Aspect = Literal["consent", "own_consent", "frequency", "channel"]
Key = tuple[str, str | None, str | None, Aspect]
Precedence = tuple[datetime, str, str]
CONSENT = ("consent", "own_consent")


def aspects_of(preference: PreferenceRecord) -> Iterator[Aspect]:
    """The aspects that a preference decides; a channel alone is one of its own."""
    if preference.opted_in is not None:
        yield "own_consent" if preference.by_contact else "consent"
    if preference.frequency is not None:
        yield "frequency"
    if preference.opted_in is None and preference.frequency is None and preference.channel is not None:
        yield "channel"


def precedence(preference: PreferenceRecord) -> Precedence:
    return preference.time, preference.source, preference.id


def latest(preferences: Iterable[PreferenceRecord]) -> dict[Key, PreferenceRecord]:
    """The preference with the highest precedence for each key, whatever the order of arrival."""
    winners: dict[Key, PreferenceRecord] = {}
    for preference in preferences:
        for aspect in aspects_of(preference):
            key = (preference.contact_id, preference.topic, preference.channel, aspect)
            winner = winners.get(key)
            if winner is None or precedence(preference) > precedence(winner):
                winners[key] = preference
    return winners


def find_opt_out(
    preferences: Iterable[PreferenceRecord], topic: str | None, channel: str
) -> PreferenceRecord | None:
    """The opt-out that forbids this topic on this channel, or None.

    All preferences are of one person: of one contact, or of contacts with one mail address.
    """
    decisions = [
        preference
        for (_, its_topic, its_channel, aspect), preference in latest(preferences).items()
        if aspect in CONSENT and its_topic in (None, topic) and its_channel in (None, channel)
    ]
    opt_ins = [preference for preference in decisions if preference.opted_in]
    for preference in decisions:
        if not preference.opted_in and not any(_lifts(opt_in, preference) for opt_in in opt_ins):
            return preference
    return None


def _lifts(opt_in: PreferenceRecord, opt_out: PreferenceRecord) -> bool:
    """Whether the opt-in ends the opt-out: it is newer, wider in no dimension, and by who may lift it.

    What others record of one contact lifts what they recorded of that contact; the contact lifts both.
    """
    is_same_record = not opt_out.by_contact and opt_in.contact_id == opt_out.contact_id
    return (
        (opt_in.by_contact is True or is_same_record)
        and precedence(opt_in) > precedence(opt_out)
        and opt_out.topic in (None, opt_in.topic)
        and opt_out.channel in (None, opt_in.channel)
    )


@dataclass(frozen=True, slots=True)
class TopicPreference:
    """What holds for one topic, defaults filled in."""

    opted_in: bool
    channel: str | None
    frequency: str | None


def preferences_by_topic(
    preferences: Iterable[PreferenceRecord],
    topics: Iterable[str],
    same_address: Sequence[PreferenceRecord] = (),
) -> dict[str, TopicPreference]:
    """What holds for each topic. All preferences are of one contact; `same_address`: consent with that address."""
    winners = latest(preferences)
    return {topic: _topic_preference(winners, topic, same_address) for topic in topics}


def _topic_preference(
    winners: Mapping[Key, PreferenceRecord], topic: str, same_address: Sequence[PreferenceRecord]
) -> TopicPreference:
    channel = frequency = None
    relevant = [(key[3], winner) for key, winner in winners.items() if key[1] in (None, topic)]
    for aspect, preference in sorted(relevant, key=lambda pair: precedence(pair[1])):
        is_opt_out = aspect in CONSENT and not preference.opted_in
        channel = channel if is_opt_out else preference.channel or channel
        frequency = preference.frequency if aspect == "frequency" else frequency
    channel, frequency = (None if value == SUGGESTED else value for value in (channel, frequency))
    consent = [*(preference for _, preference in relevant), *same_address]
    opted_in = find_opt_out(consent, topic, channel or "email") is None
    return TopicPreference(opted_in, channel, frequency)


def record_preference(
    change: PreferenceChanged, *, after: Iterable[PreferenceRecord], now: datetime, preference_id: str
) -> PreferenceRecord:
    """The preference that a change taken in here becomes: newer than all those `after` which it comes.

    An opt-out is recorded for every channel, whatever channel was preferred before.
    """
    return PreferenceRecord(
        contact_id=change.contact_id,
        topic=change.topic,
        channel=None if change.opted_in is False else change.channel,
        opted_in=change.opted_in,
        by_contact=change.by_contact,
        frequency=change.frequency,
        time=newer_than(after, now),
        source=SOURCE,
        id=preference_id,
    )


def newer_than(after: Iterable[PreferenceRecord], now: datetime) -> datetime:
    """The time of a preference that comes after all of these: now, or a microsecond after the latest."""
    latest_at = max((preference.time for preference in after), default=None)
    return now if latest_at is None or latest_at < now else latest_at + timedelta(microseconds=1)
