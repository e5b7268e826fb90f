"""Take in a table: rows become events; those that say nothing new are left out, the others are sent or only checked."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO, Final, NamedTuple, Protocol

from services.connectors.tables.kinds import TableKind
from services.connectors.tables.stored import StoredRow, is_known
from services.connectors.tables.table import ReadRow, Refusal, RowEvent, Table, TableOptions, read_table

PIECE_ROWS: Final = 500
MOST_REFUSED: Final = 10_000
"""Refused rows that an answer lists; all are counted."""
MOST_WARNINGS: Final = 1_000

Event = Mapping[str, object]


class SentRow(NamedTuple):
    """What became of an event: accepted, refused or unknown."""

    status: str
    problem: str | None = None
    warnings: Sequence[str] = ()


class StoredRows(Protocol):
    async def find(self, kind: TableKind, subjects: Iterable[str]) -> Mapping[tuple[str, str], StoredRow]:
        """What is stored of these accounts or CSMs, by (subject, key)."""
        ...


class Warned(NamedTuple):
    line: int
    warning: str


@dataclass(frozen=True, slots=True)
class ImportPorts:
    """`check_kind`: raises for a caller who may not send such events. `send`: checks only for a dry run."""

    stored: StoredRows
    check_kind: Callable[[TableKind], None]
    send: Callable[[Sequence[Event]], Awaitable[list[SentRow]]]


@dataclass(slots=True)
class ImportResult:
    """`accepted` rows are right; of these `unchanged` say nothing new. `events`: the others, where they are kept.

    `is_acknowledged`: false when the broker did not answer in time: nothing was read beyond, and what was sent stays.
    """

    table: Table
    rows: int = 0
    accepted: int = 0
    unchanged: int = 0
    refused_rows: int = 0
    refused: list[Refusal] = field(default_factory=list[Refusal])
    warning_count: int = 0
    warnings: list[Warned] = field(default_factory=list[Warned])
    events: list[Event] = field(default_factory=list[Event])
    is_acknowledged: bool = True

    def refuse(self, refusals: Sequence[Refusal]) -> None:
        self.refused_rows += 1
        self.refused += refusals[: max(0, MOST_REFUSED - len(self.refused))]

    def warn(self, line: int, warnings: Sequence[str]) -> None:
        self.warning_count += len(warnings)
        self.warnings += [
            Warned(line, text) for text in warnings[: max(0, MOST_WARNINGS - len(self.warnings))]
        ]


async def import_table(
    file: IO[bytes], options: TableOptions, as_of: datetime, ports: ImportPorts, *, keep_events: bool
) -> ImportResult:
    """`as_of`: when the table was right, service time. Raises TableRefused.

    Nothing is sent of a table that cannot be read to its end.
    """
    table = await asyncio.to_thread(read_table, file, options)
    ports.check_kind(table.kind)
    result = ImportResult(table)
    rows = table.events(as_of)
    while result.is_acknowledged and (
        piece := await asyncio.to_thread(lambda: list(islice(rows, PIECE_ROWS)))
    ):
        await _take(piece, as_of, ports, result, keep_events=keep_events)
    return result


async def _take(
    piece: Sequence[ReadRow], as_of: datetime, ports: ImportPorts, result: ImportResult, *, keep_events: bool
) -> None:
    result.rows += len(piece)
    events: list[RowEvent] = []
    for row in piece:
        if isinstance(row, RowEvent):
            events.append(row)
        else:
            result.refuse(row)
    stored = await ports.stored.find(result.table.kind, {event.subject for event in events})
    changed = [
        event for event in events if not is_known(event, stored.get((event.subject, event.key)), as_of)
    ]
    result.unchanged += len(events) - len(changed)
    result.accepted += len(events) - len(changed)
    if not changed:
        return
    sent = await ports.send([row.event for row in changed])
    for row, outcome in zip(changed, sent, strict=True):
        _count(row, outcome, result)
        if keep_events and outcome.status == "accepted":
            result.events.append(row.event)
    result.is_acknowledged = all(outcome.status != "unknown" for outcome in sent)


def _count(row: RowEvent, outcome: SentRow, result: ImportResult) -> None:
    result.warn(row.line, outcome.warnings)
    if outcome.status == "accepted":
        result.accepted += 1
    elif outcome.status == "refused":
        result.refuse([Refusal(row.line, None, outcome.problem or "refused")])
