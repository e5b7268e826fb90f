"""Convert stored facts of earlier formats to the present one, when they are next read.

Format 1 has no joining times, no revenue history, and entries by event type. Up to format 3 answers were fields of the
account, a contact had its departure as a field, and the first go-live stood apart.
"""

from services.cadence.account.folding import add_entry, add_revenue, description_of
from services.cadence.account.retention import ANSWERS, ENTRY_RULES
from services.cadence.account.stamps import Fields, Stamp, StampedFields
from services.cadence.account.state import Facts

_WENT_LIVE = "milestone.go_live"
_ANSWER_NAMES = frozenset(name for names in ANSWERS.values() for name in names.values())


def upgrade_facts(facts: Facts, version: int) -> None:
    """Convert in place."""
    if version == 1:
        _date_entries(facts)
    for fields in facts.account.values():
        for name in _ANSWER_NAMES & fields.keys():
            del fields[name]
    facts.account = {stamp: fields for stamp, fields in facts.account.items() if fields}
    for stamp in facts.entries.pop(_WENT_LIVE, {}):
        if stamp not in facts.entries.get("milestone.reached", {}):
            _add(facts, "milestone.reached", stamp, {"milestone": "", "kind": "go_live"})
    facts.entries.pop("contact.described", None)
    for contact_id, contact in facts.contacts.items():
        _convert_presence(facts, contact_id, contact)


def _convert_presence(facts: Facts, contact_id: str, contact: StampedFields) -> None:
    """A description and a departure become entries; the later of them still counts."""
    joined = facts.joined.get(contact_id)
    described: set[Stamp] = set() if joined is None else {joined}
    for stamp in list(contact):
        left = contact[stamp].pop("left", None)
        if left is True:
            _add(facts, "contact.left", stamp, {"contact_id": contact_id})
        elif left is False:
            described.add(stamp)
        if not contact[stamp]:
            del contact[stamp]
    values = {name: value for fields in contact.values() for name, value in fields.items()}
    described_as: Fields = {"contact_id": contact_id, **values}
    described_as["content"] = description_of(described_as)
    for stamp in sorted(described):
        _add(facts, "contact.described", stamp, described_as)


def _date_entries(facts: Facts) -> None:
    facts.joined.update((key, min(stamped)) for key, stamped in facts.contacts.items() if stamped)
    stored, facts.entries = facts.entries, {}
    for event_type, entries in stored.items():
        for stamp, entry in entries.items():
            _add(facts, event_type, stamp, {**entry, "touch": entry.get("touchpoint_type") or ""})
    for contract in facts.contracts.values():
        for stamp, fields in contract.fields.items():
            if "arr" in fields:
                add_revenue(contract, stamp, fields)


def _add(facts: Facts, event_type: str, stamp: Stamp, fields: Fields) -> None:
    for rule in ENTRY_RULES.get(event_type, ()):
        if rule.accepts(fields):
            add_entry(facts, rule, stamp, fields)
