"""Merge two accounts into one: the state that all events of both would have given, had they been of one account.

Each part is merged by the function that also applies events to it: parts are sets that grow, and fields that belong to
the newest event.
"""

from typing import Final

from services.cadence.account.codec import AccountState
from services.cadence.account.erasure import drop_erased
from services.cadence.account.folding import (
    CONTACTS_KEPT,
    CONTRACTS_KEPT,
    PREFERENCES_KEPT,
    REVENUES_KEPT,
    TERMS_KEPT,
    keep_earliest,
)
from services.cadence.account.issued import Issued, add_time
from services.cadence.account.merging import add_entry, make_room, merge_fields
from services.cadence.account.retention import ENTRY_RULES, WENT_LIVE
from services.cadence.account.stamps import Entries, StampedFields
from services.cadence.account.state import AwayContact, Contract, Facts

_RULES: Final = {rule.name: rule for rules in ENTRY_RULES.values() for rule in rules}


def merge_states(into: AccountState, ended: AccountState) -> None:
    """Add everything of the ended account. Both states are changed; the ended one is of no use afterwards."""
    merge_facts(into.facts, ended.facts)
    merge_issued(into.issued, ended.issued)


def merge_facts(into: Facts, ended: Facts) -> None:
    """Add the facts of the ended account; see `merge_states`."""
    drop_erased(into, ended.erased)
    drop_erased(ended, into.erased)
    for key, at in ended.erased.items():
        into.erased[key] = max(at, into.erased.get(key, at))
    into.first_event_at = min(
        (at for at in (into.first_event_at, ended.first_event_at) if at is not None), default=None
    )
    _merge_stamped(into.account, ended.account)
    _merge_people(into, ended)
    for key, contract in ended.contracts.items():
        if make_room(into.contracts, key, CONTRACTS_KEPT) != key:
            _merge_contract(into.contracts.setdefault(key, Contract()), contract)
    _merge_keyed(into.preferences, ended.preferences, PREFERENCES_KEPT)
    _merge_keyed(into.pauses, ended.pauses, PREFERENCES_KEPT)
    for name, entries in ended.entries.items():
        _merge_entries(into, name, entries)
    for account_id, stamp in ended.merged.items():
        keep_earliest(into.merged, account_id, stamp)


def merge_issued(into: Issued, ended: Issued) -> None:
    """Add the issued touchpoints of the ended account: cool-downs, caps and limits go on."""
    for kind, times in ended.times.items():
        for touchpoint_id, time in times.items():
            add_time(into, kind, touchpoint_id, time)
    for touchpoint_id, stamped in ended.one_offs.items():
        _merge_stamped(into.one_offs.setdefault(touchpoint_id, {}), stamped)
    occurrences = {key for times in into.times.values() for key, time in times.items() if time[0]}
    for key in occurrences & into.one_offs.keys():
        # What came due and was no one-off then is an occurrence: its outcome alone does not make it one.
        if not any("due_at" in fields for fields in into.one_offs[key].values()):
            del into.one_offs[key]


def _merge_stamped(into: StampedFields, other: StampedFields) -> None:
    for stamp, fields in other.items():
        merge_fields(into, stamp, {**into.get(stamp, {}), **fields})


def _merge_keyed(into: dict[str, StampedFields], other: dict[str, StampedFields], limit: int) -> None:
    for key, stamped in other.items():
        if make_room(into, key, limit) != key:
            _merge_stamped(into.setdefault(key, {}), stamped)


def _merge_people(into: Facts, ended: Facts) -> None:
    """A contact that is at home in one of the two accounts is at home in the merged one."""
    for key in ended.contacts.keys() & into.away.keys():
        _bring_home(into, key)
    for key in into.contacts.keys() & ended.away.keys():
        _bring_home(ended, key)
    _merge_keyed(into.contacts, ended.contacts, CONTACTS_KEPT)
    for key, stamp in ended.joined.items():
        keep_earliest(into.joined, key, stamp)
    for key in into.joined.keys() - into.contacts.keys():
        del into.joined[key]
    for key, away in ended.away.items():
        stored = into.away.setdefault(key, AwayContact({}, away.joined))
        _merge_stamped(stored.fields, away.fields)
        stored.joined = min((each for each in (stored.joined, away.joined) if each), default=None)


def _bring_home(facts: Facts, key: str) -> None:
    away = facts.away.pop(key)
    facts.contacts[key] = away.fields
    if away.joined is not None:
        facts.joined[key] = away.joined


def _merge_contract(into: Contract, other: Contract) -> None:
    _merge_stamped(into.fields, other.fields)
    for stamp, term in other.terms.items():
        add_entry(into.terms, stamp, term, TERMS_KEPT)
    for stamp, revenue in other.revenues.items():
        add_entry(into.revenues, stamp, revenue, REVENUES_KEPT)


def _merge_entries(facts: Facts, name: str, entries: Entries) -> None:
    rule = _RULES.get(name)
    stored = facts.entries.setdefault(name, {})
    for stamp, fields in entries.items():
        add_entry(stored, stamp, fields, len(stored) + 1 if rule is None else rule.limit, rule and rule.key)
    if name == WENT_LIVE:
        for stamp in sorted(stored)[1:]:
            del stored[stamp]
