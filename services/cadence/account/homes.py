"""Where a contact is: in the account that described it last.

Another account that described the contact before keeps what it was told out of sight, so that a later description, or
an earlier one that arrives late, brings the contact back whole. All of them know what was told of the contact to any.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from services.cadence.account.erasure import erased_key
from services.cadence.account.merging import LAST, merge_fields
from services.cadence.account.stamps import Stamp, StampedFields, stamp_of, when
from services.cadence.account.state import AwayContact, FactEvent, Facts

_ABOUT_PERSON: Final = frozenset(
    {"contact.described", "preference.changed", "outreach.paused", "outreach.resumed"}
)
"""What is true of a contact in whatever account it is. Leaving concerns one account only."""


class Person(NamedTuple):
    """What is stored of a contact that goes with it: descriptions, pauses, and preferences by key."""

    descriptions: StampedFields
    pauses: StampedFields
    preferences: dict[str, StampedFields]


def named_contact(event: FactEvent) -> str | None:
    """The contact of whom the event says something that goes with the contact."""
    contact_id = event.fields.get("contact_id")
    return contact_id if event.type in _ABOUT_PERSON and isinstance(contact_id, str) else None


def placing_stamp(event: FactEvent) -> Stamp | None:
    """The stamp of an event that says in which account its contact is."""
    return stamp_of(event.provenance) if event.type == "contact.described" else None


def descriptions_of(facts: Facts, contact_id: str) -> StampedFields:
    """What the descriptions of a contact say, whether it is here or away."""
    away = facts.away.get(contact_id)
    return facts.contacts.get(contact_id, {}) if away is None else away.fields


def latest_descriptions(facts: Facts) -> dict[str, Stamp]:
    """Contact id -> the latest event that describes the contact; leaving does not say where somebody is."""
    latest = {key: max(stamped) for key, stamped in facts.contacts.items() if stamped}
    for stamp, fields in facts.entries.get("contact.described", {}).items():
        key = str(fields["contact_id"])
        latest[key] = max(latest.get(key, ""), str(fields.get(LAST, stamp)))
    return latest


def join_persons(accounts: Iterable[Facts], contact_id: str) -> Person:
    """What any of these accounts has of the contact."""
    person = Person({}, {}, {})
    for facts in accounts:
        _add(person.descriptions, descriptions_of(facts, contact_id))
        _add(person.pauses, facts.pauses.get(contact_id, {}))
        for key, stamped in facts.preferences.items():
            if key.startswith(f"{contact_id}\n"):
                _add(person.preferences.setdefault(key, {}), stamped)
    return person


def _add(into: StampedFields, stamped: StampedFields) -> None:
    for stamp, fields in stamped.items():
        into[stamp] = {**into.get(stamp, {}), **fields}


def place_contact(facts: Facts, contact_id: str, person: Person, *, is_home: bool) -> bool:
    """Show or hide a contact that several accounts described, and add all that is known; whether anything changed."""
    changed = is_home is not (contact_id in facts.contacts)
    stored = facts.contacts.pop(contact_id, None)
    away = facts.away.pop(contact_id, None) or AwayContact(stored or {}, facts.joined.pop(contact_id, None))
    after = facts.erased.get(erased_key(contact_id), -1)
    changed |= _merge_later(away.fields, person.descriptions, after)
    if person.pauses:
        changed |= _merge_later(facts.pauses.setdefault(contact_id, {}), person.pauses, after)
    for key, stamped in person.preferences.items():
        changed |= _merge_later(facts.preferences.setdefault(key, {}), stamped, after)
    _drop_empty(facts, contact_id, person)
    if not is_home:
        facts.away[contact_id] = away
        return changed
    facts.contacts[contact_id] = away.fields
    if away.joined is not None:
        facts.joined[contact_id] = away.joined
    return changed


def _merge_later(into: StampedFields, stamped: StampedFields, after: int) -> bool:
    """Add what was told after that time, in microseconds; whether anything changed."""
    changed = False
    for stamp, fields in stamped.items():
        if when(stamp) > after:
            changed |= merge_fields(into, stamp, {**into.get(stamp, {}), **fields})[0]
    return changed


def _drop_empty(facts: Facts, contact_id: str, person: Person) -> None:
    """Nothing stays of what was told before an erasure."""
    if not facts.pauses.get(contact_id, True):
        del facts.pauses[contact_id]
    for key in person.preferences:
        if not facts.preferences[key]:
            del facts.preferences[key]
