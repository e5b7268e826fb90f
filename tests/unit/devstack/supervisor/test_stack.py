"""The message about a service that does not start."""

from pathlib import Path

from services.devstack.supervisor.stack import last_message


def test_the_last_message_of_the_service_is_quoted_completely(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("x cannot start: the policy is refused:\np.yaml:3:1: no\n" * 2)
    assert last_message("x", log) == "x cannot start: the policy is refused:\n  p.yaml:3:1: no"


def test_without_a_message_the_end_of_the_log_is_quoted(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("one\nImportError: no\n")
    assert last_message("x", log) == "x does not start:\n  one\n  ImportError: no"
