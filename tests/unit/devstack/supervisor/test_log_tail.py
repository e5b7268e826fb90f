"""What the terminal shows of the services' logs."""

import json
from pathlib import Path

from services.devstack.supervisor.log_tail import LogReader, format_line


def test_only_warnings_and_errors_are_shown_without_time_and_service() -> None:
    line = {"level": "warning", "event": "relay.slow", "timestamp": "…", "service": "scheduler", "seconds": 3}
    assert format_line("scheduler", json.dumps(line)) == "scheduler | warning: relay.slow seconds=3"
    assert format_line("scheduler", json.dumps({**line, "level": "info"})) is None


def test_the_last_line_of_an_exception_is_shown() -> None:
    line = {"level": "error", "event": "pass.failed", "exception": "Traceback\n  …\nValueError: no\n"}
    assert format_line("x", json.dumps(line)) == "x | error: pass.failed [ValueError: no]"


def test_a_line_that_is_not_json_is_shown_unchanged() -> None:
    assert format_line("x", "x cannot start: no key\n") == "x | x cannot start: no key"
    assert format_line("x", "\n") is None


def test_a_reader_returns_every_line_once_when_it_is_complete(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    reader = LogReader("x", log)
    assert reader.new_lines() == []
    with log.open("a") as file:
        file.write("one\ntw")
        file.flush()
        assert reader.new_lines() == ["x | one"]
        file.write("o\n")
    assert reader.new_lines() == ["x | two"]
    assert reader.new_lines() == []


def test_a_rotated_log_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("a long line before\n")
    reader = LogReader("x", log)
    log.write_text("new\n")
    assert reader.new_lines() == ["x | new"]
