"""A table on its way: what is sent, what is left out, and what stays when the broker does not answer."""

import tracemalloc
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO

import pytest

from services.connectors.tables.kinds import TableKind
from services.connectors.tables.refusal import TableRefused
from services.connectors.tables.stored import KnownValue, StoredRow
from services.connectors.tables.table import TableOptions
from services.rules_engine.application import import_table as application
from services.rules_engine.application.import_table import (
    Event,
    ImportPorts,
    ImportResult,
    SentRow,
    import_table,
)

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
TABLE = b"account_id,name\na,Anna\nb,Bert\nc,Carl\nd,Dora\n"


@dataclass
class Engine:
    """Knows one account; `outcomes` of events by account, accepted where there is none."""

    outcomes: Mapping[str, SentRow] = field(default_factory=dict[str, SentRow])
    sent: list[str] = field(default_factory=list[str])

    async def find(self, kind: TableKind, subjects: Iterable[str]) -> Mapping[tuple[str, str], StoredRow]:
        known = StoredRow("b", "b", {"name": KnownValue("Bert", 0)})
        return {("b", "b"): known} if "b" in subjects else {}

    async def send(self, events: Sequence[Event]) -> list[SentRow]:
        subjects = [str(event["subject"]) for event in events]
        self.sent += subjects
        return [self.outcomes.get(subject, SentRow("accepted")) for subject in subjects]

    async def take(self, content: bytes, *, keep_events: bool = False) -> ImportResult:
        ports = ImportPorts(self, lambda kind: None, self.send)
        return await import_table(BytesIO(content), TableOptions(), NOW, ports, keep_events=keep_events)


async def test_what_is_known_is_not_sent_and_every_row_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "PIECE_ROWS", 2)
    outcomes = {"c": SentRow("refused", "no such thing"), "d": SentRow("accepted", None, ("csm unknown",))}
    engine = Engine(outcomes)
    result = await engine.take(TABLE, keep_events=True)
    assert engine.sent == ["a", "c", "d"]
    assert (result.rows, result.accepted, result.unchanged, result.refused_rows) == (4, 3, 1, 1)
    assert [(each.line, each.problem) for each in result.refused] == [(4, "no such thing")]
    assert [tuple(each) for each in result.warnings] == [(5, "csm unknown")]
    assert [event["subject"] for event in result.events] == ["a", "d"]


async def test_nothing_is_sent_of_a_table_that_cannot_be_read_to_its_end() -> None:
    engine = Engine()
    with pytest.raises(TableRefused, match="line 6: a quotation mark opens a cell"):
        await engine.take(TABLE + b'e,"E')
    assert engine.sent == []


async def test_without_an_answer_of_the_broker_the_rows_before_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(application, "PIECE_ROWS", 1)
    engine = Engine({"c": SentRow("unknown")})
    result = await engine.take(TABLE)
    assert (result.is_acknowledged, result.accepted, engine.sent) == (False, 2, ["a", "c"])


async def test_lists_are_bounded_and_counts_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "MOST_REFUSED", 3)
    monkeypatch.setattr(application, "MOST_WARNINGS", 2)
    rows = b"".join(b"x%d,\n" % number for number in range(5)) + b",\n" * 10 + b",y\n" * 7
    engine = Engine({f"x{number}": SentRow("accepted", None, ("w",)) for number in range(5)})
    result = await engine.take(b"account_id,name\n" + rows)
    assert (len(result.refused), result.refused_rows) == (3, 7)
    assert (len(result.warnings), result.warning_count) == (2, 5)


async def test_a_large_table_is_read_in_bounded_memory() -> None:
    """C: nothing of its rows is kept but their ids: their events would take 11 MiB."""
    content = b"account_id,name\n" + b"".join(b"account-%d,Name of it\n" % number for number in range(10_000))
    tracemalloc.start()
    try:
        result = await Engine().take(content)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (result.accepted, result.events) == (10_000, [])
    assert peak < 6 << 20, peak
