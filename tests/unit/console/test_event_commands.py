"""`drumbeat events post` against a server on a real socket: progress, interruptions, refusals (C)."""

import gzip
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest
import zstandard

from tests.unit.console.drumbeat import Result, drumbeat

ROOT = Path(__file__).resolve().parents[3]
AT_TERMINAL = """
import fcntl, signal, termios
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and what they start
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # from now on its keys are those of this session
from services.console.cli import main
main()
"""
MEASURED = """
import atexit, pathlib
def print_peak():  # in kB; that of the system call would count the process which started this one
    print(pathlib.Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0], file=__import__("sys").stderr)
atexit.register(print_peak)
from services.console.cli import main
main()
"""
Capture = pytest.CaptureFixture[str]


class Engine:
    """Answers `/v1/events`; `requests` are the ids of each. From request `fails_from` on it answers 503.

    Request `waits_at` gets its answer when the test sets `may_answer`. `scripted` answers come before all others: how
    many events get a result, the status of the answer, and `Retry-After`.
    """

    def __init__(self) -> None:
        self.requests: list[list[str]] = []
        self.fails_from = self.waits_at = 1_000
        self.may_answer = Event()
        self.refused: set[str] = set()
        self.scripted: list[tuple[int, int, str | None]] = []

    def answer(self, body: bytes) -> tuple[int, object, str | None]:
        if self.scripted:
            most, status, retry_after = self.scripted.pop(0)
            self.requests.append([json.loads(line)["id"] for line in body.splitlines()])
            results = [{"index": index, "status": "accepted"} for index in range(most)]
            return status, {"detail": "not now.", "results": results}, retry_after
        if len(self.requests) >= self.fails_from:
            return 503, {"detail": "later"}, None
        if len(self.requests) == self.waits_at:
            self.may_answer.wait(30)
        ids = [json.loads(line)["id"] for line in body.splitlines()]
        self.requests.append(ids)
        results = [
            {
                "index": index,
                "id": event_id,
                "status": "refused",
                "problem": f"data.score: {event_id} is no score",
            }
            if event_id in self.refused
            else {"index": index, "id": event_id, "status": "accepted"}
            for index, event_id in enumerate(ids)
        ]
        return 207, {"results": results}, None


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Engine]:
    engine = Engine()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, document, retry_after = engine.answer(
                self.rfile.read(int(self.headers["Content-Length"]))
            )
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if retry_after is not None:
                self.send_header("Retry-After", retry_after)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the terminal clean."""

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("services.console.event_sender.GIVE_UP_SECONDS", 0.5)  # less than the first wait
    Path("key").write_text("db_0123abcd_secret")
    monkeypatch.setenv("DRUMBEAT_API_KEY_FILE", "key")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DRUMBEAT_RULES_ENGINE__PORT", str(server.server_address[1]))
        yield engine
        server.shutdown()


def write_events(count: int) -> Path:
    path = Path("import.ndjson")
    path.write_text("\n".join(json.dumps({"id": f"e-{number}"}) for number in range(count)))
    return path


def post(capsys: Capture, *options: str) -> Result:
    return drumbeat(capsys, "events", "post", "import.ndjson", *options)


def test_an_interrupted_run_goes_on_where_it_stopped_and_skips_nothing(
    engine: Engine, capsys: Capture
) -> None:
    write_events(7_000)
    engine.fails_from = 2
    engine.refused = {"e-5"}
    stopped = post(capsys)
    assert stopped.code == 1
    assert "4000 events were sent, 3999 of them accepted; `--resume` goes on from there" in stopped.err
    assert Path("import.ndjson.progress").exists()

    engine.fails_from = 1_000
    resumed = post(capsys, "--resume")
    assert resumed.code == 1, "one was refused before the interruption"
    assert "Going on after 4000 events." in resumed.err
    assert "6999 accepted, 1 not accepted" in resumed.out
    assert [each for request in engine.requests for each in request] == [
        f"e-{number}" for number in range(7_000)
    ]
    assert not Path("import.ndjson.progress").exists()


@pytest.mark.parametrize("change", ["content", "server", "nothing kept"])
def test_what_was_kept_of_another_file_or_server_is_not_resumed(
    engine: Engine, capsys: Capture, change: str
) -> None:
    write_events(5_000)
    engine.fails_from = 1
    post(capsys)
    engine.fails_from = 1_000
    engine.requests.clear()
    progress = Path("import.ndjson.progress")
    match change:
        case "content":
            write_events(5_001)
        case "server":
            progress.write_text(progress.read_text().replace("http://127.0.0.1", "http://10.0.0.7"))
        case _:
            progress.write_text("{")
    resumed = post(capsys, "--resume")
    assert (resumed.code, "sending all events" in resumed.err) == (0, True)
    assert engine.requests[0][0] == "e-0"


def test_equal_refusals_are_one_line_that_counts_from_1(engine: Engine, capsys: Capture) -> None:
    write_events(3_000)
    engine.refused = {f"e-{number}" for number in range(2, 3_000)}
    result = post(capsys)
    assert (result.code, len(result.out.splitlines())) == (1, 4)
    assert "2 accepted, 2998 not accepted" in result.out
    assert result.out.splitlines()[-1].split(maxsplit=4) == [
        "2998", "3", "e-2", "refused", "data.score: e-2 is no score"
    ]  # fmt: skip

    document = json.loads(post(capsys, "--json").out)
    assert document["refusals"][0]["count"] == 2998
    assert (document["not_accepted"][0]["index"], document["not_accepted"][0]["position"]) == (2, 3)


def test_events_that_the_broker_did_not_acknowledge_are_sent_again(
    engine: Engine, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events(3)
    statuses = iter([("accepted", "unknown", "accepted"), ("accepted", "accepted")])

    def answer(body: bytes) -> tuple[int, object, str]:
        engine.requests.append([json.loads(line)["id"] for line in body.splitlines()])
        results = [{"index": index, "status": status} for index, status in enumerate(next(statuses))]
        return 207, {"results": results}, "0"

    monkeypatch.setattr(engine, "answer", answer)
    result = post(capsys)
    assert (result.code, engine.requests) == (0, [["e-0", "e-1", "e-2"], ["e-1", "e-2"]])
    assert "3 accepted, 0 not accepted" in result.out


@pytest.mark.parametrize("status", [429, 503])
def test_it_waits_as_long_as_the_answer_says_and_sends_what_has_no_result(
    engine: Engine, capsys: Capture, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr("services.console.event_sender.GIVE_UP_SECONDS", 30)
    write_events(3_000)
    engine.scripted = [(500, status, "1"), (0, status, "1")]
    began = time.monotonic()
    result = post(capsys)
    assert time.monotonic() - began >= 2
    assert (result.code, [request[0] for request in engine.requests]) == (
        0,
        ["e-0", "e-500", "e-500", "e-2000"],
    )
    assert "3000 accepted, 0 not accepted" in result.out
    assert f"answered {status}: not now. Trying again in 1 s." in result.err


@pytest.mark.parametrize("status", [400, 401, 413, 415])
def test_an_answer_without_results_is_no_success_and_nothing_is_skipped(
    engine: Engine, capsys: Capture, status: int
) -> None:
    write_events(2_500)
    engine.scripted = [(2_000, 202, None), (100, status, None)]
    stopped = post(capsys)
    assert stopped.code == 1
    assert f"answered {status}: not now." in stopped.err
    assert "2100 events were sent, 2100 of them accepted; `--resume` goes on from there" in stopped.err
    resumed = post(capsys, "--resume")
    assert (resumed.code, engine.requests[-1][0]) == (0, "e-2100")
    assert "2500 accepted" in resumed.out


def test_a_server_that_stays_busy_ends_the_run_before_a_wait_that_is_too_long(
    engine: Engine, capsys: Capture
) -> None:
    write_events(3)
    engine.scripted = [(0, 429, "86400")]
    result = post(capsys)
    assert (result.code, len(engine.requests)) == (1, 1)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_compressed_file_of_several_members_is_sent_and_one_that_is_cut_is_refused_whole(
    engine: Engine, capsys: Capture, pack: Callable[[bytes], bytes]
) -> None:
    lines = write_events(5_000).read_bytes().splitlines(keepends=True)
    packed = pack(b"".join(lines[:1_234])) + pack(b"".join(lines[1_234:]))
    path = Path("import.ndjson")
    path.write_bytes(packed[:-6])
    cut = post(capsys)
    assert (cut.code, engine.requests) == (2, [])
    assert "the file is not whole" in cut.error_text
    path.write_bytes(packed)
    assert post(capsys).code == 0
    assert [each for request in engine.requests for each in request] == [f"e-{each}" for each in range(5_000)]


def test_a_pipe_is_sent_while_it_is_read(engine: Engine, capsys: Capture) -> None:
    content = gzip.compress(write_events(5_000).read_bytes())
    os.mkfifo("pipe")
    writing = Thread(target=Path("pipe").write_bytes, args=(content,), daemon=True)
    writing.start()
    result = drumbeat(capsys, "events", "post", "pipe")
    writing.join(30)
    assert (result.code, sum(map(len, engine.requests))) == (0, 5_000)
    assert not Path("pipe.progress").exists()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("form", ["lines", "array", "gzip"])
def test_the_size_of_a_file_does_not_matter_to_the_memory(engine: Engine, form: str) -> None:
    """Issue 14, point 3: under 150 MB resident; a file that were read whole would need a multiple of its 32 MB."""
    events = [
        json.dumps({"id": f"e-{each}", "data": {"notes": f"{each % 97}" * 200}}).encode()
        for each in range(80_000)
    ]
    content = b"[" + b",\n".join(events) + b"]" if form == "array" else b"\n".join(events)
    assert len(content) > 30_000_000
    Path("import.ndjson").write_bytes(gzip.compress(content, 1) if form == "gzip" else content)
    command = [sys.executable, "-c", MEASURED, "events", "post", "import.ndjson"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert "80000 accepted, 0 not accepted" in done.stdout
    assert sum(map(len, engine.requests)) == 80_000
    peak = int(done.stderr.split()[-1]) / 1024
    assert peak < 130, f"{peak:.0f} MB"


def test_a_table_is_recognised_and_nothing_is_sent(engine: Engine, capsys: Capture) -> None:
    Path("import.ndjson").write_text("account,name\nacme,Acme\n")
    result = post(capsys)
    assert result.code == 2
    assert "is a table (CSV) with 2 columns" in result.error_text
    assert engine.requests == []


class Terminal:
    """A command at a terminal of its own, which sends it the signals of its keys."""

    def __init__(self, *arguments: str) -> None:
        self._keys, screen = pty.openpty()
        command = [sys.executable, "-c", AT_TERMINAL, *arguments]
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "PYTHONPATH": str(ROOT)}
        self._process = subprocess.Popen(
            command,
            stdin=screen,
            stdout=screen,
            stderr=screen,
            env=environment,
            start_new_session=True,
        )
        os.close(screen)
        self.text = ""

    def read_until(self, wanted: str) -> None:
        """Read what it shows until this is there. Raises AssertionError when it ends before."""
        while wanted not in self.text:
            assert self._read(), f"it ended without {wanted!r}: {self.text}"

    def press(self, keys: bytes) -> None:
        os.write(self._keys, keys)

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return self._process.wait(30)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._keys)

    def _read(self) -> bool:
        try:
            part = os.read(self._keys, 4096)
        except OSError:  # the other side of the terminal is closed
            part = b""
        self.text += part.decode(errors="replace")
        return bool(part)


@contextmanager
def at_a_terminal(*arguments: str) -> Generator[Terminal]:
    terminal = Terminal(*arguments)
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.mark.timeout(120)
def test_ctrl_c_at_a_terminal_says_how_far_it_is_and_how_to_go_on(engine: Engine) -> None:
    """C: the bar shows how many of how many; after Ctrl-C `--resume` sends the rest."""
    write_events(5_000)
    engine.waits_at = 1
    with at_a_terminal("events", "post", "import.ndjson") as first:
        first.read_until("2,000 of 5,000 events")
        first.press(b"\x03")
        code = first.end()
        shown = " ".join(first.text.split())
        assert "Interrupted" in shown
        assert "2000 events were sent, 2000 of them accepted; `--resume` goes on from there" in shown
        assert "Traceback" not in shown
        assert code == 1
    engine.waits_at = 1_000
    engine.may_answer.set()
    with at_a_terminal("events", "post", "import.ndjson", "--resume") as second:
        assert second.end() == 0
        assert "Going on after 2000 events." in second.text
        assert "5000 accepted, 0 not accepted" in second.text
    sent = [each for request in engine.requests for each in request]
    assert set(sent) == {f"e-{number}" for number in range(5_000)}
