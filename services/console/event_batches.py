"""A file of events as requests: one event, an array, or one event per line. A table (CSV) is recognised and refused."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

ONE_EVENT = "application/cloudevents+json"
LINES = "application/x-ndjson"
_BATCH_EVENTS = 500
_LONGEST_HEAD = 100_000
_LINE_EVENTS = 2_000
_BATCH_BYTES = 16 * 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_EXAMPLE: Final = (
    '{"specversion": "1.0", "type": "drumbeat.account.described.v1", "source": "/crm", "id": "acme-1", '
    '"subject": "acme", "time": "2026-03-31T09:30:00Z", "data": {"name": "Acme Limited"}}'
)


@dataclass(frozen=True, slots=True)
class EventBatch:
    """The body of a request. `first`: index of its first event in the file, from 0; `count`: how many events it has."""

    media_type: str
    content: bytes
    first: int
    count: int = 1


class NotEvents(ValueError):
    """The file has no events but, for instance, a table; the message says what to do, once for the whole file.

    It never quotes the file, which may be a key or a list of customers.
    """


def event_batches(content: bytes) -> Iterator[EventBatch]:
    """The requests that send a file, each within the limits of the API. Raises NotEvents for a table."""
    try:
        document = cast("object", json.loads(content))
    except ValueError:
        _refuse_table(content)
        yield from _batches_of_lines(content.removeprefix(_BYTE_ORDER_MARK))
        return
    if not isinstance(document, list):
        yield EventBatch(ONE_EVENT, content, 0)
        return
    events = cast("list[object]", document)
    for first in range(0, len(events), _BATCH_EVENTS):
        lines = [json.dumps(event).encode() for event in events[first : first + _BATCH_EVENTS]]
        yield EventBatch(LINES, b"\n".join(lines), first, len(lines))


def _refuse_table(content: bytes) -> None:
    """Raise NotEvents when the first line is not the beginning of JSON: the header of a table, or anything else."""
    text = content[:_LONGEST_HEAD].decode("utf-8-sig", "replace")
    number, line = next(((n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()), (0, ""))
    if not line or line.strip()[0] in "{[":
        return
    columns = 1 + max(map(line.strip(" ").count, ",;\t"))
    if columns == 1:
        raise NotEvents(
            f"has no events: line {number} is not JSON. Give CloudEvents as JSON, one on each line: {_EXAMPLE}"
        )
    raise NotEvents(
        f"is a table (CSV) with {columns} columns; events are posted as JSON. `drumbeat import` reads tables of accounts,"
        " contacts, contracts and CSMs; write each row of another as one CloudEvent on one line, with the names of "
        f"Drumbeat's fields in `data`: {_EXAMPLE}"
    )


def _batches_of_lines(content: bytes) -> Iterator[EventBatch]:
    batch: list[bytes] = []
    first = size = 0
    for line in filter(bytes.strip, content.splitlines()):
        if batch and (size + len(line) > _BATCH_BYTES or len(batch) == _LINE_EVENTS):
            yield EventBatch(LINES, b"\n".join(batch), first, len(batch))
            first, size, batch = first + len(batch), 0, []
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield EventBatch(LINES, b"\n".join(batch), first, len(batch))
