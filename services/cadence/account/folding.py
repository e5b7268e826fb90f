"""Folding: one fact into the memory, in any order and any number of times to the same end."""

from collections.abc import Mapping
from typing import cast

from services.cadence.account.merging import add_entry, keep_earliest, make_room, merge_fields, replace
from services.cadence.account.retention import (
    ACCOUNT_FIELDS,
    CONTACT_FIELDS,
    CONTACTS_KEPT,
    CONTRACT_FIELDS,
    CONTRACTS_KEPT,
    ENTRIES,
    PREFERENCES_KEPT,
    REVENUES_KEPT,
    TERM_FIELDS,
    TERMS_KEPT,
    WENT_LIVE,
    Kept,
)
from services.cadence.account.stamps import (
    DAY,
    Fields,
    Plain,
    Stamp,
    StampedFields,
    plain,
    provenance_of,
    stamp_of,
    when,
)
from services.cadence.account.state import Change, Contract, FactEvent, Facts


def apply_fact(facts: Facts, event: FactEvent) -> Change:
    """Hear one fact. A type nobody remembers only moves `first_heard`. Cost: a few microseconds."""
    stamp = stamp_of(event.provenance)
    at, heard = when(stamp), facts.first_heard
    changed = heard is None or at < heard
    if changed:
        facts.first_heard = at
    told: tuple[str, ...] = ()
    conflict: Stamp | None = None
    for did, names, other in _spread(facts, event, stamp):
        if did:
            changed = True
            told += names
        if other is not None and (conflict is None or other > conflict):
            conflict = other
    return Change(changed, told, None if conflict is None else provenance_of(conflict))


_Step = tuple[bool, tuple[str, ...], Stamp | None]
_NOTHING: _Step = (False, (), None)
_AS_IT_IS = frozenset({str, int, float, bool, type(None)})
_NESTED = frozenset({"limits", "features", "notes", "comment", "detail", "recipient"})


def _fields(event: FactEvent) -> Fields:
    fields = {
        name: value if type(value) in _AS_IT_IS else plain(value)
        for name, value in cast("Mapping[str, Plain]", event.fields).items()
        if name not in _NESTED
    }
    prepare = _PREPARE.get(event.type)
    if prepare is not None:
        prepare(fields, event.fields)
    return fields


def _spread(facts: Facts, event: FactEvent, stamp: Stamp) -> list[_Step]:
    """Lay the fact down wherever its type is remembered."""
    kind, fields = event.type, _fields(event)
    steps: list[_Step] = []
    names = ACCOUNT_FIELDS.get(kind)
    if names is not None:
        said = {names[name]: value for name, value in fields.items() if name in names}
        told = tuple(said)
        if said:
            steps.append(_step(merge_fields(facts.account, stamp, said), told))
    steps += [
        _step(_enter(facts, kept, stamp, fields), (kept.name,))
        for kept in ENTRIES.get(kind, ())
        if kept.wants(fields)
    ]
    scoped = _SCOPED.get(kind)
    if scoped is not None:
        steps.append(scoped(facts, stamp, fields))
    return steps


def _enter(facts: Facts, kept: Kept, stamp: Stamp, fields: Fields) -> tuple[bool, Stamp | None]:
    entry = {name: fields[name] for name in kept.fields if name in fields}
    entries = facts.entries.get(kept.name)
    if entries is None:
        entries = facts.entries[kept.name] = {}
    if kept.key is None:
        return add_entry(entries, stamp, entry, kept.newest)
    return replace(entries, stamp, entry, kept.newest, kept.key)


def _step(result: tuple[bool, Stamp | None], names: tuple[str, ...]) -> _Step:
    return result[0], names, result[1]


def _contact(facts: Facts, stamp: Stamp, fields: Fields) -> _Step:
    contact_id = str(fields["contact_id"])
    said: Fields = {name: fields[name] for name in CONTACT_FIELDS if name in fields}
    said["left"] = False
    step = _person(facts, contact_id, stamp, said)
    if contact_id in facts.contacts and not facts.joined.get(contact_id, stamp) < stamp:
        changed = facts.joined.get(contact_id) != stamp
        facts.joined[contact_id] = stamp
        return changed or step[0], step[1], step[2]
    return step


def _contact_left(facts: Facts, stamp: Stamp, fields: Fields) -> _Step:
    return _person(facts, str(fields["contact_id"]), stamp, {"left": True})


def _person(facts: Facts, contact_id: str, stamp: Stamp, said: Fields) -> _Step:
    gone = make_room(facts.contacts, contact_id, CONTACTS_KEPT)
    if gone == contact_id:
        return _NOTHING
    if gone is not None:
        del facts.contacts[gone]
        facts.joined.pop(gone, None)
    return _step(merge_fields(facts.contacts.setdefault(contact_id, {}), stamp, said), ("contacts",))


def _contract(facts: Facts, stamp: Stamp, fields: Fields) -> _Step:
    contract_id = str(fields["contract_id"])
    said = {name: fields[name] for name in CONTRACT_FIELDS if name in fields}
    if not said:
        return _NOTHING
    gone = make_room(facts.contracts, contract_id, CONTRACTS_KEPT)
    if gone == contract_id:
        return _NOTHING
    if gone is not None:
        del facts.contracts[gone]
    contract = facts.contracts.setdefault(contract_id, Contract())
    term = {name: fields[name] for name in TERM_FIELDS if name in fields}
    did, conflict = merge_fields(contract.held, stamp, said)
    if term:
        kept, other = add_entry(contract.terms, stamp, term, TERMS_KEPT)
        did, conflict = did or kept, conflict or other
    if "arr" in fields:
        kept, other = add_entry(contract.revenues, stamp, {"arr": fields["arr"]}, REVENUES_KEPT)
        did, conflict = did or kept, conflict or other
    return did, ("contracts",), conflict


def _preference(facts: Facts, stamp: Stamp, fields: Fields) -> _Step:
    key = "\n".join(str(fields.get(name) or "") for name in ("contact_id", "topic", "channel"))
    said = {name: fields[name] for name in ("frequency", "opted_in") if name in fields}
    return _settled_under(facts.preferences, key, stamp, said, "preferences") if said else _NOTHING


def _paused(facts: Facts, stamp: Stamp, fields: Fields) -> _Step:
    said: Fields = {"paused": True, "until": fields.get("until"), "reason": fields.get("reason")}
    return _pause(facts, stamp, fields, said)


def _resumed(facts: Facts, stamp: Stamp, fields: Fields) -> _Step:
    return _pause(facts, stamp, fields, {"paused": False, "until": None, "reason": fields.get("reason")})


def _pause(facts: Facts, stamp: Stamp, fields: Fields, said: Fields) -> _Step:
    return _settled_under(facts.pauses, str(fields.get("contact_id") or ""), stamp, said, "pauses")


def _settled_under(kept: dict[str, StampedFields], key: str, stamp: Stamp, said: Fields, name: str) -> _Step:
    gone = make_room(kept, key, PREFERENCES_KEPT)
    if gone == key:
        return _NOTHING
    if gone is not None:
        del kept[gone]
    return _step(merge_fields(kept.setdefault(key, {}), stamp, said), (name,))


def _milestone(facts: Facts, stamp: Stamp, fields: Fields) -> _Step:
    if fields.get("kind") != "go_live":
        return _NOTHING
    return keep_earliest(facts.entries.setdefault(WENT_LIVE, {}), stamp, {}), (WENT_LIVE,), None


_SCOPED = {
    "contact.described": _contact,
    "contact.left": _contact_left,
    "contract.changed": _contract,
    "milestone.reached": _milestone,
    "preference.changed": _preference,
    "outreach.paused": _paused,
    "outreach.resumed": _resumed,
}


def _health(fields: Fields, _raw: Mapping[str, object]) -> None:
    # A score without a colour asks for the derived colour; an older explicit one must not outlive it.
    fields.setdefault("color", None)


def _usage(fields: Fields, raw: Mapping[str, object]) -> None:
    start, end, events = fields.get("period_start"), fields.get("period_end"), fields.get("events")
    if isinstance(start, int) and isinstance(end, int) and isinstance(events, int | float) and start < end:
        fields["daily"] = events * DAY / (end - start)
    limits = cast("Mapping[str, Mapping[str, float | None]] | None", raw.get("limits"))
    if "limits" not in raw:
        return
    ratios = [
        (each.get("used") or 0) / limit for each in (limits or {}).values() if (limit := each.get("limit"))
    ]
    fields["limit_ratio"] = max(ratios) if ratios else None


def _touch(fields: Fields, _raw: Mapping[str, object]) -> None:
    # Contact that names no type is contact all the same, of a type of its own.
    fields["touch"] = fields.get("touchpoint_type") or ""


def _delivery(fields: Fields, raw: Mapping[str, object]) -> None:
    recipient = cast("Mapping[str, object]", raw.get("recipient") or {})
    fields["recipient_kind"] = str(recipient.get("kind", "contact"))
    fields["touch"] = fields.get("touchpoint_type") or ""


_PREPARE = {
    "health.scored": _health,
    "usage.reported": _usage,
    "interaction.logged": _touch,
    "touchpoint.settled": _touch,
    "delivery.finished": _delivery,
}


def upgrade(facts: Facts) -> None:
    """Bring what an earlier version remembered (format 1) into the shape of this one."""
    facts.joined.update((key, min(held)) for key, held in facts.contacts.items() if held)
    old = facts.entries
    facts.entries = {}
    for kind, entries in old.items():
        for stamp, fields in entries.items():
            _spread_entry(facts, kind, stamp, fields)
    for contract in facts.contracts.values():
        for stamp, said in contract.held.items():
            if "arr" in said:
                add_entry(contract.revenues, stamp, {"arr": said["arr"]}, REVENUES_KEPT)


def _spread_entry(facts: Facts, kind: str, stamp: Stamp, fields: Fields) -> None:
    said = {**fields, "touch": fields.get("touchpoint_type") or ""}
    for kept in ENTRIES.get(kind, ()):
        if kept.wants(said):
            _enter(facts, kept, stamp, said)
    if kind == "milestone.reached":
        _milestone(facts, stamp, said)
