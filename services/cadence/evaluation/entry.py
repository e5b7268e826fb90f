"""An entry of an event as rules read it, and what it is about."""

from typing import NamedTuple

from services.cadence.account import Plain, Stamp


class AboutThing(NamedTuple):
    """The contract, the term of it or the program that something is about; days since 1970. None: not about one."""

    contract_id: str | None = None
    renews_on: int | None = None
    notice_on: int | None = None
    program_id: str | None = None


class EventEntry(NamedTuple):
    """An entry as a rule reads it. `at`: the moment its window counts from, in microseconds; `values`: its features.

    `key`: what the thing it tells of is known by (`account/identity.py`), of which the id of a one-off that answers it is
    made; `aliases`: other keys under which the same thing may have been answered already. `stamp`: the event to name.
    `about`: its contract or program.
    """

    stamp: Stamp
    at: int
    values: dict[str, Plain]
    key: tuple[str, ...]
    aliases: tuple[tuple[str, ...], ...] = ()
    about: AboutThing | None = None
