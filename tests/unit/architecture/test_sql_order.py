"""SQL orders by the columns of tables: a bare name means the column of the answer, and that may be text."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CAST = re.compile(r"(?<![\w.(])(?:\w+\.)?(\w+)::text\b(?!\s+AS\b|::)", re.IGNORECASE)
ORDER = re.compile(r"ORDER BY ([^)\n]+)", re.IGNORECASE)


def statements() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "services").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "ORDER BY" in node.value:
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


def cast_columns_in_order(sql: str) -> set[str]:
    """The columns that the answer has as text and that the order names without their table."""
    names = {name for clause in ORDER.findall(sql) for name in re.findall(r"(?<![\w.$:])([a-z_]\w*)", clause)}
    return names & {name.lower() for name in CAST.findall(sql)}


def test_no_statement_orders_by_a_number_as_text() -> None:
    """A13(a): `SELECT xid::text ... ORDER BY xid` goes back from 999 to 1000."""
    found = {place: columns for place, sql in statements() if (columns := cast_columns_in_order(sql))}

    assert found == {}


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT xid::text, seq FROM feed ORDER BY xid, seq LIMIT 1", {"xid"}),
        ("SELECT f.xid::text FROM feed f ORDER BY xid", {"xid"}),
        ("SELECT xid::text AS position FROM feed ORDER BY feed.xid", set[str]()),
        ("SELECT xid::text::bigint FROM feed ORDER BY xid", set[str]()),
        ("SELECT id FROM feed WHERE $1::text IS NULL ORDER BY id", set[str]()),
    ],
)
def test_the_check_finds_what_it_is_for(sql: str, columns: set[str]) -> None:
    assert cast_columns_in_order(sql) == columns
