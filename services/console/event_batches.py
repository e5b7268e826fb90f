"""A file of events as requests: one event, an array, or one event per line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

ONE_EVENT = "application/cloudevents+json"
LINES = "application/x-ndjson"
_BATCH_EVENTS = 500
_BATCH_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EventBatch:
    """The body of a request. `first`: position of its first event in the file, from 0."""

    media_type: str
    content: bytes
    first: int


def event_batches(content: bytes) -> Iterator[EventBatch]:
    """The requests that send a file, each within the limits of the API."""
    try:
        document = cast("object", json.loads(content))
    except ValueError:
        yield from _batches_of_lines(content)
        return
    if not isinstance(document, list):
        yield EventBatch(ONE_EVENT, content, 0)
        return
    events = cast("list[object]", document)
    for first in range(0, len(events), _BATCH_EVENTS):
        lines = [json.dumps(event).encode() for event in events[first : first + _BATCH_EVENTS]]
        yield EventBatch(LINES, b"\n".join(lines), first)


def _batches_of_lines(content: bytes) -> Iterator[EventBatch]:
    batch: list[bytes] = []
    first = size = 0
    for line in filter(bytes.strip, content.splitlines()):
        if batch and size + len(line) > _BATCH_BYTES:
            yield EventBatch(LINES, b"\n".join(batch), first)
            first, size, batch = first + len(batch), 0, []
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield EventBatch(LINES, b"\n".join(batch), first)
