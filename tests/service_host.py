"""Starts processes of one service, or commands, with their modules imported already: a tenth of the processor time.

What runs is the own `main` of the service or of the command line, in a process of its own, with its own environment,
folder and streams; only its imports are those of the host from which it was forked. That the commands
`python -m services.<name> serve` and `drumbeat` start is tested where starting is what is tested.
`python -m tests.service_host <module>` is the host: it reads a request a line from standard input, and writes a line for
each process that it started (its id) and for each that ended (its id and exit code).
"""

import contextlib
import gc
import importlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[1]
POLL_SECONDS = 0.01
LONGEST_SECONDS = 480  # until a process ends, on a busy machine


class ServiceHost:
    """The host of one service or of the command line, as the tests use it. It ends with the process that made it.

    `module`: that of `main`; `root`: where its code is.
    """

    def __init__(self, module: str, root: Path = ROOT) -> None:
        self._host = subprocess.Popen(
            [sys.executable, "-m", "tests.service_host", module],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
        )  # fmt: skip
        self._unread = b""
        self._ended: dict[int, int] = {}

    def start(
        self,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        arguments: Sequence[str] = ("serve",),
        *,
        errors: Path | None = None,
        answers: Path = Path(os.devnull),
    ) -> "ForkedProcess":
        """A process with this environment and folder. What it prints is appended to the log, or to `errors`.

        `answers`: its standard input.
        """
        request = {
            "environment": dict(environment), "folder": str(folder), "arguments": arguments,
            "streams": [str(answers), str(log), str(errors or log)],
        }  # fmt: skip
        assert self._host.stdin is not None
        self._host.stdin.write(json.dumps(request).encode() + b"\n")
        self._host.stdin.flush()
        while True:
            for message in self._read(seconds=60):
                if "started" in message:
                    self._read(seconds=0)
                    return ForkedProcess(int(message["started"]), self)

    def exit_code(self, pid: int) -> int | None:
        """Of a process that was started here; None while it runs."""
        self._read(seconds=0)
        return self._ended.get(pid)

    def _read(self, *, seconds: float) -> list[dict[str, Any]]:
        """The messages that have come, after waiting for one; notes which processes ended."""
        assert self._host.stdout is not None
        descriptor = self._host.stdout.fileno()
        while select.select([descriptor], [], [], seconds)[0]:
            received = os.read(descriptor, 65_536)
            if not received:
                raise AssertionError(f"the host of the service ended with {self._host.wait()}")
            self._unread += received
            seconds = 0
        *lines, self._unread = self._unread.split(b"\n")
        messages = [json.loads(line) for line in lines]
        self._ended |= {message["ended"]: message["code"] for message in messages if "ended" in message}
        return messages


@dataclass
class ForkedProcess:
    """A process of a service, with what the tests use of `subprocess.Popen`."""

    pid: int
    host: ServiceHost
    returncode: int | None = field(default=None, init=False)

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self.host.exit_code(self.pid)
        return self.returncode

    def wait(self, timeout: float = LONGEST_SECONDS) -> int:
        """Raises TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(["services"], timeout)
            time.sleep(POLL_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run_command(
    host: ServiceHost,
    environment: Mapping[str, str],
    folder: Path,
    *arguments: str,
    answers: str = "",
    seconds: float = LONGEST_SECONDS,
) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, as `subprocess.run` does. `answers`: what is written to its standard input."""
    with tempfile.TemporaryDirectory(prefix="drumbeat-command-") as name:
        written, printed, errors = (Path(name, stream) for stream in ("in", "out", "err"))
        written.write_text(answers, encoding="utf-8")
        process = host.start(environment, folder, printed, arguments, errors=errors, answers=written)
        code = process.wait(seconds)
        texts = [path.read_text(encoding="utf-8") for path in (printed, errors)]
        return subprocess.CompletedProcess(arguments, code, *texts)


def _serve_requests(module: str) -> None:
    main = importlib.import_module(module).main
    gc.collect()
    gc.freeze()
    waker, woken = os.pipe()[::-1]
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _wake)
    unread = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _report_ended()
        if 0 not in ready:
            continue
        received = os.read(0, 1 << 20)
        if not received:
            return
        *lines, unread = (unread + received).split(b"\n")
        for line in lines:
            pid = os.fork()
            if not pid:
                _become_service(json.loads(line), module, main)
            _write({"started": pid})


def _wake(_: int, __: object) -> None:
    """A signal with a handler is written to the wake-up descriptor."""


def _report_ended() -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            _write({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _write(message: Mapping[str, int]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def _become_service(request: Mapping[str, Any], module: str, main: Any) -> NoReturn:
    """Run it as a process that was started anew would, and end."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, path in enumerate(request["streams"]):
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT if number else os.O_RDONLY
            os.dup2(os.open(path, flags, 0o644), number)
        os.closerange(3, 1024)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        random.seed()
        sys.argv = [module, *request["arguments"]]
        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve_requests(sys.argv[1])
