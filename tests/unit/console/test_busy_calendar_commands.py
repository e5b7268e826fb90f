"""`drumbeat feeds busy` against a scheduler on a real socket."""

import io
import json
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.unit.console.drumbeat import drumbeat

Capture = pytest.CaptureFixture[str]
Calls = list[tuple[str, str, Any]]
SECRET = "https://calendar.example.com/ical/secret.ics"
CALENDAR = {
    "csm_id": "ana", "url": "https://calendar.example.com/****", "made_at": "2026-03-02T09:00:00Z",
    "read_at": "2026-03-02T09:14:00Z", "next_read_at": "2026-03-02T09:29:00Z", "kept_until": "2026-03-09T09:14:00Z",
    "busy_times": 212, "left_out": 0, "problem": None,
}  # fmt: skip
PROBLEM = {"text": "the address answers 404", "since": "2026-03-02T10:00:00Z", "failures": 3}
LINE = "Busy time: 212 entries of calendar.example.com, read 2026-03-02 09:14 UTC"


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Calls]:
    """What the scheduler was asked: method, path, body. It knows a calendar of `ana`, and one of `kim` with a problem."""
    made: Calls = []
    known = {"ana": CALENDAR, "kim": {**CALENDAR, "csm_id": "kim", "problem": PROBLEM}}

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            made.append((self.command, self.path, json.loads(body) if body else None))
            csm = self.path.split("/")[3] if self.path.startswith("/v1/csms/") else ""
            document: Any = {"items": list(known.values())} if not csm else known.get(csm)
            status = 404 if document is None else 204 if self.command == "DELETE" else 200
            missing = {"detail": f"Nobody has set the address of a calendar of {csm}.", "status": 404}
            content = b"" if status == 204 else json.dumps(document or missing).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_PUT = do_GET = do_DELETE = answer  # noqa: N815

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


def test_an_address_is_set_and_shown_as_its_host(calls: Calls, capsys: Capture) -> None:
    result = drumbeat(capsys, "feeds", "busy", "set", "ana", SECRET)
    assert (result.code, result.out.strip()) == (0, LINE)
    assert calls == [("PUT", "/v1/csms/ana/busy-calendar", {"url": SECRET})]


def test_an_address_is_read_from_the_standard_input(
    calls: Calls, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arguments of commands are seen by everybody on the machine, and are kept in the history of the shell."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    assert drumbeat(capsys, "feeds", "busy", "set", "ana", "-", "--json").code == 0
    assert calls == [("PUT", "/v1/csms/ana/busy-calendar", {"url": SECRET})]

    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert drumbeat(capsys, "feeds", "busy", "set", "ana", "-").code == 2
    assert len(calls) == 1


def test_calendars_are_shown_and_one_that_cannot_be_read_is_a_finding(calls: Calls, capsys: Capture) -> None:
    one = drumbeat(capsys, "feeds", "busy", "show", "ana")
    assert (one.code, "212 entries" in one.out) == (0, True)
    everybody = drumbeat(capsys, "feeds", "busy", "show")
    assert (everybody.code, "answers 404" in " ".join(everybody.out.split())) == (1, True)
    assert [path for _, path, _ in calls] == ["/v1/csms/ana/busy-calendar", "/v1/busy-calendars"]
    found = drumbeat(capsys, "feeds", "busy", "show", "kim", "--json")
    assert (found.code, json.loads(found.out)["problem"]) == (1, PROBLEM)


def test_an_address_is_forgotten(calls: Calls, capsys: Capture) -> None:
    result = drumbeat(capsys, "feeds", "busy", "remove", "ana")
    assert (result.code, "forgotten" in result.out) == (0, True)
    assert calls == [("DELETE", "/v1/csms/ana/busy-calendar", None)]


def test_what_is_not_there_is_said(calls: Calls, capsys: Capture) -> None:
    result = drumbeat(capsys, "feeds", "busy", "remove", "a/b")
    assert (result.code, calls) == (1, [("DELETE", "/v1/csms/a%2Fb/busy-calendar", None)])
    assert "Nobody has set the address" in result.error_text
