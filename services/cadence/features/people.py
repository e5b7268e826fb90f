"""The customer's people: who is there, who came and went, and how often they wish to hear from us."""

from typing import NamedTuple, cast

from services.cadence.account import Facts, Stamp, StampedFields, when
from services.cadence.features.feature import FREQUENCIES, STAKEHOLDERS, TOPICS
from services.cadence.features.view import AccountView


class Person(NamedTuple):
    """A contact: the role last told, whether they left, and who said so."""

    role: str | None = None
    role_mark: Stamp | None = None
    left: bool = False
    left_mark: Stamp | None = None


def person(held: StampedFields | None) -> Person:
    """A contact as it is believed; one nobody described is there and has no role."""
    role, role_mark, left, left_mark = None, None, False, None
    for stamp, said in (held or {}).items():
        if "role" in said:
            role, role_mark = cast("str | None", said["role"]), stamp
        if "left" in said:
            left, left_mark = said["left"] is True, stamp
    return Person(role, role_mark, left, left_mark)


def look_at_people(view: AccountView) -> None:
    """Who of those that matter is present, and when the last of them came and went."""
    facts = view.facts
    for contact_id, held in facts.contacts.items():
        each = person(held)
        if each.role not in STAKEHOLDERS:
            continue
        if each.left and each.left_mark is not None:
            _newest(view, "days_since_stakeholder_left", each.left_mark)
        else:
            name, stamp = f"has_{each.role}", each.role_mark or ""
            view.rest(name, value=True, stamp=max(stamp, view.rests.get(name, "")))
            joined = facts.joined.get(contact_id)
            if joined is not None:
                _newest(view, "days_since_stakeholder_joined", joined)


def _newest(view: AccountView, name: str, stamp: Stamp) -> None:
    if stamp > view.rests.get(name, ""):
        view.count(name, when(stamp), stamp)


def look_at_wishes(view: AccountView) -> None:
    """Per topic the wish of those who matter most, of equals the newest; a wish for all topics counts for each."""
    best: dict[str, tuple[bool, Stamp, str]] = {}
    for key, held in view.facts.preferences.items():
        wish = _wish(held)
        if wish is None:
            continue
        contact_id, topic, _ = key.split("\n")
        each = person(view.facts.contacts.get(contact_id))
        if each.left:
            continue
        told = (each.role in STAKEHOLDERS, *wish)
        for name in (topic,) if topic else TOPICS:
            if name not in best or best[name] < told:
                best[name] = told
    view.wishes = {topic: FREQUENCIES[frequency] for topic, (_, _, frequency) in best.items()}
    view.wish_marks = {topic: stamp for topic, (_, stamp, _) in best.items()}
    if "account" in best:
        _, stamp, frequency = best["account"]
        view.rest("preferred_frequency", frequency, stamp)


def _wish(held: StampedFields) -> tuple[Stamp, str] | None:
    """The frequency asked for under one preference, unless that preference is to hear nothing."""
    found: tuple[Stamp, str] | None = None
    for stamp, said in held.items():
        if said.get("opted_in") is False:
            return None
        frequency = said.get("frequency")
        if isinstance(frequency, str) and frequency in FREQUENCIES:
            found = (stamp, frequency)
    return found


def role_of(facts: Facts, contact_id: object) -> str | None:
    return person(facts.contacts.get(str(contact_id))).role
