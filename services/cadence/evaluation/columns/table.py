"""Rows as NumPy columns: numbers are float64 and null is NaN; choices, truths and texts are codes and null is -1."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from services.cadence.expressions.compile import Values
from services.cadence.features.registry import Feature

NULL = -1
Numbers = NDArray[np.float64]
Codes = NDArray[np.int32]
Bools = NDArray[np.bool_]


class UnknownChoice(Exception):
    """A row holds a value that its word does not list."""


@dataclass(frozen=True, slots=True)
class Columns:
    """`numbers` and `codes` by word, all of `size` rows. `texts`: the code of every text, the same for all words."""

    size: int
    numbers: Mapping[str, Numbers]
    codes: Mapping[str, Codes]
    texts: Mapping[str, int]

    def part(self, rows: slice) -> "Columns":
        return Columns(
            len(range(*rows.indices(self.size))),
            {name: column[rows] for name, column in self.numbers.items()},
            {name: column[rows] for name, column in self.codes.items()},
            self.texts,
        )


def columns_of(rows: Sequence[Values], read: Iterable[str], words: Mapping[str, Feature]) -> Columns:
    """The columns of these rows for the words read. Raises `UnknownChoice`."""
    numbers: dict[str, Numbers] = {}
    codes: dict[str, Codes] = {}
    texts: dict[str, int] = {}
    for name in dict.fromkeys(read):
        held = [row.get(name) for row in rows]
        word = words[name]
        if word.kind == "number":
            numbers[name] = np.array([np.nan if each is None else each for each in held], np.float64)
        elif word.kind == "text":
            found = [
                NULL if each is None else texts.setdefault(cast("str", each), len(texts)) for each in held
            ]
            codes[name] = np.array(found, np.int32)
        else:
            try:
                found = [NULL if each is None else _code(word, each) for each in held]
            except ValueError:
                raise UnknownChoice(f"{name} holds a value beside {', '.join(word.values)}") from None
            codes[name] = np.array(found, np.int32)
    return Columns(len(rows), numbers, codes, texts)


def _code(word: Feature, value: object) -> int:
    return int(bool(value)) if word.kind == "truth" else word.values.index(cast("str", value))
