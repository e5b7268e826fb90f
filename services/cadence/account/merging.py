"""Settling: whose word counts. Laws of keeping that end the same whatever the order and however often they are told."""

from collections.abc import Mapping, MutableMapping

from services.cadence.account.stamps import Entries, Fields, Stamp, StampedFields, identity


def merge_fields(held: StampedFields, stamp: Stamp, said: Fields) -> tuple[bool, Stamp | None]:
    """Let `said` take each field whose present owner is older. Returns (anything changed, a conflicting mark)."""
    conflict: Stamp | None = None
    emptied: list[Stamp] = []
    own = identity(stamp)
    for other, fields in held.items():
        if other == stamp:
            continue
        if own in other:
            conflict = other
        if not fields.keys().isdisjoint(said):
            _yield_to(*((fields, said) if other > stamp else (said, fields)))
            if not fields:
                emptied.append(other)
    for other in emptied:
        del held[other]
    if not said or held.get(stamp) == said:
        return False, conflict
    held[stamp] = said
    return True, conflict


def _yield_to(newer: Fields, older: Fields) -> None:
    for name in newer.keys() & older.keys():
        del older[name]


def add_entry(entries: Entries, stamp: Stamp, fields: Fields, newest: int) -> tuple[bool, Stamp | None]:
    """Keep a dated entry once per (source, id), the newest `newest` by stamp. Returns like `settle`."""
    if stamp in entries:
        return False, None
    own, conflict = identity(stamp), None
    # One search through all of them is three times faster than one in each, and mostly finds nothing.
    if own in "".join(entries):
        conflict = next(other for other in entries if own in other)
        if conflict > stamp:
            return False, conflict
        del entries[conflict]
    return _insert(entries, stamp, fields, newest), conflict


def replace(
    entries: Entries, stamp: Stamp, fields: Fields, newest: int, key: str
) -> tuple[bool, Stamp | None]:
    """Keep the newest entry of each value of the field `key`, and of those the newest `newest`.

    What has no such value stands for itself, once per (source, id). Returns like `settle`.
    """
    if stamp in entries:
        return False, None
    own, conflict = identity(stamp), None
    if own in "".join(entries):
        conflict = next(other for other in entries if own in other)
    value = fields.get(key)
    for other, known in entries.items():
        held = known.get(key)
        if own in other and held is None if value is None else held == value:
            if other > stamp:
                return False, conflict
            del entries[other]
            break
    return _insert(entries, stamp, fields, newest), conflict


def _insert(entries: Entries, stamp: Stamp, fields: Fields, newest: int) -> bool:
    if len(entries) >= newest and stamp < next(iter(entries)):
        return False
    late = bool(entries) and stamp < next(reversed(entries))
    entries[stamp] = fields
    if late:
        ordered = sorted(entries.items())
        entries.clear()
        entries.update(ordered)
    if len(entries) > newest:
        del entries[next(iter(entries))]
    return True


def keep_earliest(entries: Entries, stamp: Stamp, fields: Fields) -> bool:
    """Keep one entry, the earliest ever told."""
    if entries and next(iter(entries)) <= stamp:
        return False
    entries.clear()
    entries[stamp] = fields
    return True


def make_room(kept: MutableMapping[str, object] | Mapping[str, object], key: str, most: int) -> str | None:
    """Which key has to go so that `key` finds a place among at most `most`; it may be `key` itself. None: there is room.

    The first in the alphabet stay, so what stays is known in full: nothing is let go and then taken up again.
    """
    if key in kept or len(kept) < most:
        return None
    return max(*kept, key)
