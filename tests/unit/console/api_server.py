"""A service on a real socket that gives prepared answers and notes what it was asked."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Call = tuple[str, str, Any]
"""Method, path with query, and body (None without one)."""
Answers = Mapping[tuple[str, str], list[tuple[int, Any]]]
"""Method and path without query -> the answers in turn: status and document. The last one is given again."""


@contextmanager
def serving(answers: Answers) -> Generator[tuple[int, list[Call]]]:
    """Its port, and the calls so far."""
    calls: list[Call] = []
    left = {key: list(turns) for key, turns in answers.items()}

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            calls.append((self.command, self.path, json.loads(body) if body else None))
            turns = left[self.command, self.path.partition("?")[0]]
            status, document = turns.pop(0) if len(turns) > 1 else turns[0]
            content = b"" if document is None else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """The test prints no requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1], calls
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
