"""Mistakes in content files: all of them are collected and told together, each with its place."""

from collections.abc import Iterable
from typing import NamedTuple


class Mistake(NamedTuple):
    """`line` and `column` count from 1."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.text}"


class ContentRefused(Exception):
    """Content cannot be used. `mistakes`: every one found, in order of place."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(map(str, self.mistakes)))


def place(text: str, at: int, start: tuple[int, int] = (1, 1)) -> tuple[int, int]:
    """Line and column of a character of a text that begins at `start`."""
    line = text.count("\n", 0, at)
    column = at - (text.rfind("\n", 0, at) + 1)
    return start[0] + line, column + (start[1] if line == 0 else 1)
