"""What is quoted of a service that does not start."""

from pathlib import Path

from services.devstack.supervisor.stack import last_words


def test_a_refusal_is_quoted_once_and_whole(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("x cannot start: the policy is refused:\np.yaml:3:1: no\n" * 2)
    assert last_words("x", log) == "x cannot start: the policy is refused:\n  p.yaml:3:1: no"


def test_without_a_refusal_the_end_of_the_log_is_quoted(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("one\nImportError: no\n")
    assert last_words("x", log) == "x does not start:\n  one\n  ImportError: no"
