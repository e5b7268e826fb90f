"""Places in policy files: how they are named, and where on the page their line stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.console.json_fields import Json, number, text


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is said. `anchor`: the id of the line on the page; empty when it is not there."""

    text: str = ""
    anchor: str = ""


NOWHERE: Final = Place()


@dataclass(frozen=True, slots=True)
class File:
    """A file of a policy. `lines`: (id of the line, its text)."""

    name: str
    lines: tuple[tuple[str, str], ...]


class Places:
    """The lines of some files, as they stand on the page."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self._lines = {name: files[name].splitlines() for name in sorted(files)}
        self._index = {name: index for index, name in enumerate(self._lines)}

    def of(self, said: Json) -> Place:
        """The place that an object of the API tells with `file` and `line`."""
        return self.at(text(said, "file"), number(said, "line"))

    def at(self, file: str, line: int) -> Place:
        name = file.rpartition("/")[2]
        if not name:
            return NOWHERE
        known = 0 < line <= len(self._lines.get(name, ()))
        return Place(f"{name}:{line}" if line > 0 else name, self._anchor(name, line) if known else "")

    def files(self) -> tuple[File, ...]:
        return tuple(
            File(
                name, tuple((self._anchor(name, number), line) for number, line in enumerate(lines, start=1))
            )
            for name, lines in self._lines.items()
        )

    def _anchor(self, name: str, line: int) -> str:
        return f"line-{self._index[name]}-{line}"
