"""Shows the warnings and errors of the services' logs at the terminal in a readable form."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from services.devstack.embedded.processes import print_line

_SHOWN_LEVELS = {"warning", "error", "critical"}
_SHOWN_BY_SUPERVISOR = {"settings.unknown", "start.clock_skew"}  # once, not once for each service
_INTERVAL_SECONDS = 0.5
_LARGEST_READ = 64 * 1024  # bytes


def format_line(name: str, line: str) -> str | None:
    """A log line of a service for the terminal; None for one below a warning. Text that is not JSON is unchanged."""
    text = line.strip()
    if not text:
        return None
    try:
        document: object = json.loads(text)
    except ValueError:
        return f"{name} | {text}"
    if not isinstance(document, dict):
        return f"{name} | {text}"
    entry = cast("dict[str, object]", document)
    level = str(entry.pop("level", "info"))
    if level not in _SHOWN_LEVELS or entry.get("event") in _SHOWN_BY_SUPERVISOR:
        return None
    event, exception = entry.pop("event", ""), entry.pop("exception", None)
    for key in ("timestamp", "service"):
        entry.pop(key, None)
    words = [f"{name} | {level}: {event}", *(f"{key}={value}" for key, value in entry.items())]
    if exception:
        words.append(f"[{str(exception).strip().splitlines()[-1]}]")
    return " ".join(words)


class LogReader:
    """Reads what is appended to a log after the reader was created."""

    def __init__(self, name: str, log: Path) -> None:
        self._name = name
        self._log = log
        self._position = self._size()
        self._rest = b""

    def _size(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:
            return 0

    def new_lines(self) -> list[str]:
        """The formatted lines since the last call; of very many, only the newest."""
        size = self._size()
        if size < self._position:  # it was rotated
            self._position, self._rest = 0, b""
        if size == self._position:
            return []
        self._position = max(self._position, size - _LARGEST_READ)
        with self._log.open("rb") as file:
            file.seek(self._position)
            text = self._rest + file.read(size - self._position)
        self._position = size
        *lines, self._rest = text.split(b"\n")
        shown = [format_line(self._name, line.decode(errors="replace")) for line in lines]
        return [line for line in shown if line is not None]


async def show_logs(readers: Sequence[LogReader]) -> None:
    """Show new lines of all logs until cancelled; a line is not repeated when it comes twice in a row."""
    previous = ""
    while True:
        for line in (line for reader in readers for line in reader.new_lines()):
            if line != previous:
                print_line(line)
            previous = line
        await asyncio.sleep(_INTERVAL_SECONDS)
