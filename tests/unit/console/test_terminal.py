"""Documents as tables for people and as JSON for programs."""

import json
from datetime import UTC, datetime

import pytest

from services.console import terminal


def test_cells_are_short_and_show_a_dash_for_null() -> None:
    assert terminal.cell("2026-11-23T14:42:37.245476Z") == "2026-11-23 14:42"
    assert terminal.cell(None) == "-"
    assert terminal.cell(["a"]) == '["a"]'
    assert terminal.cell(3) == "3"


def test_an_empty_table_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_table("Due", ("due", "account"), [])
    assert capsys.readouterr().out == "Due: none\n"


def test_json_has_instants_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_json({"at": datetime(2026, 11, 23, 14, 42, tzinfo=UTC)})
    assert json.loads(capsys.readouterr().out) == {"at": "2026-11-23T14:42:00Z"}
