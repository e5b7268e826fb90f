"""Merge two accounts into one: the state that all events of both would have given, had they been of one account.

Each part is merged by the rules by which events are applied to it, in a function of its own: parts are statements with
their first and last telling, sets that grow, and fields that belong to the newest event.
"""

from collections.abc import Callable
from typing import Final

from services.cadence.account.codec import AccountState
from services.cadence.account.contracts import merge_contracts
from services.cadence.account.erasure import drop_erased
from services.cadence.account.folding import (
    PREFERENCES_KEPT,
    keep_earliest,
    make_room_for_contact,
)
from services.cadence.account.issued import Issued, add_time
from services.cadence.account.merging import add_latest, add_newest, make_room, merge_fields, merge_statements
from services.cadence.account.retention import ENTRY_RULES, EntryRule
from services.cadence.account.stamps import StampedFields
from services.cadence.account.state import AwayContact, Facts
from services.cadence.account.usage_merge import merge_usage
from services.cadence.account.verdicts import merge_verdicts

_RULES: Final = {rule.name: rule for rules in ENTRY_RULES.values() for rule in rules}


def merge_states(into: AccountState, ended: AccountState) -> None:
    """Add everything of the ended account. Both states are changed; the ended one is of no use afterwards."""
    for merge_part in _PARTS:
        merge_part(into.facts, ended.facts)
    merge_issued(into.issued, ended.issued)


def merge_issued(into: Issued, ended: Issued) -> None:
    """Add the issued touchpoints of the ended account: cool-downs, caps and limits go on."""
    for kind, times in ended.times.items():
        for touchpoint_id, time in times.items():
            add_time(into, kind, touchpoint_id, time)
    for touchpoint_id, stamped in ended.one_offs.items():
        _merge_stamped(into.one_offs.setdefault(touchpoint_id, {}), stamped)
    merge_verdicts(into.verdicts, ended.verdicts)
    occurrences = {key for times in into.times.values() for key, time in times.items() if time[0]}
    for key in occurrences & into.one_offs.keys():
        # What came due and was no one-off then is an occurrence: its outcome alone does not make it one.
        if not any("due_at" in fields for fields in into.one_offs[key].values()):
            del into.one_offs[key]


def _merge_erasures(into: Facts, ended: Facts) -> None:
    """What one account erased does not come back from the other. Before all other parts."""
    drop_erased(into, ended.erased)
    drop_erased(ended, into.erased)
    for key, at in ended.erased.items():
        into.erased[key] = max(at, into.erased.get(key, at))


def _merge_account(into: Facts, ended: Facts) -> None:
    firsts = [(facts.first_event_at, facts.first_event) for facts in (into, ended)]
    known = [(at, event) for at, event in firsts if at is not None]
    if known:
        into.first_event_at = min(at for at, _ in known)
        events = [event for at, event in known if at == into.first_event_at and event is not None]
        into.first_event = min(events, default=None)
    _merge_stamped(into.account, ended.account)
    for account_id, stamp in ended.merged.items():
        keep_earliest(into.merged, account_id, stamp)


def _merge_people(into: Facts, ended: Facts) -> None:
    """A contact that is at home in one of the two accounts is at home in the merged one."""
    for key in ended.contacts.keys() & into.away.keys():
        _bring_home(into, key)
    for key in into.contacts.keys() & ended.away.keys():
        _bring_home(ended, key)
    for key, stamped in ended.contacts.items():
        if make_room_for_contact(into, key, [fields.get("role") for fields in stamped.values()]):
            _merge_stamped(into.contacts.setdefault(key, {}), stamped)
    for key, stamp in ended.joined.items():
        if key in into.contacts:
            keep_earliest(into.joined, key, stamp)
    for key, away in ended.away.items():
        stored = into.away.setdefault(key, AwayContact({}, away.joined))
        _merge_stamped(stored.fields, away.fields)
        stored.joined = min((each for each in (stored.joined, away.joined) if each), default=None)


def _bring_home(facts: Facts, key: str) -> None:
    away = facts.away.pop(key)
    facts.contacts[key] = away.fields
    if away.joined is not None:
        facts.joined[key] = away.joined


def _merge_contracts(into: Facts, ended: Facts) -> None:
    merge_contracts(into.contracts, ended.contracts)


def _merge_usage(into: Facts, ended: Facts) -> None:
    merge_usage(into.usage, ended.usage)


def _merge_preferences(into: Facts, ended: Facts) -> None:
    """Preferences and pauses."""
    for stored, other in ((into.preferences, ended.preferences), (into.pauses, ended.pauses)):
        for key, stamped in other.items():
            if make_room(stored, key, PREFERENCES_KEPT) != key:
                _merge_stamped(stored.setdefault(key, {}), stamped)


def _merge_entries(into: Facts, ended: Facts) -> None:
    for name, entries in ended.entries.items():
        rule = _RULES.get(name) or EntryRule(name, ())
        stored = into.entries.setdefault(name, {})
        if rule.latest_of is None and rule.newest_of is None:
            merge_statements(stored, entries, rule.limit, rule.gap_of)
            continue
        for stamp, fields in entries.items():
            if rule.newest_of is not None:
                add_newest(stored, stamp, fields, rule.limit, rule.newest_of)
            elif rule.latest_of is not None:
                add_latest(stored, stamp, fields, rule.limit, rule.latest_of)


def _merge_stamped(into: StampedFields, other: StampedFields) -> None:
    for stamp, fields in other.items():
        merge_fields(into, stamp, {**into.get(stamp, {}), **fields})


_PARTS: Final[tuple[Callable[[Facts, Facts], None], ...]] = (
    _merge_erasures,
    _merge_account,
    _merge_people,
    _merge_contracts,
    _merge_usage,
    _merge_preferences,
    _merge_entries,
)
"""What merges each part of the facts of the ended account into those of the account that stays."""
