"""Positions in policy files: their labels, and the ids of their lines on the policy page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.console.json_fields import Json, number, text


@dataclass(frozen=True, slots=True)
class SourceLink:
    """`text`: `file:line`; `anchor`: id of the line on the page, empty when the page does not show it."""

    text: str = ""
    anchor: str = ""


NO_LINK: Final = SourceLink()


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A policy file. `lines`: (id of the line on the page, text)."""

    name: str
    lines: tuple[tuple[str, str], ...]


class SourceMap:
    """The lines of the files that a page shows."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._lines = {name: files[name].splitlines() for name in sorted(files)}
        self._index = {name: index for index, name in enumerate(self._lines)}

    def link_of(self, document: Json) -> SourceLink:
        """The position under `file` and `line` of an API object."""
        file, line = text(document, "file"), number(document, "line")
        name = file if file in self._index else file.rpartition("/")[2]
        if not name:
            return NO_LINK
        is_shown = 0 < line <= len(self._lines.get(name, ()))
        return SourceLink(
            f"{name}:{line}" if line > 0 else name, self._anchor(name, line) if is_shown else ""
        )

    def files(self) -> tuple[SourceFile, ...]:
        return tuple(
            SourceFile(
                name, tuple((self._anchor(name, number), line) for number, line in enumerate(lines, start=1))
            )
            for name, lines in self._lines.items()
        )

    def _anchor(self, name: str, line: int) -> str:
        return f"line-{self._index[name]}-{line}"
