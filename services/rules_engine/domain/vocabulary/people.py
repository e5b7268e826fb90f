"""The customer's people: who is there, who came and went, and how often they wish to hear from us."""

from typing import NamedTuple, cast

from services.rules_engine.domain.facts import Facts, Held, Mark, when
from services.rules_engine.domain.vocabulary.seen import View
from services.rules_engine.domain.vocabulary.words import FREQUENCIES, STAKEHOLDERS, TOPICS


class Person(NamedTuple):
    """A contact: the role last told, whether they left, and who said so."""

    role: str | None = None
    role_mark: Mark | None = None
    left: bool = False
    left_mark: Mark | None = None


def person(held: Held | None) -> Person:
    """A contact as it is believed; one nobody described is there and has no role."""
    role, role_mark, left, left_mark = None, None, False, None
    for mark, said in (held or {}).items():
        if "role" in said:
            role, role_mark = cast("str | None", said["role"]), mark
        if "left" in said:
            left, left_mark = said["left"] is True, mark
    return Person(role, role_mark, left, left_mark)


def look_at_people(seen: View) -> None:
    """Who of those that matter is present, and when the last of them came and went."""
    facts = seen.facts
    for contact_id, held in facts.contacts.items():
        each = person(held)
        if each.role not in STAKEHOLDERS:
            continue
        if each.left and each.left_mark is not None:
            _newest(seen, "days_since_stakeholder_left", each.left_mark)
        else:
            name, mark = f"has_{each.role}", each.role_mark or ""
            seen.rest(name, value=True, mark=max(mark, seen.rests.get(name, "")))
            joined = facts.joined.get(contact_id)
            if joined is not None:
                _newest(seen, "days_since_stakeholder_joined", joined)


def _newest(seen: View, name: str, mark: Mark) -> None:
    if mark > seen.rests.get(name, ""):
        seen.count(name, when(mark), mark)


def look_at_wishes(seen: View) -> None:
    """Per topic the wish of those who matter most, of equals the newest; a wish for all topics counts for each."""
    best: dict[str, tuple[bool, Mark, str]] = {}
    for key, held in seen.facts.preferences.items():
        wish = _wish(held)
        if wish is None:
            continue
        contact_id, topic, _ = key.split("\n")
        each = person(seen.facts.contacts.get(contact_id))
        if each.left:
            continue
        told = (each.role in STAKEHOLDERS, *wish)
        for name in (topic,) if topic else TOPICS:
            if name not in best or best[name] < told:
                best[name] = told
    seen.wishes = {topic: FREQUENCIES[frequency] for topic, (_, _, frequency) in best.items()}
    seen.wish_marks = {topic: mark for topic, (_, mark, _) in best.items()}
    if "account" in best:
        _, mark, frequency = best["account"]
        seen.rest("preferred_frequency", frequency, mark)


def _wish(held: Held) -> tuple[Mark, str] | None:
    """The frequency asked for under one preference, unless that preference is to hear nothing."""
    found: tuple[Mark, str] | None = None
    for mark, said in held.items():
        if said.get("opted_in") is False:
            return None
        frequency = said.get("frequency")
        if isinstance(frequency, str) and frequency in FREQUENCIES:
            found = (mark, frequency)
    return found


def role_of(facts: Facts, contact_id: object) -> str | None:
    return person(facts.contacts.get(str(contact_id))).role
