"""`drumbeat feeds` against a scheduler on a real socket."""

import json
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.unit.console.drumbeat import drumbeat

Capture = pytest.CaptureFixture[str]
FEED = {"id": "f1", "account_id": None, "csm_id": "ana", "made_at": "2026-03-02T09:00:00Z"}
URL = "https://drumbeat.example/v1/calendars/secret.ics"


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[list[tuple[str, str, Any]]]:
    """What the scheduler was asked: method, path, body."""
    made: list[tuple[str, str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            made.append((self.command, self.path, json.loads(body) if body else None))
            status, document = {
                "POST": (201, {**FEED, "token": "secret", "url": URL}),
                "GET": (200, {"items": [FEED]}),
                "DELETE": (204, None),
            }[self.command]
            content = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    (tmp_path / "key").write_text("db_0123abcd_secret")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRUMBEAT_API_KEY_FILE", "key")
    monkeypatch.setenv("DRUMBEAT_SCHEDULER__PORT", str(server.server_address[1]))
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_is_made_and_shown_with_how_to_end_it(
    calls: list[tuple[str, str, Any]], capsys: Capture
) -> None:
    result = drumbeat(capsys, "feeds", "make", "--csm", "ana")
    assert result.code == 0
    assert calls == [("POST", "/v1/calendars", {"csm_id": "ana"})]
    assert result.out.splitlines() == [URL, "`drumbeat feeds revoke f1` ends it"]
    assert (
        json.loads(drumbeat(capsys, "feeds", "make", "--account", "acme", "--json").out)["token"] == "secret"
    )
    assert calls[1] == ("POST", "/v1/calendars", {"account_id": "acme"})


def test_the_addresses_of_somebody_are_listed(calls: list[tuple[str, str, Any]], capsys: Capture) -> None:
    result = drumbeat(capsys, "feeds", "list", "--csm", "ana")
    assert (result.code, calls) == (0, [("GET", "/v1/calendars?csm_id=ana", None)])
    assert "f1" in result.out
    assert "2026-03-02 09:00" in result.out


def test_an_address_is_revoked(calls: list[tuple[str, str, Any]], capsys: Capture) -> None:
    result = drumbeat(capsys, "feeds", "revoke", "a/b")
    assert (result.code, calls) == (0, [("DELETE", "/v1/calendars/a%2Fb", None)])


@pytest.mark.parametrize("owner", [[], ["--csm", "ana", "--account", "acme"]])
@pytest.mark.parametrize("command", ["make", "list"])
def test_a_feed_has_one_owner(
    command: str, owner: list[str], calls: list[tuple[str, str, Any]], capsys: Capture
) -> None:
    result = drumbeat(capsys, "feeds", command, *owner)
    assert (result.code, calls) == (2, [])
    assert "give either --csm or --account" in result.error_text
