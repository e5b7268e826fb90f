"""Documents of the APIs as tables for the terminal."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

Json = dict[str, object]

_WIDE = 160
screen = Console(highlight=False, markup=False)
if not screen.is_terminal:
    screen = Console(highlight=False, markup=False, width=_WIDE)  # a pipe has no edge to wrap at


def items(document: Mapping[str, object], name: str = "items") -> list[Json]:
    """The list of objects under `name`; empty when there is none."""
    found = document.get(name)
    return [cast("Json", each) for each in cast("list[object]", found)] if isinstance(found, list) else []


def part(document: Mapping[str, object], name: str) -> Json:
    """The object under `name`; empty when there is none."""
    found = document.get(name)
    return cast("Json", found) if isinstance(found, dict) else {}


def cell(value: object) -> str:
    """One value for one cell: times to the minute, objects as JSON, nothing as a dash."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value[:16].replace("T", " ") if len(value) > 19 and value[10:11] == "T" else value
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; an empty one says so in a line."""
    shown = [[cell(value) for value in row] for row in rows]
    if not shown:
        screen.print(f"{title}: nothing")
        return
    drawn = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns, start=1):
        drawn.add_column(column, no_wrap=place < len(columns))
    for row in shown:
        drawn.add_row(*map(Text, row))
    screen.print(drawn)


def document(value: object) -> None:
    """Print a document as JSON, for programs."""
    screen.print_json(json.dumps(value))


def reason_text(row: Mapping[str, object]) -> str:
    """The words of a reason, whether it came whole or as text."""
    reason = row.get("reason")
    return cell(part(row, "reason").get("text")) if isinstance(reason, dict) else cell(reason)


def touchpoints(title: str, rows: Iterable[Json]) -> None:
    """The calendar's listing."""
    names = ("due_at", "account_id", "type", "status", "owner", "channel")
    columns = ("due", "account", "touchpoint", "status", "owner", "channel", "why")
    table(title, columns, [[*(_owner(row, name) for name in names), reason_text(row)] for row in rows])


def _owner(row: Mapping[str, object], name: str) -> object:
    value = row.get(name)
    return part(row, name).get("kind") if isinstance(value, dict) else value
