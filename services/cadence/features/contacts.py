"""The people of an account: their roles, who left, and who is new."""

from typing import NamedTuple, cast

from services.cadence.account import DAY, Facts, Stamp, when
from services.cadence.account.identity import departures_of, persons_of

INTRODUCTION = DAY
"""Whoever is described within this time of the first contact came with the account."""


class Person(NamedTuple):
    """A contact's role, whether the contact left, and the events of both."""

    role: str | None = None
    role_stamp: Stamp | None = None
    left: bool = False
    left_stamp: Stamp | None = None


def people_of(facts: Facts) -> dict[str, Person]:
    """Contact id -> the person; one that was never described is present and has no role."""
    departures = departures_of(facts.entries)
    people: dict[str, Person] = {}
    for contact_id, contact in facts.contacts.items():
        role, role_stamp = None, None
        for stamp, fields in contact.items():
            if "role" in fields:
                role, role_stamp = cast("str | None", fields["role"]), stamp
        left = departures.get(contact_id)
        people[contact_id] = Person(role, role_stamp, left is not None, left)
    return people


def newcomers_of(facts: Facts) -> dict[str, Stamp]:
    """Contact id -> the first description of each contact who came later than the first people of the account.

    The first people that are heard of an account are not news. A second record of one person is nobody new.
    """
    if not facts.joined:
        return {}
    others = (away.joined for away in facts.away.values() if away.joined is not None)
    known_from = when(min([*facts.joined.values(), *others])) + INTRODUCTION
    first: dict[str, tuple[Stamp, str]] = {}
    for contact_id, person in persons_of(facts.contacts).items():
        joined = facts.joined.get(contact_id)
        if joined is not None and (person not in first or joined < first[person][0]):
            first[person] = joined, contact_id
    return {contact_id: joined for joined, contact_id in first.values() if when(joined) > known_from}
