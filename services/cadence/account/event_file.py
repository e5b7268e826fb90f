"""Read a file of CloudEvents (one, an array, or one per line) into the states of the accounts it is about."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from schemas.envelope import from_structured
from schemas.problems import Malformed
from services.cadence.account import FactEvent
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState, decode
from services.cadence.account.events import read_event

MAX_MISTAKES = 20


class FactsRefused(Exception):
    """A file of events has mistakes; the message lists them with their places."""


@dataclass(slots=True)
class EventFile:
    """Account id -> state, announcements of programs, descriptions of CSMs, and the time of the newest event."""

    account_states: dict[str, AccountState] = field(default_factory=dict)
    announcements: list[FactEvent] = field(default_factory=list)
    csms: list[FactEvent] = field(default_factory=list)
    newest: datetime | None = None


def read_event_file(content: bytes, name: str) -> EventFile:
    """Apply the events of a file; `name` is the file's name in errors.

    Raises `FactsRefused` with the first mistakes, or if the file has no event.
    """
    event_file = EventFile()
    mistakes: list[str] = []
    for number, raw in _split(content):
        try:
            _apply(event_file, read_event(from_structured(raw)))
        except Malformed as problem:
            mistakes.append(f"{name}:{number}: {problem}")
            if len(mistakes) == MAX_MISTAKES:
                mistakes.append(f"these are the first {MAX_MISTAKES} mistakes; there may be more")
                break
    if mistakes:
        raise FactsRefused("\n".join(mistakes))
    if event_file.newest is None:
        raise FactsRefused(
            f"{name}: the file has no event; give CloudEvents as JSON, one per line or in an array"
        )
    return event_file


def _split(content: bytes) -> Iterator[tuple[int, bytes]]:
    """(line number, or position in the array, from 1; JSON) of each event."""
    try:
        document = cast("object", json.loads(content))
    except ValueError:
        for number, line in enumerate(content.splitlines(), 1):
            if line.strip():
                yield number, line
        return
    events = cast("list[object]", document) if isinstance(document, list) else [document]
    for number, event in enumerate(events, 1):
        yield number, json.dumps(event).encode()


def _apply(event_file: EventFile, event: FactEvent) -> None:
    at = event.provenance.time
    event_file.newest = at if event_file.newest is None else max(event_file.newest, at)
    match event.type:
        case "program.announced":
            event_file.announcements.append(event)
        case "csm.described":
            event_file.csms.append(event)  # Plans do not depend on it, their dates do.
        case _:
            new = decode(event.account_id, None)
            apply_event(event_file.account_states.setdefault(event.account_id, new), event)
