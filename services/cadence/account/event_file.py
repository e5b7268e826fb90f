"""A file of events as it is posted (one, an array, or one per line), read into what is believed of each account."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from schemas.envelope import from_structured
from schemas.problems import Malformed
from services.cadence.account import FactEvent, Facts
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState
from services.cadence.account.events import read_event
from services.cadence.account.issued import Issued

MOST_MISTAKES = 20
_BOOKED = frozenset({"program.announced", "csm.described"})


class FactsRefused(Exception):
    """A file of events holds what is none; the message has each with its place."""


@dataclass(slots=True)
class EventFile:
    """`newest`: the time of the newest event; `announcements`: what concerns many accounts."""

    account_states: dict[str, AccountState] = field(default_factory=dict[str, AccountState])
    announcements: list[FactEvent] = field(default_factory=list[FactEvent])
    newest: datetime | None = None


def read_event_file(content: bytes, name: str) -> EventFile:
    """Read CloudEvents (one, an array, or one per line) into account states; `name` is what errors call the file.

    Raises `FactsRefused` with the place of each of the first mistakes, and where there is no event.
    """
    found = EventFile()
    mistakes: list[str] = []
    for place, event in _events(content):
        try:
            _apply(found, read_event(from_structured(event)))
        except Malformed as problem:
            mistakes.append(f"{name}:{place}: {problem}")
            if len(mistakes) == MOST_MISTAKES:
                mistakes.append("there may be more mistakes; these come first")
                break
    if mistakes:
        raise FactsRefused("\n".join(mistakes))
    if found.newest is None:
        raise FactsRefused(f"{name}: there is no event in it")
    return found


def _events(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Line (in an array: number) and text of each."""
    try:
        whole = cast("object", json.loads(content))
    except ValueError:
        for number, line in enumerate(content.splitlines(), 1):
            if line.strip():
                yield number, line
        return
    listed = cast("list[object]", whole) if isinstance(whole, list) else [whole]
    for number, event in enumerate(listed, 1):
        yield number, json.dumps(event).encode()


def _apply(found: EventFile, event: FactEvent) -> None:
    at = event.provenance.time
    found.newest = at if found.newest is None else max(found.newest, at)
    if event.type in _BOOKED:
        if event.type == "program.announced":
            found.announcements.append(event)
        return
    key = event.account_id
    if key not in found.account_states:
        found.account_states[key] = AccountState(Facts(key), Issued())
    apply_event(found.account_states[key], event)
