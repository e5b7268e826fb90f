"""Mistakes in the files of a policy: collected over all files and reported together."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic_core import PydanticCustomError

MAX_MISTAKES = 200
Path = tuple[str | int, ...]
"""Keys and list indexes from the root of a file to a value."""


class PolicyRefused(Exception):
    """A policy cannot be used. `errors`: every mistake found, each as `file:line:column: where: what`."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(self.errors))


@dataclass(slots=True)
class Mistakes:
    """The first `MAX_MISTAKES` as (file, line, column, text), and the YAML events read so far."""

    entries: set[tuple[str, int, int, str]] = field(default_factory=set[tuple[str, int, int, str]])
    yaml_events: int = 0

    @property
    def are_enough(self) -> bool:
        return len(self.entries) >= MAX_MISTAKES

    def add(self, file: str, position: tuple[int, int], text: str) -> None:
        if not self.are_enough:
            self.entries.add((file, *position, text))

    def raise_any(self) -> None:
        """Raises `PolicyRefused` if there is a mistake."""
        errors = [f"{file}:{line}:{column}: {text}" for file, line, column, text in sorted(self.entries)]
        if self.are_enough:
            errors.append("there may be more mistakes; these come first")
        if errors:
            raise PolicyRefused(errors)


class Fault(NamedTuple):
    """One thing wrong with a value. `at`: the character of a text, from 0.

    `to`: the path from the value to what is at fault; ".." is the mapping around the value.
    """

    message: str
    at: int = 0
    to: Path = ()


def refuse(*faults: Fault) -> PydanticCustomError:
    """The error that a validator raises for these faults of its value."""
    return PydanticCustomError("faults", "wrong value", {"faults": faults})


def choose(value: str, options: Iterable[str]) -> str:
    """The value, if it is one of the options. Raises PydanticCustomError."""
    allowed = tuple(options)
    if value in allowed:
        return value
    raise PydanticCustomError("choice", "unknown value", {"value": value, "options": allowed})


def excerpt(value: str) -> str:
    """A written value, short enough for a message."""
    return repr(value if len(value) <= 60 else value[:57] + "...")
