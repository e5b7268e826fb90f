"""Warnings and errors of the services, brought from their log files to the terminal in a readable form."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from services.devstack.supervisor.child import Tell, tell

_LOUD = {"warning", "error", "critical"}
_TICK = 0.3
_MOST_AT_ONCE = 64 * 1024


def readable(name: str, line: str) -> str | None:
    """A log line for the terminal, None when it is not worth one; what is no JSON is shown as it is."""
    words = line.strip()
    if not words:
        return None
    try:
        found: object = json.loads(words)
    except ValueError:
        return f"{name} | {words}"
    if not isinstance(found, dict):
        return f"{name} | {words}"
    entry = cast("dict[str, object]", found)
    level = str(entry.pop("level", "info"))
    if level not in _LOUD:
        return None
    event, exception = entry.pop("event", ""), entry.pop("exception", None)
    for known in ("timestamp", "service"):
        entry.pop(known, None)
    said = [f"{name} | {level}: {event}", *(f"{key}={value}" for key, value in entry.items())]
    if exception:
        said.append(f"[{str(exception).strip().splitlines()[-1]}]")
    return " ".join(said)


class Follower:
    """Reads what is appended to one log, from where it stood when it was made."""

    def __init__(self, name: str, log: Path) -> None:
        self._name = name
        self._log = log
        self._place = self._size()
        self._rest = b""

    def _size(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:
            return 0

    def news(self) -> list[str]:
        """The readable lines since the last call; of a flood, only the newest part."""
        size = self._size()
        if size < self._place:  # begun anew
            self._place, self._rest = 0, b""
        if size == self._place:
            return []
        self._place = max(self._place, size - _MOST_AT_ONCE)
        with self._log.open("rb") as file:
            file.seek(self._place)
            text = self._rest + file.read(size - self._place)
        self._place = size
        *lines, self._rest = text.split(b"\n")
        shown = [readable(self._name, line.decode(errors="replace")) for line in lines]
        return [line for line in shown if line is not None]


async def echo(followers: Sequence[Follower], say: Tell = tell) -> None:
    """Bring news of every log to the terminal until cancelled; the same line is not repeated in a row."""
    before = ""
    while True:
        for line in (line for each in followers for line in each.news()):
            if line != before:
                say(line)
            before = line
        await asyncio.sleep(_TICK)
