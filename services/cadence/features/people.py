"""Features of the customer's contacts: who is present, who joined and left, and how often they want messages."""

from typing import NamedTuple, cast

from services.cadence.account import OWN_ACT, Facts, Stamp, StampedFields, when
from services.cadence.features.feature import FREQUENCIES, STAKEHOLDERS, TOPICS
from services.cadence.features.view import AccountView


class Person(NamedTuple):
    """A contact's role, whether the contact left, and the events of both."""

    role: str | None = None
    role_stamp: Stamp | None = None
    left: bool = False
    left_stamp: Stamp | None = None


def person(contact: StampedFields | None) -> Person:
    """The person of a stored contact; one that was never described is present and has no role."""
    role, role_stamp, left, left_stamp = None, None, False, None
    for stamp, fields in (contact or {}).items():
        if "role" in fields:
            role, role_stamp = cast("str | None", fields["role"]), stamp
        if "left" in fields:
            left, left_stamp = fields["left"] is True, stamp
    return Person(role, role_stamp, left, left_stamp)


def fill_stakeholders(view: AccountView) -> None:
    """Which stakeholder roles are present, and when a stakeholder last joined and left."""
    facts = view.facts
    for contact_id, contact in facts.contacts.items():
        someone = person(contact)
        if someone.role not in STAKEHOLDERS:
            continue
        if someone.left and someone.left_stamp is not None:
            _count_from_newest(view, "days_since_stakeholder_left", someone.left_stamp)
        else:
            name, stamp = f"has_{someone.role}", someone.role_stamp or ""
            view.set(name, value=True, stamp=max(stamp, view.stamps.get(name, "")))
            joined = facts.joined.get(contact_id)
            if joined is not None:
                _count_from_newest(view, "days_since_stakeholder_joined", joined)


def _count_from_newest(view: AccountView, name: str, stamp: Stamp) -> None:
    if stamp > view.stamps.get(name, ""):
        view.count_from(name, when(stamp), stamp)


def fill_preferences(view: AccountView) -> None:
    """Per topic the preference of a stakeholder before others, then the newest; one for all topics counts for each."""
    best: dict[str, tuple[bool, Stamp, str]] = {}
    for key, preference in view.facts.preferences.items():
        frequency = _frequency({**preference, **view.facts.preferences.get(f"{key}{OWN_ACT}", {})})
        if frequency is None:
            continue
        contact_id, topic, *_ = key.split("\n")
        someone = person(view.facts.contacts.get(contact_id))
        if someone.left or contact_id in view.facts.away:
            continue
        ranked = (someone.role in STAKEHOLDERS, *frequency)
        for name in (topic,) if topic else TOPICS:
            if name not in best or best[name] < ranked:
                best[name] = ranked
    view.preferred_days = {topic: FREQUENCIES[frequency] for topic, (_, _, frequency) in best.items()}
    view.preference_stamps = {topic: stamp for topic, (_, stamp, _) in best.items()}
    if "account" in best:
        _, stamp, frequency = best["account"]
        view.set("preferred_frequency", frequency, stamp)


def _frequency(preference: StampedFields) -> tuple[Stamp, str] | None:
    """(event, frequency) of a preference; None: it has no frequency, or it is an opt-out."""
    newest: tuple[Stamp, str] | None = None
    for stamp, fields in preference.items():
        if fields.get("opted_in") is False:
            return None
        frequency = fields.get("frequency")
        if isinstance(frequency, str) and frequency in FREQUENCIES:
            newest = (stamp, frequency)
    return newest


def role_of(facts: Facts, contact_id: object) -> str | None:
    return person(facts.contacts.get(str(contact_id))).role
