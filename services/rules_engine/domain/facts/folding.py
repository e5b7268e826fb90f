"""Folding: one fact into the memory, in any order and any number of times to the same end."""

from collections.abc import Mapping
from typing import cast

from services.rules_engine.domain.facts.kinds import (
    ACCOUNT_FIELDS,
    CONTACT_FIELDS,
    CONTACTS_KEPT,
    CONTRACT_FIELDS,
    ENTRIES,
    TERM_FIELDS,
    TERMS_KEPT,
)
from services.rules_engine.domain.facts.memory import Change, Contract, FactEvent, Facts
from services.rules_engine.domain.facts.stamps import (
    DAY,
    Entries,
    Fields,
    Held,
    Mark,
    Plain,
    identity,
    mark_of,
    plain,
    stamp_of,
    when,
)


def settle(held: Held, mark: Mark, said: Fields) -> tuple[bool, Mark | None]:
    """Let `said` take each field whose present owner is older. Returns (anything changed, a conflicting mark)."""
    conflict: Mark | None = None
    emptied: list[Mark] = []
    own = identity(mark)
    for other, fields in held.items():
        if other == mark:
            continue
        if own in other:
            conflict = other
        if not fields.keys().isdisjoint(said):
            _yield_to(*((fields, said) if other > mark else (said, fields)))
            if not fields:
                emptied.append(other)
    for other in emptied:
        del held[other]
    if not said or held.get(mark) == said:
        return False, conflict
    held[mark] = said
    return True, conflict


def _yield_to(newer: Fields, older: Fields) -> None:
    for name in newer.keys() & older.keys():
        del older[name]


def remember(entries: Entries, mark: Mark, fields: Fields, newest: int) -> tuple[bool, Mark | None]:
    """Keep a dated entry once per (source, id), the newest `newest` by stamp. Returns like `settle`."""
    if mark in entries:
        return False, None
    own, conflict = identity(mark), None
    # One search through all of them is three times faster than one in each, and mostly finds nothing.
    if own in "".join(entries):
        conflict = next(other for other in entries if own in other)
        if conflict > mark:
            return False, conflict
        del entries[conflict]
    if len(entries) >= newest and mark < next(iter(entries)):
        return False, conflict
    late = bool(entries) and mark < next(reversed(entries))
    entries[mark] = fields
    if late:
        ordered = sorted(entries.items())
        entries.clear()
        entries.update(ordered)
    if len(entries) > newest:
        del entries[next(iter(entries))]
    return True, conflict


def fold(facts: Facts, event: FactEvent) -> Change:
    """Hear one fact. A type nobody remembers only moves `first_heard`. Cost: a few microseconds."""
    mark = mark_of(event.stamp)
    at, heard = when(mark), facts.first_heard
    changed = heard is None or at < heard
    if changed:
        facts.first_heard = at
    told: tuple[str, ...] = ()
    conflict: Mark | None = None
    for did, names, other in _spread(facts, event, mark):
        if did:
            changed = True
            told += names
        if other is not None and (conflict is None or other > conflict):
            conflict = other
    return Change(changed, told, None if conflict is None else stamp_of(conflict))


_Step = tuple[bool, tuple[str, ...], Mark | None]
_AS_IT_IS = frozenset({str, int, float, bool, type(None)})
_NESTED = frozenset({"limits", "features", "notes", "comment", "detail"})


def _fields(event: FactEvent) -> Fields:
    fields = {
        name: cast("Plain", value) if type(value) in _AS_IT_IS else plain(value)
        for name, value in event.fields.items()
        if name not in _NESTED
    }
    prepare = _PREPARE.get(event.type)
    if prepare is not None:
        prepare(fields, event.fields)
    return fields


def _spread(facts: Facts, event: FactEvent, mark: Mark) -> list[_Step]:
    """Lay the fact down wherever its type is remembered."""
    kind, fields = event.type, _fields(event)
    steps: list[_Step] = []
    names = ACCOUNT_FIELDS.get(kind)
    if names is not None:
        said = {names[name]: value for name, value in fields.items() if name in names}
        told = tuple(said)
        if said:
            steps.append(_step(settle(facts.account, mark, said), told))
    kept = ENTRIES.get(kind)
    if kept is not None and (kind != "contact.described" or "role" in fields):
        entry = {name: fields[name] for name in kept.fields if name in fields}
        entries = facts.entries.get(kind)
        if entries is None:
            entries = facts.entries[kind] = {}
        steps.append(_step(remember(entries, mark, entry, kept.newest), (kind,)))
    scoped = _SCOPED.get(kind)
    if scoped is not None:
        steps.append(scoped(facts, mark, fields))
    return steps


def _step(result: tuple[bool, Mark | None], names: tuple[str, ...]) -> _Step:
    return result[0], names, result[1]


def _contact(facts: Facts, mark: Mark, fields: Fields) -> _Step:
    contact_id = str(fields["contact_id"])
    said: Fields = {name: fields[name] for name in CONTACT_FIELDS if name in fields}
    said["left"] = False
    return _person(facts, contact_id, mark, said)


def _contact_left(facts: Facts, mark: Mark, fields: Fields) -> _Step:
    return _person(facts, str(fields["contact_id"]), mark, {"left": True})


def _person(facts: Facts, contact_id: str, mark: Mark, said: Fields) -> _Step:
    result = settle(facts.contacts.setdefault(contact_id, {}), mark, said)
    if len(facts.contacts) > CONTACTS_KEPT:
        oldest = min(facts.contacts, key=lambda key: (max(facts.contacts[key]), key))
        del facts.contacts[oldest]
    return _step(result, ("contacts",))


def _contract(facts: Facts, mark: Mark, fields: Fields) -> _Step:
    contract = facts.contracts.setdefault(str(fields["contract_id"]), Contract())
    said = {name: fields[name] for name in CONTRACT_FIELDS if name in fields}
    term = {name: fields[name] for name in TERM_FIELDS if name in fields}
    did, conflict = settle(contract.held, mark, said) if said else (False, None)
    if term:
        kept, other = remember(contract.terms, mark, term, TERMS_KEPT)
        did, conflict = did or kept, conflict or other
    return did, ("contracts",), conflict


def _preference(facts: Facts, mark: Mark, fields: Fields) -> _Step:
    key = "\n".join(str(fields.get(name) or "") for name in ("contact_id", "topic", "channel"))
    said = {name: fields[name] for name in ("frequency", "opted_in") if name in fields}
    if not said:
        return False, (), None
    return _step(settle(facts.preferences.setdefault(key, {}), mark, said), ("preferences",))


def _paused(facts: Facts, mark: Mark, fields: Fields) -> _Step:
    said: Fields = {"paused": True, "until": fields.get("until"), "reason": fields.get("reason")}
    return _pause(facts, mark, fields, said)


def _resumed(facts: Facts, mark: Mark, fields: Fields) -> _Step:
    return _pause(facts, mark, fields, {"paused": False, "until": None, "reason": fields.get("reason")})


def _pause(facts: Facts, mark: Mark, fields: Fields, said: Fields) -> _Step:
    key = str(fields.get("contact_id") or "")
    return _step(settle(facts.pauses.setdefault(key, {}), mark, said), ("pauses",))


_SCOPED = {
    "contact.described": _contact,
    "contact.left": _contact_left,
    "contract.changed": _contract,
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


_PREPARE = {"health.scored": _health, "usage.reported": _usage}
