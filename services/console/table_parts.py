"""A table that was checked, as the parts in which it is sent: only its accepted rows, only the columns that are read."""

import csv
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from typing import Final

from services.connectors.tables.columns import name_columns
from services.connectors.tables.rows import Row, TableFile, open_table
from services.console.json_fields import Json, nested, text

PART_ROWS: Final = 500
_BREAKS: Final = ("\r\n", "\r")


@dataclass(slots=True)
class TablePart:
    """`content`: CSV in UTF-8. `lines`: line in the part -> line in the file. `first`: the number of its first row."""

    content: bytes
    first: int
    lines: Mapping[int, int] = field(default_factory=dict[int, int])

    @property
    def count(self) -> int:
        return len(self.lines)


def pinned_options(checked: Json) -> dict[str, str]:
    """The query by which each part is read as the whole file was. `checked`: the answer of the check."""
    forms = nested(checked, "forms")
    mapping = {
        name: {"field": field_name, **_known(nested(forms, name))}
        for name, field_name in nested(checked, "columns").items()
        if field_name is not None
    }
    return {
        "kind": text(checked, "kind"),
        "mapping": json.dumps(mapping, ensure_ascii=False),
        "as_of": text(checked, "as_of"),
        "encoding": "utf-8",
        "separator": ",",
    }


def table_parts(content: bytes, checked: Json, refused_lines: Collection[int]) -> Iterator[TablePart]:
    """Without the refused rows. Raises TableRefused."""
    table = open_table(BytesIO(content), text(checked, "encoding"), text(checked, "separator"))
    columns = nested(checked, "columns")
    places = {
        place: name
        for place, name in enumerate(name_columns(table.header.cells))
        if columns.get(name) is not None
    }
    part: list[Row] = []
    first = 0
    for row in _accepted(table, refused_lines):
        part.append(row)
        if len(part) == PART_ROWS:
            yield _write(part, places, first)
            first, part = first + len(part), []
    if part:
        yield _write(part, places, first)


def _accepted(table: TableFile, refused_lines: Collection[int]) -> Iterator[Row]:
    return (row for row in table.rows() if row.line not in refused_lines)


def _write(rows: list[Row], places: Mapping[int, str], first: int) -> TablePart:
    written = StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(places.values())
    lines: dict[int, int] = {}
    line = 2
    for row in rows:
        cells = [_one_break(row.cells[place]) if place < len(row.cells) else "" for place in places]
        writer.writerow(cells)
        lines[line] = row.line
        line += 1 + sum(cell.count("\n") for cell in cells)
    return TablePart(written.getvalue().encode(), first, lines)


def _one_break(cell: str) -> str:
    for mark in _BREAKS:
        cell = cell.replace(mark, "\n")
    return cell


def _known(form: Json) -> dict[str, object]:
    return {name: value for name, value in form.items() if value is not None}
