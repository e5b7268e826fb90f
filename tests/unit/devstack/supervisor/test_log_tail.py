"""What of the services' logs reaches the terminal."""

import json
from pathlib import Path

from services.devstack.supervisor.log_tail import Follower, readable


def test_only_warnings_and_errors_are_shown_without_their_frame() -> None:
    line = {"level": "warning", "event": "relay.slow", "timestamp": "…", "service": "scheduler", "seconds": 3}
    assert readable("scheduler", json.dumps(line)) == "scheduler | warning: relay.slow seconds=3"
    assert readable("scheduler", json.dumps({**line, "level": "info"})) is None


def test_of_an_exception_the_last_line_is_shown() -> None:
    line = {"level": "error", "event": "pass.failed", "exception": "Traceback\n  …\nValueError: no\n"}
    assert readable("x", json.dumps(line)) == "x | error: pass.failed [ValueError: no]"


def test_words_that_are_no_json_are_shown_as_they_are() -> None:
    assert readable("x", "x cannot start: no key\n") == "x | x cannot start: no key"
    assert readable("x", "\n") is None


def test_a_follower_tells_each_line_once_and_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    follower = Follower("x", log)
    assert follower.news() == []
    with log.open("a") as file:
        file.write("one\ntw")
        file.flush()
        assert follower.news() == ["x | one"]
        file.write("o\n")
    assert follower.news() == ["x | two"]
    assert follower.news() == []


def test_a_log_that_begins_anew_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("a long line before\n")
    follower = Follower("x", log)
    log.write_text("new\n")
    assert follower.news() == ["x | new"]
