"""What an event changed of the description of an account or of a contact, by the names of the fields."""

from collections.abc import Mapping
from typing import Final

from services.cadence.account.folding import CONTACT_FIELDS
from services.cadence.account.identity import departures_of
from services.cadence.account.retention import ACCOUNT_FIELDS
from services.cadence.account.stamps import Plain, StampedFields
from services.cadence.account.state import FactEvent, Facts

DESCRIBING: Final = frozenset({"account.described", "contact.described", "contact.left"})
_NOTHING: Final[StampedFields] = {}


def described_values(facts: Facts, event: FactEvent) -> dict[str, Plain]:
    """The stored values of the fields that the event names; `left`: whether the contact has left."""
    if event.type == "account.described":
        names = ACCOUNT_FIELDS[event.type]
        values = _values(facts.account)
        return {name: values.get(names[name]) for name in event.fields if name in names}
    contact_id = str(event.fields["contact_id"])
    away = facts.away.get(contact_id)
    values = _values(facts.contacts.get(contact_id, _NOTHING) if away is None else away.fields)
    named = {name: values.get(name) for name in CONTACT_FIELDS if name in event.fields}
    return {**named, "left": contact_id in departures_of(facts.entries)}


def changed_names(before: Mapping[str, Plain], after: Mapping[str, Plain]) -> tuple[str, ...]:
    """In alphabetical order; a field without a value is one that is absent. What is sent again unchanged changes none."""
    return tuple(sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)))


def _values(stamped: StampedFields) -> dict[str, Plain]:
    return {name: value for fields in stamped.values() for name, value in fields.items()}
