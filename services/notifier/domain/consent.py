"""Consent: what a contact allows, from preferences that arrive late, twice and out of order.

Each aspect of (contact, topic, channel) is last-writer-wins, so that a later word about frequency does not
wash out an earlier opt-out. An opt-out stands until a *newer* opt-in of the same or a
narrower scope lifts it; a wider or an older opt-in never loosens it. Silence is consent: the default is in.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

Frequency = Literal["daily", "weekly", "biweekly", "monthly", "quarterly"]

Aspect = Literal["consent", "frequency", "channel"]
Key = tuple[str, str | None, str | None, Aspect]


@dataclass(frozen=True, slots=True)
class Preference:
    """What a contact said about a topic (None: all) on a channel (None: all)."""

    contact_id: str
    topic: str | None
    channel: str | None
    opted_in: bool | None
    frequency: str | None
    time: datetime
    source: str
    id: str

    @property
    def aspect(self) -> Aspect:
        if self.opted_in is not None:
            return "consent"
        return "frequency" if self.frequency is not None else "channel"

    @property
    def key(self) -> Key:
        return self.contact_id, self.topic, self.channel, self.aspect

    def aspects(self) -> "Iterator[Preference]":
        """The same word, one aspect at a time."""
        if self.opted_in is not None:
            yield replace(self, frequency=None)
        if self.frequency is not None:
            yield replace(self, opted_in=None)
        if self.opted_in is None and self.frequency is None and self.channel is not None:
            yield self

    @property
    def precedence(self) -> tuple[datetime, str, str]:
        return self.time, self.source, self.id

    def covers(self, topic: str | None, channel: str) -> bool:
        return self.topic in (None, topic) and self.channel in (None, channel)

    def lifts(self, refusal: "Preference") -> bool:
        """Whether this opt-in ends that opt-out: newer, and in no dimension wider."""
        return (
            self.precedence > refusal.precedence
            and refusal.topic in (None, self.topic)
            and refusal.channel in (None, self.channel)
        )


def newest(preferences: Iterable[Preference]) -> dict[Key, Preference]:
    """The last word under each key, whatever the order of arrival."""
    held: dict[Key, Preference] = {}
    for each in (aspect for word in preferences for aspect in word.aspects()):
        known = held.get(each.key)
        if known is None or each.precedence > known.precedence:
            held[each.key] = each
    return held


def refusal(preferences: Iterable[Preference], topic: str | None, channel: str) -> Preference | None:
    """The opt-out that forbids this topic on this channel to the one contact these belong to, or None."""
    relevant = [each for each in newest(preferences).values() if each.covers(topic, channel)]
    given = [each for each in relevant if each.opted_in is True]
    for each in relevant:
        if each.opted_in is False and not any(other.lifts(each) for other in given):
            return each
    return None


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """A topic as the preference page shows it."""

    opted_in: bool
    channel: str | None
    frequency: str | None


def choices(preferences: Iterable[Preference], topics: Iterable[str]) -> dict[str, TopicChoice]:
    """What one contact has chosen for each topic, defaults filled in."""
    held = sorted(newest(preferences).values(), key=lambda each: each.precedence)
    return {topic: _choice(held, topic) for topic in topics}


def _choice(held: list[Preference], topic: str) -> TopicChoice:
    about = [each for each in held if each.topic in (None, topic)]
    channel = next(
        (each.channel for each in reversed(about) if each.channel and each.opted_in is not False), None
    )
    frequency = next((each.frequency for each in reversed(about) if each.frequency), None)
    opted_in = refusal(about, topic, channel or "email") is None
    return TopicChoice(opted_in, channel, frequency)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a contact asks for now; topic None: everything."""

    topic: str | None
    opted_in: bool | None
    channel: str | None = None
    frequency: str | None = None


def stated(
    contact_id: str, choice: Choice, *, after: Iterable[Preference], now: datetime, word_id: str
) -> Preference:
    """The preference this choice becomes. It binds at once: it is newer than all that was believed before.

    An opt-out is meant for every channel, whatever channel was preferred until now.
    """
    latest = max((each.time for each in after), default=now)
    time = now if latest < now else latest + timedelta(microseconds=1)
    channel = None if choice.opted_in is False else choice.channel
    return Preference(
        contact_id=contact_id,
        topic=choice.topic,
        channel=channel,
        opted_in=choice.opted_in,
        frequency=choice.frequency,
        time=time,
        source="/drumbeat/notifier",
        id=word_id,
    )
