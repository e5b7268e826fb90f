"""Apply facts: any order and any number of repetitions of the same events give the same facts."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from hashlib import blake2b
from typing import cast

import orjson

from services.cadence.account.contracts import apply_contract
from services.cadence.account.erasure import without_erased
from services.cadence.account.identity import name_key
from services.cadence.account.merging import (
    LAST,
    add_latest,
    add_newest,
    add_statement,
    make_room,
    merge_fields,
)
from services.cadence.account.retention import ACCOUNT_FIELDS, ENTRY_RULES, STAKEHOLDERS, EntryRule
from services.cadence.account.stamps import (
    Entries,
    Fields,
    Plain,
    Stamp,
    StampedFields,
    earliest,
    plain,
    provenance_of,
    stamp_of,
    when,
)
from services.cadence.account.state import OWN_ACT, ApplyResult, FactEvent, Facts
from services.cadence.account.usage import apply_usage
from services.cadence.account.usage_details import derive_limit_ratio, derive_usage_details

_Result = tuple[bool, Stamp | None]
"""Whether anything changed, and a stamp of the same (source, id) with other content."""
_UNCHANGED: _Result = (False, None)
CONTACT_FIELDS = ("name", "email", "role", "language", "timezone", "phone", "slack")
CONTACTS_KEPT, PREFERENCES_KEPT = 1_000, 4_000
"""Limits against runaway producers, far above any real account. Beyond them stakeholders stay before other contacts, and
the ids first in alphabetical order."""
_SCALARS = frozenset({str, int, float, bool, type(None)})
_NOT_STORED = frozenset({"limits", "features", "comment", "detail", "recipient"})


def apply_fact(facts: Facts, event: FactEvent) -> ApplyResult:
    """Apply one event in place; one of a type that is not stored moves only `first_event_at`. Takes microseconds."""
    stamp = stamp_of(event.provenance)
    at, first = when(stamp), facts.first_event_at
    if facts.erased:
        event = without_erased(facts, event, at)
    known_first = facts.first_event
    changed = first is None or at < first or (at == first and (known_first is None or stamp < known_first))
    if changed:
        facts.first_event_at, facts.first_event = at, stamp
    changed_fields: tuple[str, ...] = ()
    conflict: Stamp | None = None
    let_go: list[str] = []
    for names, (part_changed, other_content) in _apply_parts(facts, event, stamp, let_go):
        if part_changed:
            changed = True
            changed_fields += names
        if other_content is not None and (conflict is None or other_content > conflict):
            conflict = other_content
    other = None if conflict is None else provenance_of(conflict)
    return ApplyResult(changed, changed_fields, other, tuple(let_go))


def _apply_parts(
    facts: Facts, event: FactEvent, stamp: Stamp, let_go: list[str]
) -> list[tuple[tuple[str, ...], _Result]]:
    """Apply the event to all parts of the facts that store its type: (names, result) of each part."""
    event_type, fields = event.type, _stored_fields(event)
    results: list[tuple[tuple[str, ...], _Result]] = []
    names = ACCOUNT_FIELDS.get(event_type)
    if names is not None:
        values = {names[name]: value for name, value in fields.items() if name in names}
        if values:
            results.append((tuple(values), merge_fields(facts.account, stamp, values)))
    for rule in ENTRY_RULES.get(event_type, ()):
        if rule.accepts(fields):
            entries = facts.entries.get(rule.name, {})
            before = tuple(entries) if rule.looks_back and len(entries) >= rule.limit else ()
            results.append(((rule.name,), add_entry(facts, rule, stamp, fields)))
            if before and _lets_go(rule, facts.entries[rule.name], before, stamp):
                let_go.append(rule.name)
    part = _PARTS.get(event_type)
    if part is not None:
        name, apply = part
        results.append(((name,), apply(facts, stamp, fields)))
    return results


def _stored_fields(event: FactEvent) -> Fields:
    fields = {
        name: value if type(value) in _SCALARS else plain(value)
        for name, value in cast("Fields", event.fields).items()
        if name not in _NOT_STORED
    }
    derive = _DERIVED.get(event.type)
    if derive is not None:
        derive(fields, event.fields)
    return fields


def add_entry(facts: Facts, rule: EntryRule, stamp: Stamp, fields: Fields) -> _Result:
    """Add a dated entry by its rule. Returns like `merge_fields`."""
    entry = {name: fields[name] for name in rule.fields if name in fields}
    entries = facts.entries.setdefault(rule.name, {})
    if rule.newest_of is not None:
        return add_newest(entries, stamp, entry, rule.limit, rule.newest_of)
    if rule.latest_of is not None:
        return add_latest(entries, stamp, entry, rule.limit, rule.latest_of)
    return add_statement(entries, stamp, entry, rule.limit, rule.gap_of(entry))


def _lets_go(rule: EntryRule, entries: Entries, before: Iterable[Stamp], stamp: Stamp) -> bool:
    """Whether a full kind lost an entry so recent that conditions may look back at it."""
    if len(entries) < rule.limit:
        return False
    recent = earliest(when(next(reversed(entries), stamp)) - rule.looks_back + 1)
    gone = [other for other in (*before, stamp) if other >= recent and other not in entries]
    return bool(gone) and not {str(fields.get(LAST)) for fields in entries.values()}.issuperset(gone)


def _apply_contact(facts: Facts, stamp: Stamp, fields: Fields) -> _Result:
    contact_id = str(fields["contact_id"])
    values: Fields = {name: fields[name] for name in CONTACT_FIELDS if name in fields}
    away = facts.away.get(contact_id)
    if away is not None:
        changed, conflict = merge_fields(away.fields, stamp, values)
        earlier = away.joined is None or stamp < away.joined
        away.joined = stamp if earlier else away.joined
        return changed or earlier, conflict
    if not make_room_for_contact(facts, contact_id, [fields.get("role")]):
        return _UNCHANGED
    changed, conflict = merge_fields(facts.contacts.setdefault(contact_id, {}), stamp, values)
    return keep_earliest(facts.joined, contact_id, stamp) or changed, conflict


def _apply_contact_left(facts: Facts, _stamp: Stamp, fields: Fields) -> _Result:
    """The entry says that somebody left; a contact nobody described is shown as well."""
    contact_id = str(fields["contact_id"])
    is_stored = contact_id in facts.contacts or contact_id in facts.away
    if is_stored or not make_room_for_contact(facts, contact_id):
        return _UNCHANGED
    facts.contacts[contact_id] = {}
    return True, None


def make_room_for_contact(facts: Facts, contact_id: str, roles: Iterable[Plain] = ()) -> bool:
    """Make room for a contact with these roles; stakeholders stay before others. Whether it may be stored."""

    def rank(key: str) -> tuple[bool, str]:
        known = [fields.get("role") for fields in facts.contacts.get(key, {}).values()]
        return STAKEHOLDERS.isdisjoint([*known, *roles] if key == contact_id else known), key

    deleted = make_room(facts.contacts, contact_id, CONTACTS_KEPT, rank)
    facts.joined.pop(deleted or "", None)
    return deleted != contact_id


def _apply_contract(facts: Facts, stamp: Stamp, fields: Fields) -> _Result:
    return apply_contract(facts.contracts, stamp, fields)


def _apply_preference(facts: Facts, stamp: Stamp, fields: Fields) -> _Result:
    key = "\n".join(str(fields.get(name) or "") for name in ("contact_id", "topic", "channel"))
    key += OWN_ACT if fields.get("by_contact") is True else ""
    values = {name: fields[name] for name in ("frequency", "opted_in") if name in fields}
    if not values and fields.get("channel") is not None:
        values["preferred"] = True
    return _merge_under(facts.preferences, key, stamp, values) if values else _UNCHANGED


def _apply_pause(facts: Facts, stamp: Stamp, fields: Fields, *, paused: bool) -> _Result:
    until = fields.get("until") if paused else None
    values: Fields = {"paused": paused, "until": until, "reason": fields.get("reason")}
    return _merge_under(facts.pauses, str(fields.get("contact_id") or ""), stamp, values)


def _merge_under(stored: dict[str, StampedFields], key: str, stamp: Stamp, values: Fields) -> _Result:
    if make_room(stored, key, PREFERENCES_KEPT) == key:
        return _UNCHANGED
    return merge_fields(stored.setdefault(key, {}), stamp, values)


def _apply_merge(facts: Facts, stamp: Stamp, fields: Fields) -> _Result:
    """Note which account ended; its facts are merged by `merge.merge_states`."""
    return keep_earliest(facts.merged, str(fields["from_"]), stamp), None


def keep_earliest(stamps: dict[str, Stamp], key: str, stamp: Stamp) -> bool:
    """Keep the earliest stamp of each key; whether it changed."""
    if key in stamps and stamps[key] <= stamp:
        return False
    stamps[key] = stamp
    return True


_PARTS: Mapping[str, tuple[str, Callable[[Facts, Stamp, Fields], _Result]]] = {
    "account.merged": ("merged", _apply_merge),
    "contact.described": ("contacts", _apply_contact),
    "contact.left": ("contacts", _apply_contact_left),
    "contract.changed": ("contracts", _apply_contract),
    "preference.changed": ("preferences", _apply_preference),
    "outreach.paused": ("pauses", partial(_apply_pause, paused=True)),
    "outreach.resumed": ("pauses", partial(_apply_pause, paused=False)),
    "usage.reported": ("usage", lambda facts, stamp, fields: apply_usage(facts.usage, stamp, fields)),
}


def _derive_color(fields: Fields, _data: Mapping[str, object]) -> None:
    # Without a colour the policy derives it from the score; an older explicit colour must not outlive that score.
    fields.setdefault("color", None)


def _derive_content(fields: Fields, _data: Mapping[str, object]) -> None:
    fields["content"] = description_of(fields)


def description_of(fields: Fields) -> str:
    """Twelve hex digits that stand for what is told of a contact: a nightly list does not bring back who left."""
    described = {name: fields[name] for name in ("contact_id", *CONTACT_FIELDS) if name in fields}
    return blake2b(orjson.dumps(described, option=orjson.OPT_SORT_KEYS), digest_size=6).hexdigest()


def _derive_usage(fields: Fields, data: Mapping[str, object]) -> None:
    derive_limit_ratio(fields, data)
    derive_usage_details(fields, data)


def _derive_about(fields: Fields, data: Mapping[str, object]) -> None:
    detail = name_key(data.get("detail"))
    if detail:
        fields["about"] = blake2b(detail.encode(), digest_size=6).hexdigest()


def _derive_touch(fields: Fields, _data: Mapping[str, object]) -> None:
    # Contact without a touchpoint type counts as contact of a type of its own, "".
    fields["touch"] = fields.get("touchpoint_type") or ""


def _derive_delivery(fields: Fields, data: Mapping[str, object]) -> None:
    recipient = cast("Mapping[str, object]", data.get("recipient") or {})
    fields["recipient_kind"] = str(recipient.get("kind", "contact"))
    fields["touch"] = fields.get("touchpoint_type") or ""


def _derive_answer(fields: Fields, data: Mapping[str, object]) -> None:
    """What is known of an invitation by this answer. Where others of the customer may come, it is not declined."""
    if fields.get("touchpoint_id") is None or fields.get("touchpoint_type") is None:
        return
    if fields.get("kind") in ("accepted", "declined"):
        is_declined = fields["kind"] == "declined" and data.get("declined_by_all") is not False
        fields["answer"] = "declined" if is_declined else "open"


_DERIVED: Mapping[str, Callable[[Fields, Mapping[str, object]], None]] = {
    "health.scored": _derive_color,
    "contact.described": _derive_content,
    "expansion.signalled": _derive_about,
    "usage.reported": _derive_usage,
    "interaction.logged": _derive_touch,
    "touchpoint.settled": _derive_touch,
    "message.engaged": _derive_answer,
    "delivery.finished": _derive_delivery,
}
