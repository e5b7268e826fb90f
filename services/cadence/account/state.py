"""Facts: what is believed about one account, and since when.

Messages arrive late, twice and out of order, and working memory must not care. A field belongs to the newest stamp
that spoke of it (absent: unchanged, null: cleared); a dated entry is kept once per (source, id), the newest N of a kind.
So any order and any repetition end in the same belief and in the same bytes. Inside, a stamp is one text and a
moment an integer of microseconds, because this is folded tens of thousands of times a second.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.cadence.account.stamps import (
    Entries,
    Fields,
    Provenance,
    Stamp,
    StampedFields,
    provenance_of,
    readable,
)


class FactEvent(NamedTuple):
    """A validated fact: short type (`health.scored`), and only the fields that were present in its data."""

    type: str
    account_id: str
    provenance: Provenance
    fields: Mapping[str, object]


class Known(NamedTuple):
    """A remembered value (None: cleared) and the stamp it rests on."""

    value: object
    provenance: Provenance


class Change(NamedTuple):
    """What one fold did. `conflict` is the other stamp when one (source, id) came with two contents."""

    changed: bool
    fields: tuple[str, ...] = ()
    conflict: Provenance | None = None


@dataclass(slots=True)
class Contract:
    """Fields of a contract, and its dated changes: of status and dates, from which its terms are read, and of revenue."""

    held: StampedFields = field(default_factory=dict[Stamp, Fields])
    terms: Entries = field(default_factory=dict[Stamp, Fields])
    revenues: Entries = field(default_factory=dict[Stamp, Fields])


@dataclass(slots=True)
class Facts:
    """An account's working memory. Changed by `fold` alone, in place, for speed; the laws hold whatever the order."""

    account_id: str
    first_heard: int | None = None
    account: StampedFields = field(default_factory=dict[Stamp, Fields])
    contacts: dict[str, StampedFields] = field(default_factory=dict[str, StampedFields])
    contracts: dict[str, Contract] = field(default_factory=dict[str, Contract])
    preferences: dict[str, StampedFields] = field(default_factory=dict[str, StampedFields])
    pauses: dict[str, StampedFields] = field(default_factory=dict[str, StampedFields])
    entries: dict[str, Entries] = field(default_factory=dict[str, Entries])
    joined: dict[str, Stamp] = field(default_factory=dict[str, Stamp])
    """By contact id: the earliest description of it that was ever told."""

    def known(self) -> dict[str, Known]:
        """The account's fields by name."""
        return _readable(self.account)

    def known_contacts(self) -> dict[str, dict[str, Known]]:
        """By contact id; the field `left` tells who is gone."""
        return {key: _readable(held) for key, held in sorted(self.contacts.items())}

    def known_contracts(self) -> dict[str, dict[str, Known]]:
        return {key: _readable(contract.held) for key, contract in sorted(self.contracts.items())}

    def known_preferences(self) -> dict[tuple[str, str | None, str | None], dict[str, Known]]:
        """By (contact id, topic or None for all, channel or None for all): `frequency`, `opted_in`."""
        found: dict[tuple[str, str | None, str | None], dict[str, Known]] = {}
        for key, held in sorted(self.preferences.items()):
            contact, topic, channel = key.split("\n")
            found[contact, topic or None, channel or None] = _readable(held)
        return found

    def known_pauses(self) -> dict[str | None, dict[str, Known]]:
        """By contact id (None: the account): `paused`, `until`, `reason`."""
        return {key or None: _readable(held) for key, held in sorted(self.pauses.items())}


def _readable(held: StampedFields) -> dict[str, Known]:
    return {
        name: Known(readable(name, value), provenance_of(stamp))
        for stamp, fields in sorted(held.items())
        for name, value in fields.items()
    }
