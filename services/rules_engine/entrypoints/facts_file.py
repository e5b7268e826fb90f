"""A file of events as it is posted (one, an array, or one per line), read into what is believed of each account."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast

from schemas.envelope import from_structured
from schemas.problems import Malformed
from services.rules_engine.application.telling import tell
from services.rules_engine.domain.codec import Belief
from services.rules_engine.domain.facts import FactEvent, Facts
from services.rules_engine.domain.issued import Issued
from services.rules_engine.entrypoints.translate import told

MOST_MISTAKES = 20
_BOOKED = frozenset({"program.announced", "csm.described"})


class FactsRefused(Exception):
    """A file of events holds what is none; the message has each with its place."""


@dataclass(slots=True)
class Heard:
    """`newest`: the time of the newest event; `announcements`: what concerns many accounts."""

    beliefs: dict[str, Belief] = field(default_factory=dict[str, Belief])
    announcements: list[FactEvent] = field(default_factory=list[FactEvent])
    newest: datetime | None = None


def read_facts(path: Path) -> Heard:
    """`-` reads standard input. Raises `FactsRefused`."""
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as trouble:
        raise FactsRefused(f"{path}: cannot be read: {trouble.strerror}") from trouble
    heard = Heard()
    mistakes: list[str] = []
    for place, event in _events(content):
        try:
            _hear(heard, told(from_structured(event)))
        except Malformed as problem:
            mistakes.append(f"{path}:{place}: {problem}")
            if len(mistakes) == MOST_MISTAKES:
                mistakes.append("there may be more mistakes; these come first")
                break
    if mistakes:
        raise FactsRefused("\n".join(mistakes))
    if heard.newest is None:
        raise FactsRefused(f"{path}: there is no event in it")
    return heard


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


def _hear(heard: Heard, event: FactEvent) -> None:
    at = event.stamp.time
    heard.newest = at if heard.newest is None else max(heard.newest, at)
    if event.type in _BOOKED:
        if event.type == "program.announced":
            heard.announcements.append(event)
        return
    key = event.account_id
    if key not in heard.beliefs:
        heard.beliefs[key] = Belief(Facts(key), Issued())
    tell(heard.beliefs[key], event)
