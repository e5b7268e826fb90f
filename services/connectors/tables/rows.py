"""A file as a header and rows: the separator is found, quoted cells may contain line ends, lines keep their numbers.

Sources: RFC 4180, and Excel's first line `sep=;`.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import IO, Final, NamedTuple

from services.connectors.tables.encoding import Encoding, find_encoding, read_lines
from services.connectors.tables.refusal import TableRefused

SEPARATORS: Final[Mapping[str, str]] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
MOST_COLUMNS: Final = 500
_SAMPLE_LINES: Final = 50
_SEPARATOR_LINE: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


class Row(NamedTuple):
    """`line`: the line of the file, from 1, on which the row begins."""

    line: int
    cells: list[str]


class TableFile(NamedTuple):
    """A file that can be read again, and how. `skipped_lines`: those before the header."""

    file: IO[bytes]
    encoding: Encoding
    separator: str
    header: Row
    skipped_lines: int = 0

    def rows(self) -> Iterator[Row]:
        """The rows below the header that are not empty. Raises TableRefused."""
        rows = _rows(self._lines(), self.separator, self.skipped_lines)
        next(rows, None)
        return rows

    def _lines(self) -> Iterator[str]:
        return islice(read_lines(self.file, self.encoding), self.skipped_lines, None)


def open_table(file: IO[bytes], encoding: str | None = None, separator: str | None = None) -> TableFile:
    """Read the beginning of a file. Raises TableRefused."""
    if separator is not None and separator not in SEPARATORS:
        raise TableRefused(f"the separator {separator[:5]!r} is none of comma, semicolon, tab and pipe")
    found = find_encoding(file, encoding)
    lines = list(islice(read_lines(file, found), _SAMPLE_LINES))
    skipped = 0
    named = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    if named is not None and named[1] in SEPARATORS:
        separator, skipped = separator or named[1], 1
    chosen = separator or _find_separator(lines[skipped:])
    table = TableFile(file, found, chosen, Row(1, []), skipped)
    header = next(_rows(islice(read_lines(file, found), skipped, None), chosen, skipped), None)
    if header is None:
        raise TableRefused("the file has no row; begin it with the names of its columns")
    if len(header.cells) > MOST_COLUMNS:
        raise TableRefused(f"has more than {MOST_COLUMNS} columns; give fewer", line=header.line)
    return table._replace(header=header)


def _rows(lines: Iterable[str], separator: str, skipped: int) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        line = skipped + reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as problem:
            raise TableRefused(_explain(problem), line=line) from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield Row(line, cells)


def _explain(problem: csv.Error) -> str:
    text = str(problem)
    if "unexpected end" in text:
        return "a quotation mark opens a cell and none closes it; close it, or double quotation marks within a cell"
    if "field limit" in text:
        return "a cell is longer than 131,072 characters; is a quotation mark missing that closes it?"
    return f"is not CSV ({text}); double quotation marks within a cell in quotation marks"


def _find_separator(lines: list[str]) -> str:
    """The separator that splits the first rows into the same number of cells, the more cells the better."""
    return max(SEPARATORS, key=lambda separator: _score(lines, separator))


def _score(lines: list[str], separator: str) -> tuple[float, int]:
    reader = csv.reader(lines, delimiter=separator)
    try:
        widths = [len(cells) for cells in reader if any(cells)]
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(1 < width <= widths[0] for width in widths) / len(widths), widths[0]
