"""Output of the `drumbeat` command: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
PIPE_WIDTH = 160
screen = Console(highlight=False, markup=False, emoji=False)
if not screen.is_terminal:
    screen = Console(highlight=False, markup=False, emoji=False, width=PIPE_WIDTH)
error_screen = Console(stderr=True, highlight=False, markup=False, emoji=False)


@dataclass(frozen=True, slots=True)
class InputFile:
    name: str
    content: bytes


def read_input(name: str) -> InputFile:
    """The value of an option that names a file; `-` is standard input."""
    try:
        return InputFile(name, sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes())
    except OSError as error:
        raise typer.BadParameter(f"{name} cannot be read ({error.strerror})") from error


def print_text(text: str = "") -> None:
    """Print a paragraph; the terminal wraps it."""
    screen.print(text, soft_wrap=True)


def print_json(value: object) -> None:
    """Print a document; instants become RFC 3339 in UTC."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, numeric: bool = False
) -> None:
    """Print a table, or `<title>: none`. The last column wraps; `numeric`: all but the first align right."""
    cells = [[cell(value) for value in row] for row in rows]
    if not cells:
        screen.print(f"{title}: none")
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns, start=1):
        table.add_column(
            column, no_wrap=place < len(columns), justify="right" if numeric and place > 1 else "left"
        )
    for row in cells:
        table.add_row(*map(Text, row))
    screen.print(table)


def cell(value: object) -> str:
    """The text of a value: instants to the minute, objects as JSON, null as a dash."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value[:16].replace("T", " ") if len(value) > 19 and value[10:11] == "T" else value
    return json.dumps(value) if isinstance(value, dict | list) else str(value)
