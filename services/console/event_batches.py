"""A file of events as requests: one event, an array, or one event per line. A table (CSV) is recognised and refused.

The content comes in blocks and is never whole in memory.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

from services.console.event_array import events_of_array
from services.console.not_events import LARGEST_EVENT_BYTES, NotEvents, too_long

ONE_EVENT: Final = "application/cloudevents+json"
LINES: Final = "application/x-ndjson"
_LONGEST_HEAD: Final = 100_000
_LARGEST_ONE: Final = 1 << 20  # bytes of a request with one event
_MOST_EVENTS: Final = 2_000
_MOST_BYTES: Final = 4 << 20
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_EXAMPLE: Final = (
    '{"specversion": "1.0", "type": "drumbeat.account.described.v1", "source": "/crm", "id": "acme-1", '
    '"subject": "acme", "time": "2026-03-31T09:30:00Z", "data": {"name": "Acme Limited"}}'
)


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events that are sent together. `first`: index of the first of them in the file, from 0."""

    media_type: str
    events: tuple[bytes, ...]
    first: int

    @property
    def count(self) -> int:
        return len(self.events)

    def content(self, start: int = 0) -> bytes:
        """The body of a request, without the first `start` events."""
        return b"\n".join(self.events[start:])


def event_batches(blocks: Iterable[bytes]) -> Iterator[EventBatch]:
    """The requests that send a file, each within the limits of the API. Raises NotEvents for what holds no events."""
    remaining = iter(blocks)
    head, is_whole = _read_head(remaining)
    if is_whole and _is_one_event(head):
        yield EventBatch(ONE_EVENT, (head,), 0)
        return
    content = chain((head,), remaining)
    if head.lstrip()[:1] == b"[":
        yield from _batches(events_of_array(content))
        return
    _refuse_table(head)
    yield from _batches(_lines(content))


def _read_head(blocks: Iterator[bytes]) -> tuple[bytes, bool]:
    """The beginning of the content, without a byte order mark, and whether that is all of it."""
    head = bytearray()
    for block in blocks:
        head += block
        if len(head) > _LARGEST_ONE:
            return bytes(head).removeprefix(_BYTE_ORDER_MARK), False
    return bytes(head).removeprefix(_BYTE_ORDER_MARK), True


def _is_one_event(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except (ValueError, RecursionError):
        return False


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


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines that are not empty. A line ends with LF, CR LF or CR. Raises NotEvents for one that is too long."""
    rest = b""
    number = 0
    for block in blocks:
        lines = (rest + block).splitlines(keepends=True)
        # The end of a block may cut a line, and the end of a line may be cut between CR and LF.
        rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in filter(bytes.strip, [*lines, *([rest] if len(rest) > LARGEST_EVENT_BYTES else [])]):
            number += 1
            if len(line) > LARGEST_EVENT_BYTES:
                raise too_long(number)
            yield line.rstrip(b"\r\n")
    if rest.strip():
        yield rest.rstrip(b"\r")


def _batches(events: Iterable[bytes]) -> Iterator[EventBatch]:
    batch: list[bytes] = []
    first = size = 0
    for event in events:
        if batch and (size + len(event) > _MOST_BYTES or len(batch) == _MOST_EVENTS):
            yield EventBatch(LINES, tuple(batch), first)
            first, size, batch = first + len(batch), 0, []
        batch.append(event)
        size += len(event) + 1
    if batch:
        yield EventBatch(LINES, tuple(batch), first)
