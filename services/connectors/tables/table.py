"""A table as events: its kind and columns are found, how its dates and numbers are written, then each row is read.

A file is read twice: first every value of the columns that are read tells how dates and numbers are written, then the
rows become events one by one. Only the ids of rows are kept, to find two rows about one thing.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Final, NamedTuple

from schemas.base import dump_json
from schemas.events import read_data
from schemas.ids import derived_id, digest
from schemas.problems import Malformed
from schemas.times import format_instant
from services.connectors.mapping.values import Kind
from services.connectors.tables.columns import Column, ColumnReport, ColumnRule, assign_columns, guess_kind
from services.connectors.tables.dates import DayOrder, order_of
from services.connectors.tables.kinds import TABLES, KindName, TableKind
from services.connectors.tables.numbers import DecimalMark, mark_of, strip_amount
from services.connectors.tables.rows import Row, TableFile, open_table
from services.connectors.tables.values import CellForm, plain_cell, read_cell

SOURCE: Final = "/imports"
"""The beginning of the CloudEvents `source` of imported rows; the kind of the table follows."""
_NUMBERS: Final = frozenset({Kind.NUMBER, Kind.WHOLE})
_DATES: Final = frozenset({Kind.DAY, Kind.INSTANT})


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What a caller says of a table; the rest is found. `clear_empty`: an empty cell clears the field."""

    kind: KindName | None = None
    file_name: str = ""
    rules: Mapping[str, ColumnRule] = field(default_factory=dict[str, ColumnRule])
    dates: DayOrder | None = None
    numbers: DecimalMark | None = None
    zone: str = "UTC"
    encoding: str | None = None
    separator: str | None = None
    clear_empty: bool = False


class Refusal(NamedTuple):
    """`column`: None: it is about the row as a whole."""

    line: int
    column: str | None
    problem: str


class RowEvent(NamedTuple):
    """An event in structured form. `key`: the id of the row's own thing."""

    line: int
    key: str
    event: dict[str, object]

    @property
    def subject(self) -> str:
        return str(self.event["subject"])


ReadRow = RowEvent | list[Refusal]


@dataclass(slots=True)
class Table:
    """A table whose columns are understood. `forms`: by the name of the column; `notes`: for people."""

    kind: TableKind
    file: TableFile
    report: ColumnReport
    forms: dict[str, CellForm]
    notes: list[str]
    clear_empty: bool = False

    def events(self, as_of: datetime) -> Iterator[ReadRow]:
        """Each row as an event of that moment, or why it is refused. Raises TableRefused."""
        seen: dict[bytes, int] = {}
        for row in self.file.rows():
            yield self._read(row, as_of, seen)

    def _read(self, row: Row, as_of: datetime, seen: dict[bytes, int]) -> ReadRow:
        refusals = self._check_width(row)
        data: dict[str, object] = {}
        for column in self.report.read:
            self._read_cell(column, row, data, refusals)
        for name in sorted(self.kind.required):
            if data.get(name) is None and not any(each.column == self._named(name) for each in refusals):
                refusals.append(Refusal(row.line, self._named(name), f"{name} is empty; every row needs it"))
        if refusals:
            return refusals
        subject, key = str(data[self.kind.subject]), str(data[self.kind.key])
        # The id of a contact is unique in the deployment, that of a contract within its account.
        thing = (key,) if self.kind.name == "contacts" else (subject, key)
        before = seen.setdefault(digest(*thing), row.line)
        if before != row.line:
            problem = f"line {before} describes {key!r} too; keep one of the two"
            return [Refusal(row.line, self._named(self.kind.key), problem)]
        if self.kind.subject != self.kind.key and not data.keys() - self.kind.required:
            return [Refusal(row.line, None, "no cell has a value but those of the ids; fill in at least one")]
        return self._event(row, subject, data, as_of)

    def _check_width(self, row: Row) -> list[Refusal]:
        width = len(self.file.header.cells)
        if not any(cell.strip() for cell in row.cells[width:]):
            return []
        return [
            Refusal(
                row.line,
                None,
                f"has {len(row.cells)} cells, and the header has {width}; put a cell in quotation marks that contains"
                " the separator",
            )
        ]

    def _read_cell(self, column: Column, row: Row, data: dict[str, object], refusals: list[Refusal]) -> None:
        name = str(column.field)
        kind = self.kind.fields[name]
        cell = row.cells[column.place] if column.place < len(row.cells) else ""
        try:
            text = plain_cell(cell, kind)
            if text is None:
                if self.clear_empty and name not in self.kind.required:
                    data.setdefault(name, None)
                return
            found = read_cell(text, name, kind, self.forms[column.name])
        except ValueError as problem:
            refusals.append(Refusal(row.line, column.name, str(problem)))
            return
        data[name] = found.value
        if found.currency is not None or column.currency is not None:
            self._set_currency(column, found.currency, row, data, refusals)

    def _set_currency(
        self, column: Column, beside: str | None, row: Row, data: dict[str, object], refusals: list[Refusal]
    ) -> None:
        """The currency beside an amount or in the header, unless a column has it. `beside`: the amount."""
        place = next((each.place for each in self.report.read if each.field == "currency"), len(row.cells))
        own = row.cells[place].strip().upper() if place < len(row.cells) else ""
        if not own:
            data["currency"] = beside or column.currency
        elif beside is not None and own != beside:
            problem = f"the amount is in {beside}, and the currency is {own[:20]}; correct one of them"
            refusals.append(Refusal(row.line, column.name, problem))

    def _event(self, row: Row, subject: str, data: dict[str, object], as_of: datetime) -> ReadRow:
        key = str(data[self.kind.key])
        own = {self.kind.subject} - (self.kind.model.model_fields.keys() - {"account_id"})
        sent = {name: value for name, value in data.items() if name not in own}
        try:
            raw = dump_json(sent)
            message, _, _ = read_data(self.kind.event_type, raw)
        except Malformed as problem:
            return self._explain(row, sent, str(problem))
        clean = message.model_dump(mode="json", by_alias=True, exclude_unset=True)
        time = format_instant(as_of)
        event: dict[str, object] = {
            "specversion": "1.0",
            "id": derived_id("import", self.kind.name, subject, time, dump_json(clean).decode()),
            "source": f"{SOURCE}/{self.kind.name}",
            "type": self.kind.event_type,
            "subject": subject,
            "time": time,
            "data": clean,
        }
        return RowEvent(row.line, key, event)

    def _explain(self, row: Row, data: dict[str, object], problem: str) -> list[Refusal]:
        """The problem by column: each field is read again by itself, with the id that its model needs."""
        refusals: list[Refusal] = []
        ids = {name: "id" for name in self.kind.model.model_fields if name == self.kind.key}
        for name, value in data.items():
            try:
                read_data(self.kind.event_type, dump_json({**ids, name: value}))
            except Malformed as wrong:
                text = str(wrong).removeprefix(f"data.{name}: ")
                refusals.append(Refusal(row.line, self._named(name), text))
        return refusals or [Refusal(row.line, None, problem.removeprefix("data: "))]

    def _named(self, name: str) -> str | None:
        return next((column.name for column in self.report.read if column.field == name), None)


def read_table(file: IO[bytes], options: TableOptions) -> Table:
    """Find out what a table is. `file` can be read again. Raises TableRefused."""
    found = open_table(file, options.encoding, options.separator)
    header = found.header.cells
    kind = TABLES[options.kind or guess_kind(header, options.file_name, options.rules)]
    report = assign_columns(header, kind, options.rules)
    notes = [found.encoding.note] if found.encoding.note else []
    evidence = _Evidence(report)
    for row in found.rows():
        evidence.add(row)
    forms = evidence.forms(options)
    return Table(kind, found, report, forms, [*notes, *evidence.notes], options.clear_empty)


class _Evidence:
    """What the values of columns show of how dates and numbers are written."""

    def __init__(self, report: ColumnReport) -> None:
        self._report = report
        kinds = report.kind.fields
        self._columns = [(column, kinds[str(column.field)]) for column in report.read]
        self._orders: dict[str, Counter[DayOrder]] = {}
        self._marks: Counter[DecimalMark] = Counter()
        self._serials: Counter[str] = Counter()
        self._unnamed: Counter[int] = Counter()
        self.notes: list[str] = []

    def add(self, row: Row) -> None:
        for place in self._report.unnamed:
            self._unnamed[place] += place < len(row.cells) and bool(row.cells[place].strip())
        for column, kind in self._columns:
            if kind in _NUMBERS or kind in _DATES:
                text = row.cells[column.place].strip() if column.place < len(row.cells) else ""
                self._look(column.name, text, kind)

    def _look(self, name: str, text: str, kind: Kind) -> None:
        if kind in _DATES:
            order = order_of(text)
            if order is not None:
                self._orders.setdefault(name, Counter())[order] += 1
            self._serials[name] += text.isdigit() and len(text) == 5
            return
        mark = _try(lambda: mark_of(strip_amount(text).digits))
        if mark is not None:
            self._marks[mark] += 1

    def forms(self, options: TableOptions) -> dict[str, CellForm]:
        numbers = options.numbers or (next(iter(self._marks)) if len(self._marks) == 1 else None)
        forms: dict[str, CellForm] = {}
        for column, kind in self._columns:
            rule = options.rules.get(column.name, ColumnRule())
            orders = self._orders.get(column.name, Counter())
            order = rule.dates or options.dates or (next(iter(orders)) if len(orders) == 1 else None)
            forms[column.name] = CellForm(order, rule.numbers or numbers, options.zone)
            if kind in _DATES:
                self._note_dates(column.name, order, kind, options)
        self._note_numbers(numbers, options)
        self.notes += [
            f"column {place + 1} has no name in the header: {count} values of it are ignored"
            for place, count in sorted(self._unnamed.items())
            if count
        ]
        return forms

    def _note_dates(self, name: str, order: DayOrder | None, kind: Kind, options: TableOptions) -> None:
        orders = self._orders.get(name, Counter())
        if len(orders) == 2:
            self.notes.append(
                f"{name}: {orders['dmy']} dates have the day first and {orders['mdy']} the month"
            )
        elif orders and order is not None:
            first = "day" if order == "dmy" else "month"
            self.notes.append(f"{name}: the {first} comes first, as {sum(orders.values())} of its dates show")
        if self._serials[name]:
            self.notes.append(f"{name}: {self._serials[name]} serial numbers of Excel are read as dates")
        if kind is Kind.INSTANT:
            self.notes.append(
                f"{name}: a time without a zone is one of {options.zone}, a date alone its midnight"
            )

    def _note_numbers(self, numbers: DecimalMark | None, options: TableOptions) -> None:
        if len(self._marks) == 2 and options.numbers is None:
            self.notes.append("numbers: some have a decimal comma and some a decimal point")
        elif numbers is not None and self._marks:
            self.notes.append(
                f"numbers: decimals follow a {numbers}, as {sum(self._marks.values())} of them show"
            )


def _try(read: Callable[[], DecimalMark | None]) -> DecimalMark | None:
    try:
        return read()
    except ValueError:
        return None
