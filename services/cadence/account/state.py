"""The facts of one account: the newest value of each field, and dated entries.

Events arrive late, twice and out of order. A field belongs to the newest stamp that set it (absent: unchanged, null:
cleared); a dated entry or the content of a contract is a statement with its first and last telling, the newest N of a
kind. So any order and any repetition of the same events give the same facts and the same bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from services.cadence.account.contracts import Contract
from services.cadence.account.identity import answers_of, departures_of
from services.cadence.account.retention import ANSWERS
from services.cadence.account.stamps import Entries, Provenance, Stamp, StampedFields, provenance_of, readable
from services.cadence.account.usage import Usage
from services.cadence.account.usage_reports import usage_levels

OWN_ACT = "\nown"  # ends the key of a preference that the contact set, not a tool


class FactEvent(NamedTuple):
    """A validated event: its short type (`health.scored`) and only the fields that were present in its data."""

    type: str
    account_id: str
    provenance: Provenance
    fields: Mapping[str, object]


class StampedValue(NamedTuple):
    """A stored value (None: cleared) and the event that set it."""

    value: object
    provenance: Provenance


class ApplyResult(NamedTuple):
    """What applying one event did. `fields`: the parts of the facts that changed; `contacts`, `contracts`, `preferences`
    and `pauses` stand for all of theirs. `conflict`: another event with the same (source, id) and other content.
    `let_go`: the kinds of entries of which a bound let one go that conditions may look back at.
    """

    changed: bool
    fields: tuple[str, ...] = ()
    conflict: Provenance | None = None
    let_go: tuple[str, ...] = ()


@dataclass(slots=True)
class AwayContact:
    """A contact that another account described later; see `homes`. `joined` as in `Facts`."""

    fields: StampedFields
    joined: Stamp | None = None


@dataclass(slots=True)
class Facts:
    """Everything stored of an account. For speed `apply_fact` changes it in place; nothing else does."""

    account_id: str
    first_event_at: int | None = None
    first_event: Stamp | None = None
    """None in a state of before it was stored: then only the time of the first event is known."""
    account: StampedFields = field(default_factory=dict)
    contacts: dict[str, StampedFields] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)
    preferences: dict[str, StampedFields] = field(default_factory=dict)
    pauses: dict[str, StampedFields] = field(default_factory=dict)
    entries: dict[str, Entries] = field(default_factory=dict)
    joined: dict[str, Stamp] = field(default_factory=dict)
    """Contact id -> the earliest event that describes the contact."""
    erased: dict[str, int] = field(default_factory=dict)
    """`erasure.erased_key` of a contact -> until when what was told of the contact is ignored, in microseconds."""
    away: dict[str, AwayContact] = field(default_factory=dict)
    """Contacts that are with another account by now."""
    merged: dict[str, Stamp] = field(default_factory=dict)
    """Accounts that were merged into this one -> the earliest event that says so."""
    usage: Usage = field(default_factory=Usage)

    def account_values(self) -> dict[str, StampedValue]:
        """The account's own fields, the newest answers of its contacts, and the levels of its usage."""
        values = _readable(self.account)
        for kind, names in ANSWERS.items():
            for answer in answers_of(self.entries, self.contacts, kind):
                known = {names[name]: value for name, value in answer.fields.items() if name in names}
                values |= {
                    name: StampedValue(value, provenance_of(answer.stamp)) for name, value in known.items()
                }
        for name, level in usage_levels(self.usage).items():
            values[name] = StampedValue(level.value, provenance_of(level.stamp))
        return values

    def contact_values(self) -> dict[str, dict[str, StampedValue]]:
        """Contact id -> fields; `left` is True for a contact who left."""
        departures = departures_of(self.entries)
        return {
            key: _readable(fields) | _left(departures.get(key), max(fields, default=None))
            for key, fields in sorted(self.contacts.items())
        }

    def contract_values(self) -> dict[str, dict[str, StampedValue]]:
        """Contract id -> fields."""
        return {key: _readable(contract.fields) for key, contract in sorted(self.contracts.items())}

    def preference_values(self) -> dict[tuple[str, str | None, str | None, bool], dict[str, StampedValue]]:
        """(contact id, topic or None for all, channel or None for all, contact's own act) -> `frequency`, `opted_in`."""
        values: dict[tuple[str, str | None, str | None, bool], dict[str, StampedValue]] = {}
        for key, fields in sorted(self.preferences.items()):
            contact, topic, channel, *own = key.split("\n")
            values[contact, topic or None, channel or None, bool(own)] = _readable(fields)
        return values

    def pause_values(self) -> dict[str | None, dict[str, StampedValue]]:
        """Contact id (None: the account) -> `paused`, `until`, `reason`."""
        return {key or None: _readable(fields) for key, fields in sorted(self.pauses.items())}


def _left(departure: Stamp | None, described: Stamp | None) -> dict[str, StampedValue]:
    stamp = departure or described
    return {} if stamp is None else {"left": StampedValue(departure is not None, provenance_of(stamp))}


def _readable(stamped: StampedFields) -> dict[str, StampedValue]:
    return {
        name: StampedValue(readable(name, value), provenance_of(stamp))
        for stamp, fields in sorted(stamped.items())
        for name, value in fields.items()
    }
