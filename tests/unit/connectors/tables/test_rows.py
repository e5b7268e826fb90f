"""Files as rows with their lines."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connectors.tables.refusal import TableRefused
from services.connectors.tables.rows import SEPARATORS, Row, open_table


def rows(content: str) -> list[Row]:
    return list(open_table(BytesIO(content.encode())).rows())


@pytest.mark.parametrize(
    ("content", "separator"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2\n", ";"),
        ("a\tb\n1,5\t2;3\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ('a;b\n"x;y,z";2\n', ";"),
        ("sep=|\na|b,c,d\n1|2\n", "|"),
        ("a\n1\n", ","),
    ],
)
def test_the_separator_is_found(content: str, separator: str) -> None:
    table = open_table(BytesIO(content.encode()))
    assert (table.separator, table.header.cells[0]) == (separator, "a")


def test_rows_keep_the_line_on_which_they_begin() -> None:
    content = 'sep=;\nid;name\n\n1;"two\r\nlines"\n;;;\n2;x\n'
    assert rows(content) == [Row(4, ["1", "two\r\nlines"]), Row(7, ["2", "x"])]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ('a,b\n1,"x\n2,y\n', "line 2: a quotation mark opens a cell and none closes it"),
        ('a,b\n1,2\n"x"y,2\n', "line 3: is not CSV"),
        ('a,b\n1,"' + "x\n" * 140_000, "line 2: a cell is longer than 131,072 characters"),
        ("\n , \n", "the file has no row"),
        (",".join("x" * 501), "line 1: has more than 500 columns"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(content: str, problem: str) -> None:
    with pytest.raises(TableRefused, match=problem):
        rows(content)


def test_a_separator_may_be_named() -> None:
    assert open_table(BytesIO(b"a;b,c\n"), separator=",").header.cells == ["a;b", "c"]
    with pytest.raises(TableRefused, match="none of comma, semicolon, tab and pipe"):
        open_table(BytesIO(b"a"), separator="x")


CELL = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12)


@given(st.sampled_from(list(SEPARATORS)), st.lists(st.tuples(CELL, CELL), max_size=8))
def test_any_cells_in_quotation_marks_come_back(separator: str, cells: list[tuple[str, str]]) -> None:
    def line(row: tuple[str, str]) -> str:
        return separator.join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n"

    written = "".join(map(line, [("a", "b"), *cells]))
    table = open_table(BytesIO(written.encode()), separator=separator)
    expected = [list(row) for row in cells if any(cell.strip() for cell in row)]
    assert [row.cells for row in table.rows()] == expected
