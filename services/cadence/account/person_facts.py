"""What an account stores of one contact, for the export of personal data: the counterpart of `erasure`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.cadence.account.merging import LAST
from services.cadence.account.stamps import Fields, Provenance, Stamp, StampedFields, provenance_of, readable
from services.cadence.account.state import Facts


@dataclass(frozen=True, slots=True)
class PersonFact:
    """A stored value of a field of the contact (None: cleared), and the event that set it."""

    field: str
    value: object
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class PersonPreference:
    """A preference of the contact. `topic` and `channel`: None for all; `by_contact`: the contact set it, not a tool."""

    topic: str | None
    channel: str | None
    by_contact: bool
    facts: tuple[PersonFact, ...]


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """A dated entry that names the contact: `kind` such as `nps.answered`. `last_at`: when it was told last."""

    kind: str
    fields: Mapping[str, object]
    provenance: Provenance
    last_at: datetime


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """Everything an account stores of one contact. `is_away`: another account described the contact later."""

    is_away: bool
    described: tuple[PersonFact, ...]
    preferences: tuple[PersonPreference, ...]
    pauses: tuple[PersonFact, ...]
    entries: tuple[PersonEntry, ...]

    def __bool__(self) -> bool:
        return bool(self.described or self.preferences or self.pauses or self.entries)


def person_facts(facts: Facts, contact_id: str) -> PersonFacts:
    """What the account stores of the contact; false when that is nothing, which is when erasure has nothing to erase."""
    away = facts.away.get(contact_id)
    described = facts.contacts.get(contact_id, {}) if away is None else away.fields
    return PersonFacts(
        is_away=away is not None,
        described=_facts(described),
        preferences=tuple(
            preference
            for key, fields in sorted(facts.preferences.items())
            if (preference := _preference(key, fields, contact_id)) is not None
        ),
        pauses=_facts(facts.pauses.get(contact_id, {})),
        entries=tuple(
            _entry(kind, stamp, fields)
            for kind, entries in sorted(facts.entries.items())
            for stamp, fields in entries.items()
            if fields.get("contact_id") == contact_id
        ),
    )


def _facts(stamped: StampedFields) -> tuple[PersonFact, ...]:
    return tuple(
        PersonFact(name, readable(name, value), provenance_of(stamp))
        for stamp, fields in sorted(stamped.items())
        for name, value in fields.items()
    )


def _preference(key: str, fields: StampedFields, contact_id: str) -> PersonPreference | None:
    person, topic, channel, *own = key.split("\n")
    if person != contact_id:
        return None
    return PersonPreference(topic or None, channel or None, by_contact=bool(own), facts=_facts(fields))


def _entry(kind: str, stamp: Stamp, fields: Fields) -> PersonEntry:
    shown = {
        name: readable(name, value) for name, value in fields.items() if name not in (LAST, "contact_id")
    }
    last = provenance_of(str(fields.get(LAST, stamp)))
    return PersonEntry(kind, shown, provenance_of(stamp), last.time)
