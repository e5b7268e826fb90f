"""A file of events as requests: one event, a batch, or lines, told apart by what stands in it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

ONE = "application/cloudevents+json"
LINES = "application/x-ndjson"
_MOST_IN_A_BATCH = 500
_MOST_BYTES_OF_LINES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """A body to be posted, and the place of its first event in the file (from 0)."""

    media_type: str
    content: bytes
    first: int


def requests(content: bytes) -> Iterator[Request]:
    """The requests that carry this file, each within the limits of the API."""
    try:
        whole = cast("object", json.loads(content))
    except ValueError:
        yield from _lines(content)
        return
    if isinstance(whole, list):
        events = cast("list[object]", whole)
        for first in range(0, len(events), _MOST_IN_A_BATCH):
            part = events[first : first + _MOST_IN_A_BATCH]
            yield Request(LINES, b"\n".join(json.dumps(event).encode() for event in part), first)
    else:
        yield Request(ONE, content, 0)


def _lines(content: bytes) -> Iterator[Request]:
    held: list[bytes] = []
    first = size = count = 0
    for line in content.splitlines():
        if not line.strip():
            continue
        if size + len(line) > _MOST_BYTES_OF_LINES and held:
            yield Request(LINES, b"\n".join(held), first)
            held, first, size = [], count, 0
        held.append(line)
        size += len(line) + 1
        count += 1
    if held:
        yield Request(LINES, b"\n".join(held), first)
