"""`drumbeat users` against a rules engine on a real socket."""

import io
from pathlib import Path

import pytest

from tests.unit.console.api_server import serving
from tests.unit.console.drumbeat import drumbeat

Capture = pytest.CaptureFixture[str]
KIM = {
    "login": "kim",
    "name": "Kim Okafor",
    "email": None,
    "role": "csm",
    "state": "active",
    "has_password": True,
}
PASSWORD = "seven green herons wade"


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("db_0123abcd_secret")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRUMBEAT_API_KEY_FILE", "key")


def test_a_user_is_added_with_a_password_from_standard_input(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    with serving({("POST", "/v1/users"): [(201, KIM)]}) as (port, calls):
        monkeypatch.setenv("DRUMBEAT_RULES_ENGINE__PORT", str(port))
        result = drumbeat(capsys, "users", "add", "kim", "--role", "csm", "--password-from", "stdin")
    assert (result.code, result.out.strip()) == (0, "kim: added as csm")
    assert calls == [("POST", "/v1/users", {"login": "kim", "role": "csm", "password": PASSWORD})]
    assert PASSWORD not in result.out + result.err


def test_without_a_terminal_the_password_is_asked_for_on_standard_input(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD))
    with serving({}) as (port, calls):
        monkeypatch.setenv("DRUMBEAT_RULES_ENGINE__PORT", str(port))
        result = drumbeat(capsys, "users", "password", "kim")
    assert (result.code, calls) == (2, [])
    assert "--password-from stdin" in result.error_text


@pytest.mark.parametrize(
    ("arguments", "call", "printed"),
    [
        (
            ("role", "kim", "admin"),
            ("PUT", "/v1/users/kim/role", {"role": "admin"}),
            "kim: admin from now on",
        ),
        (("disable", "kim"), ("POST", "/v1/users/kim/disable", None), "kim: disabled"),
        (("enable", "kim"), ("POST", "/v1/users/kim/enable", None), "kim: enabled"),
    ],
)
def test_a_user_is_changed(
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    call: tuple[str, str, object],
    printed: str,
) -> None:
    with serving({call[:2]: [(200, KIM)]}) as (port, calls):
        monkeypatch.setenv("DRUMBEAT_RULES_ENGINE__PORT", str(port))
        result = drumbeat(capsys, "users", *arguments)
    assert (result.code, result.out.strip(), calls) == (0, printed, [call])


def test_users_are_listed(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({("GET", "/v1/users"): [(200, {"items": [KIM], "next_cursor": None})]}) as (port, _):
        monkeypatch.setenv("DRUMBEAT_RULES_ENGINE__PORT", str(port))
        result = drumbeat(capsys, "users")
    assert result.code == 0
    assert "Kim Okafor" in result.out


def test_a_refusal_is_printed_with_exit_code_1(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({("POST", "/v1/users/who/disable"): [(404, {"detail": "There is no user 'who'."})]}) as (
        port,
        _,
    ):
        monkeypatch.setenv("DRUMBEAT_RULES_ENGINE__PORT", str(port))
        result = drumbeat(capsys, "users", "disable", "who")
    assert result.code == 1
    assert "no user 'who'" in result.err
