"""An entry of an event as rules read it."""

from typing import NamedTuple

from services.cadence.account import Plain, Stamp


class EventEntry(NamedTuple):
    """An entry as a rule reads it. `at`: the moment its window counts from, in microseconds; `values`: its features.

    `key`: what the thing it tells of is known by (`account/identity.py`), of which the id of a one-off that answers it is
    made; `aliases`: other keys under which the same thing may have been answered already. `stamp`: the event to name.
    """

    stamp: Stamp
    at: int
    values: dict[str, Plain]
    key: tuple[str, ...]
    aliases: tuple[tuple[str, ...], ...] = ()
