"""What a contact chooses on the own page: topics, over which channel, and how often; read from a form, and compared."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from schemas.directory import ContactRecord
from schemas.facts import PreferenceChanged
from schemas.schedule import ScheduledRhythm
from schemas.vocabulary import Topic
from services.cadence.features.feature import FREQUENCIES
from services.notifier.application.phrases import Phrases
from services.notifier.application.read_models import ContactPreferences
from services.notifier.domain.consent import SUGGESTED, TopicPreference, preferences_by_topic
from services.notifier.domain.contact_channel import IN_APP, MAIL, SLACK, SMS, address_on
from services.notifier.domain.message import sentence_case

TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)
CHANNELS: Final = (MAIL, IN_APP)
"""The channels over which every deployment reaches customers by itself."""
TALKS: Final[Mapping[str, tuple[str, ...]]] = {"account": ("call",)}
"""Topics about which people talk with the customer: these may also be wished for by telephone."""
Form = Mapping[str, Sequence[str]]
Choices = Mapping[Topic, TopicPreference]


class FormRefused(Exception):
    """The form has a value that the page does not offer."""


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class PageTopic:
    """A topic with its name and what it is about. `guarantees`: what stays although the wish is rarer, as a sentence."""

    topic: Topic
    name: str
    about: str
    opted_in: bool
    channels: Sequence[Option]
    frequencies: Sequence[Option]
    guarantees: str


def channels_of(contact: ContactRecord | None, closed: Mapping[str, str]) -> Sequence[str]:
    """The channels that this contact may choose for every topic: those that are set up and have an address of theirs."""
    texts = (SMS, SLACK) if contact is not None else ()
    return (*CHANNELS, *(one for one in texts if one not in closed and contact and address_on(contact, one)))


def choices_of(preferences: ContactPreferences | None) -> Choices:
    """What holds for every topic. A contact without preferences gets all, as the policy suggests."""
    known = preferences or ContactPreferences(())
    by_topic = preferences_by_topic(known.own, TOPICS, known.same_address)
    return {topic: by_topic[topic] for topic in TOPICS}


def page_topics(
    choices: Choices,
    rhythms: Sequence[ScheduledRhythm],
    phrases: Phrases,
    channels: Sequence[str] = CHANNELS,
) -> list[PageTopic]:
    """The rows of the table. `channels`: those that are offered for every topic."""
    return [
        PageTopic(
            topic=topic,
            name=sentence_case(phrases.topic(topic)),
            about=phrases.text("about_topics", topic),
            opted_in=choice.opted_in,
            channels=_options(
                _channels_of(topic, choice, channels), choice.channel, phrases.channel, phrases
            ),
            frequencies=_options(FREQUENCIES, choice.frequency, lambda name: _often(name, phrases), phrases),
            guarantees=guarantees_sentence(topic, choice, rhythms, phrases),
        )
        for topic, choice in choices.items()
    ]


def guarantees_sentence(
    topic: Topic, choice: TopicPreference, rhythms: Sequence[ScheduledRhythm], phrases: Phrases
) -> str:
    """What stays as often as it is although the wish for its topic is rarer; empty: nothing does."""
    preferred = FREQUENCIES.get(choice.frequency or "", 0)
    kept = [one for one in rhythms if one.is_guaranteed and one.topic == topic and one.every_days < preferred]
    if not kept:
        return ""
    lines = [rhythm_line(one, phrases) for one in kept]
    return phrases.text("page", "keeps", rhythms=phrases.formatter.enumeration(lines))


def rhythm_line(rhythm: ScheduledRhythm, phrases: Phrases) -> str:
    """A rhythm with its interval: `Business review: every 3 months`."""
    name, interval = phrases.touchpoint_type(rhythm.touchpoint_type), phrases.interval(rhythm.every_days)
    return phrases.text("lines", "rhythm", name=name, interval=interval)


def read_choices(form: Form, before: Choices, channels: Sequence[str] = CHANNELS) -> Choices:
    """What the contact wants from now on, of these channels. A wish that is not in the form stays. Raises FormRefused."""
    wanted = set(form.get("topic", ()))
    named = {name.partition(".")[2] for name in form if name.startswith(("channel.", "frequency."))}
    if not (wanted | named) <= set(TOPICS):
        raise FormRefused
    return {
        topic: TopicPreference(
            opted_in=topic in wanted,
            channel=_read_preferred(
                form, f"channel.{topic}", _channels_of(topic, choice, channels), choice.channel
            ),
            frequency=_read_preferred(form, f"frequency.{topic}", FREQUENCIES, choice.frequency),
        )
        for topic, choice in before.items()
    }


def changes_between(contact_id: str, before: Choices, after: Choices) -> list[PreferenceChanged]:
    """What the contact changes; nothing for a topic that stays as it is.

    Consent is for all channels and a wish names one, so that they are two changes.
    """
    changes: list[PreferenceChanged] = []
    for topic, new in after.items():
        old, about = before[topic], {"contact_id": contact_id, "topic": topic, "by_contact": True}
        if old.opted_in != new.opted_in:
            changes.append(PreferenceChanged.of_valid(**about, opted_in=new.opted_in))
        preferred = {
            name: getattr(new, name) or SUGGESTED
            for name in ("channel", "frequency")
            if getattr(old, name) != getattr(new, name)
        }
        if preferred:
            changes.append(PreferenceChanged.of_valid(**about, **preferred))
    return changes


def no_more_messages(contact_id: str) -> PreferenceChanged:
    """The opt-out of all topics."""
    return PreferenceChanged.of_valid(contact_id=contact_id, topic=None, opted_in=False, by_contact=True)


def _channels_of(topic: Topic, choice: TopicPreference, channels: Sequence[str]) -> Sequence[str]:
    """Those that are offered, and the one that is wished already."""
    offered = (*channels, *TALKS.get(topic, ()))
    return offered if choice.channel is None or choice.channel in offered else (*offered, choice.channel)


def _read_preferred(
    form: Form, name: str, offered: Sequence[str] | Mapping[str, int], stays: str | None
) -> str | None:
    values = form.get(name)
    if values is None:
        return stays
    (value, *more) = values
    if more or (value != SUGGESTED and value not in offered):
        raise FormRefused
    return None if value == SUGGESTED else value


def _options(
    values: Iterable[str], chosen: str | None, name_of: Callable[[str], str], phrases: Phrases
) -> list[Option]:
    suggested = Option(SUGGESTED, sentence_case(phrases.text("page", "suggested")), chosen is None)
    return [suggested, *(Option(value, sentence_case(name_of(value)), value == chosen) for value in values)]


def _often(frequency: str, phrases: Phrases) -> str:
    return phrases.interval(FREQUENCIES[frequency])
