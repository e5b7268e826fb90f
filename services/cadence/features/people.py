"""Features of the customer's contacts: who is present, who joined and left, and how often they want messages."""

from collections.abc import Mapping

from services.cadence.account import OWN_ACT, Facts, Fields, Stamp, StampedFields, when
from services.cadence.account.retention import STAKEHOLDERS
from services.cadence.features.contacts import Person, newcomers_of
from services.cadence.features.feature import FREQUENCIES, TOPICS
from services.cadence.features.view import AccountView

SUGGESTED = "suggested"
"""The frequency or channel with which a contact ends a wish."""
_Preferred = dict[tuple[str, str], tuple[Stamp, str]]
"""(contact, topic) -> (event, what the contact prefers)."""


def fill_stakeholders(view: AccountView) -> None:
    """Which stakeholder roles are present, and when a stakeholder last joined and left."""
    newcomers = newcomers_of(view.facts)
    for contact_id, someone in view.people().items():
        if someone.role not in STAKEHOLDERS:
            continue
        if someone.left and someone.left_stamp is not None:
            _count_from_newest(view, "days_since_stakeholder_left", someone.left_stamp)
        else:
            name, stamp = f"has_{someone.role}", someone.role_stamp or ""
            view.set(name, value=True, stamp=max(stamp, view.stamps.get(name, "")))
            joined = newcomers.get(contact_id)
            if joined is not None:
                _count_from_newest(view, "days_since_stakeholder_joined", joined)


def _count_from_newest(view: AccountView, name: str, stamp: Stamp) -> None:
    if stamp > view.stamps.get(name, ""):
        view.count_from(name, when(stamp), stamp)


def fill_preferences(view: AccountView) -> None:
    """Per topic the wish of a stakeholder before others, then the newest; one for all topics counts for each.

    Of one contact the newest counts; when it is `suggested`, the contact has no wish any more, and those of others count.
    """
    frequencies: _Preferred = {}
    people = view.people()
    for key, preference in view.facts.preferences.items():
        frequency = _frequency({**preference, **view.facts.preferences.get(f"{key}{OWN_ACT}", {})})
        contact_id, topic, *_ = key.split("\n")
        if frequency is None or people.get(contact_id, Person()).left or contact_id in view.facts.away:
            continue
        _add_preferred(frequencies, contact_id, topic, frequency)
    best = _best_by_topic(frequencies, people)
    _fill_channels(view)
    view.preferred_days = {topic: FREQUENCIES[frequency] for topic, (_, frequency) in best.items()}
    view.preference_stamps = {topic: stamp for topic, (stamp, _) in best.items()}
    if "account" in best:
        stamp, frequency = best["account"]
        view.set("preferred_frequency", frequency, stamp)


def _add_preferred(preferred: _Preferred, contact_id: str, topic: str, newest: tuple[Stamp, str]) -> None:
    """Keep the newest of a contact for a topic; without one for every topic."""
    for name in (topic,) if topic else TOPICS:
        preferred[contact_id, name] = max(newest, preferred.get((contact_id, name), newest))


def _best_by_topic(preferred: _Preferred, people: Mapping[str, Person]) -> dict[str, tuple[Stamp, str]]:
    """Of the contacts' wishes for a topic that of a stakeholder before others, then the newest."""
    best: dict[str, tuple[bool, Stamp, str]] = {}
    for (contact_id, topic), (stamp, value) in preferred.items():
        if value == SUGGESTED:
            continue
        ranked = (people.get(contact_id, Person()).role in STAKEHOLDERS, stamp, value)
        best[topic] = max(ranked, best.get(topic, ranked))
    return {topic: (stamp, value) for topic, (_, stamp, value) in best.items()}


def _frequency(preference: StampedFields) -> tuple[Stamp, str] | None:
    """(event, frequency) of a preference; None: it has no frequency, or it is an opt-out."""
    newest: tuple[Stamp, str] | None = None
    for stamp, fields in preference.items():
        if fields.get("opted_in") is False:
            return None
        frequency = fields.get("frequency")
        if isinstance(frequency, str) and (frequency in FREQUENCIES or frequency == SUGGESTED):
            newest = (stamp, frequency)
    return newest


def _fill_channels(view: AccountView) -> None:
    """Per topic the channel that was wished last, a stakeholder's before others'."""
    channels: _Preferred = {}
    people = view.people()
    for key, preference in view.facts.preferences.items():
        contact_id, topic, channel, *_ = key.split("\n")
        stamps = [stamp for stamp, fields in preference.items() if _prefers(fields)]
        someone = people.get(contact_id, Person())
        if not channel or not stamps or someone.left or _refused(view.facts, key):
            continue
        _add_preferred(channels, contact_id, topic, (max(stamps), channel))
    best = _best_by_topic(channels, people)
    view.preferred_channels = {topic: (channel, stamp) for topic, (stamp, channel) in best.items()}
    if "training" in best:
        stamp, channel = best["training"]
        view.set("training_channel", channel, stamp)


def _prefers(fields: Fields) -> bool:
    """Whether a preference about a channel wishes for it: one that only allows it again does not."""
    return "frequency" in fields or "opted_in" not in fields


def _refused(facts: Facts, key: str) -> bool:
    """Whether the newest word on this topic and channel is an opt-out, by the contact or about the contact."""
    stored = (facts.preferences.get(each, {}) for each in (key, f"{key}{OWN_ACT}"))
    stated = ([fields["opted_in"] for fields in each.values() if "opted_in" in fields] for each in stored)
    return any(each[-1] is False for each in stated if each)
