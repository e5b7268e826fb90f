"""Merge rules: each gives the same result whatever the order of the events and however often they are applied."""

from collections.abc import Callable
from typing import TypeVar

from services.cadence.account.stamps import DIGITS, Entries, Fields, Stamp, StampedFields, identity, when

_Item = TypeVar("_Item")
LAST = "last_told"
"""The name under which an entry has the stamp of its last telling."""
SUPERSEDED = "superseded"
"""The mark of an entry that was corrected."""


def merge_fields(stored: StampedFields, stamp: Stamp, fields: Fields) -> tuple[bool, Stamp | None]:
    """Give each of `fields` to `stamp` unless a newer stamp has it; `fields` loses those and is then stored itself.

    Returns whether anything changed, and a stamp of the same (source, id) with other content.
    """
    conflict: Stamp | None = None
    emptied: list[Stamp] = []
    own = identity(stamp)
    for other, other_fields in stored.items():
        if other == stamp:
            continue
        if own in other:
            conflict = other
        if not other_fields.keys().isdisjoint(fields):
            _remove_older(*((other_fields, fields) if other > stamp else (fields, other_fields)))
            if not other_fields:
                emptied.append(other)
    for other in emptied:
        del stored[other]
    if not fields or stored.get(stamp) == fields:
        return False, conflict
    stored[stamp] = fields
    return True, conflict


def _remove_older(newer: Fields, older: Fields) -> None:
    for name in newer.keys() & older.keys():
        del older[name]


def add_statement(
    entries: Entries, stamp: Stamp, fields: Fields, limit: int, gap: int
) -> tuple[bool, Stamp | None]:
    """Keep equal content told within `gap` microseconds of another telling once, under its first telling.

    `LAST` of an entry is its last telling, where there are several. Of all entries the newest `limit` are kept. An entry
    all of whose tellings were corrected under their own (source, id) is marked `SUPERSEDED`; every mark follows from the
    stored tellings alone. Returns like `merge_fields`.
    """
    if stamp in entries:
        return False, None
    # One pass finds those with marks; most have none, and comparing whole dictionaries is the fastest way to find equals.
    marked = {first: stored for first, stored in entries.items() if LAST in stored or SUPERSEDED in stored}
    conflict = _other_content(entries, stamp)
    if gap or marked or stamp[:DIGITS] <= next(reversed(entries), ""):
        same = [
            first
            for first, stored in entries.items()
            if (stored == fields or (first in marked and _says(stored, fields)))
            and _is_near(first, stored, stamp, gap)
        ]
    else:
        same = []
    first, last = min(*same, stamp) if same else stamp, stamp
    for key in same:
        last = max(last, str(entries[key].get(LAST, key)))
    if len(same) == 1 and first == same[0] and last == entries[first].get(LAST, first):
        return False, conflict
    is_superseding = conflict is not None or any(SUPERSEDED in stored for stored in marked.values())
    for key in same:
        del entries[key]
    changed = _insert(entries, first, fields if first == last else {**fields, LAST: last}, limit)
    if is_superseding:
        _mark_superseded(entries)
    return changed or bool(same), conflict


def merge_statements(into: Entries, other: Entries, limit: int, gap_of: Callable[[Fields], int]) -> None:
    """Add the statements that another account has of the same kind, each with its first and its last telling.

    `gap_of` gives the gap of a content as in `add_statement`. Up to the limit this is what the
    tellings of both lead to in one account.
    """
    for stamp, stored in other.items():
        fields = {name: value for name, value in stored.items() if name not in {LAST, SUPERSEDED}}
        first, last, gap = stamp, str(stored.get(LAST, stamp)), gap_of(fields)
        for key in [key for key, known in into.items() if _says(known, fields)]:
            until = str(into[key].get(LAST, key))
            if when(key) - gap <= when(last) and when(first) - gap <= when(until):
                del into[key]
                first, last = min(first, key), max(last, until)
        into[first] = fields if first == last else {**fields, LAST: last}
    newest = sorted(into.items())[-limit:]
    into.clear()
    into.update(newest)
    _mark_superseded(into)


def newest_stamp(entries: Entries) -> Stamp | None:
    """The newest stored telling."""
    return max((str(fields.get(LAST, first)) for first, fields in entries.items()), default=None)


def _other_content(entries: Entries, stamp: Stamp) -> Stamp | None:
    """A stored telling of the same (source, id) with another content."""
    own = identity(stamp)
    stamps = [*entries, *[str(stored[LAST]) for stored in entries.values() if LAST in stored]]
    # One search in the joined stamps is three times faster than one in each, and mostly finds nothing.
    if own not in "".join(stamps):
        return None
    return next((other for other in stamps if own in other and other != stamp), None)


def _is_near(first: Stamp, stored: Fields, stamp: Stamp, gap: int) -> bool:
    if not gap:
        return first[:DIGITS] <= stamp[:DIGITS] <= str(stored.get(LAST, first))[:DIGITS]
    at = when(stamp)
    return when(first) - gap <= at <= when(str(stored.get(LAST, first))) + gap


def _says(stored: Fields, fields: Fields) -> bool:
    marks = (LAST in stored) + (SUPERSEDED in stored)
    return len(stored) - marks == len(fields) and fields.items() <= stored.items()


def _mark_superseded(entries: Entries) -> None:
    stamps_of = {first: {first, str(stored.get(LAST, first))} for first, stored in entries.items()}
    newest: dict[str, Stamp] = {}
    for stamp in sorted(stamp for stamps in stamps_of.values() for stamp in stamps):
        newest[identity(stamp)] = stamp
    for first, stored in entries.items():
        fields = {name: value for name, value in stored.items() if name != SUPERSEDED}
        stands = any(newest[identity(stamp)] == stamp for stamp in stamps_of[first])
        entries[first] = fields if stands else {**fields, SUPERSEDED: True}


def add_latest(
    entries: Entries, stamp: Stamp, fields: Fields, limit: int, key: str
) -> tuple[bool, Stamp | None]:
    """Keep of the entries with the same value in the field `key` the latest, and of all the newest `limit`.

    The latest has the greatest `at`, else time. Returns like `merge_fields`.
    """
    if stamp in entries:
        return False, None
    conflict = _other_content(entries, stamp)
    other = next((first for first, stored in entries.items() if stored.get(key) == fields.get(key)), None)
    if other is not None:
        if not _is_later((stamp, fields), (other, entries[other])):
            return False, conflict
        del entries[other]
    return _insert(entries, stamp, fields, limit), conflict


def add_newest(
    entries: Entries, stamp: Stamp, fields: Fields, limit: int, key: str
) -> tuple[bool, Stamp | None]:
    """Keep of the entries with the same value in the field `key`, or of one (source, id), the one told last, and of all
    the newest `limit`.

    The order of tellings alone decides both, so that any order of arrival keeps the same beyond the limit, too. Returns
    like `merge_fields`.
    """
    if stamp in entries:
        return False, None
    conflict, own = _other_content(entries, stamp), fields.get(key) or identity(stamp)
    other = next(
        (known for known, stored in entries.items() if (stored.get(key) or identity(known)) == own), None
    )
    if other is not None:
        if other > stamp:
            return False, conflict
        del entries[other]
    return _insert(entries, stamp, fields, limit), conflict


def _is_later(new: tuple[Stamp, Fields], old: tuple[Stamp, Fields]) -> bool:
    """Of one moment the first telling counts, however often it is told again."""
    (new_stamp, new_at), (old_stamp, old_at) = (
        (stamp, _happened_at(stamp, fields)) for stamp, fields in (new, old)
    )
    return new_at > old_at or (new_at == old_at and new_stamp < old_stamp)


def _happened_at(stamp: Stamp, fields: Fields) -> int:
    at = fields.get("at")
    return at if isinstance(at, int) else when(stamp)


def _insert(entries: Entries, stamp: Stamp, fields: Fields, limit: int) -> bool:
    if len(entries) >= limit and stamp < next(iter(entries)):
        return False
    late = bool(entries) and stamp < next(reversed(entries))
    entries[stamp] = fields
    if late:
        ordered = sorted(entries.items())
        entries.clear()
        entries.update(ordered)
    if len(entries) > limit:
        del entries[next(iter(entries))]
    return True


def make_room(
    stored: dict[str, _Item],
    key: str,
    limit: int,
    rank: Callable[[str], tuple[bool, str]] = lambda key: (False, key),
) -> str | None:
    """Delete the item whose key is last by `rank` (the last in alphabetical order) when there would be one too many.

    Returns the deleted key, or `key` itself when it is the last and must not be stored. As the first keys stay, the
    order of arrival does not matter, and a deleted item never comes back incomplete.
    """
    if key in stored or len(stored) < limit:
        return None
    last = max(*stored, key, key=rank)
    if last != key:
        del stored[last]
    return last
