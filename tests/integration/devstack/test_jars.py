"""Jars that cannot be downloaded, or differ from the lock, end in one sentence."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from services.devstack.embedded.failures import CannotRun
from services.devstack.embedded.jars import class_path
from services.devstack.embedded.ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def use_mirror(home: Path, port: int) -> None:
    (home / ".jgorc").write_text(f"[repositories]\ncentral = http://127.0.0.1:{port}/maven2\n")


@contextmanager
def mirror_that_answers(body: bytes) -> Generator[int]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the terminal clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Answer)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def test_the_error_about_an_unreachable_mirror_names_the_alternatives(home: Path) -> None:
    use_mirror(home, free_port())
    lines: list[str] = []
    with pytest.raises(CannotRun) as error:
        class_path(lines.append)
    assert "from central ([Errno 111] Connection refused)" in str(error.value)
    assert "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS" in str(error.value)
    assert lines[0].startswith("Downloading Apache Kafka: 46 jars")


def test_a_jar_that_differs_from_the_lock_is_refused_and_deleted(home: Path) -> None:
    with mirror_that_answers(b"not a jar") as port:
        use_mirror(home, port)
        with pytest.raises(CannotRun, match="its checksum differs from the lock"):
            class_path(lambda _: None)
    assert not list((home / ".cache" / "drumbeat" / "maven").rglob("kafka_2.13-4.1.1.jar"))
