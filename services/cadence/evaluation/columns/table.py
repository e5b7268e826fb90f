"""Rows as NumPy columns: numbers are float64 and null is NaN; choices, booleans and texts are codes and null is -1."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from services.cadence.expressions.compile import Values
from services.cadence.features.feature import Feature

NULL = -1
Numbers = NDArray[np.float64]
Codes = NDArray[np.int32]
Bools = NDArray[np.bool_]


class UnknownChoice(Exception):
    """A row has a value that its feature does not list."""


@dataclass(frozen=True, slots=True)
class Columns:
    """`numbers` and `codes` by feature, each of shape (size,). `texts`: the codes of texts, shared by all features."""

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


def columns_of(rows: Sequence[Values], read: Iterable[str], features: Mapping[str, Feature]) -> Columns:
    """The columns of these rows for the features in `read`. Raises `UnknownChoice`."""
    numbers: dict[str, Numbers] = {}
    codes: dict[str, Codes] = {}
    texts: dict[str, int] = {}
    for name in dict.fromkeys(read):
        feature, values = features[name], [row.get(name) for row in rows]
        if feature.kind == "number":
            numbers[name] = np.array([np.nan if value is None else value for value in values], np.float64)
            continue
        try:
            of_rows = [NULL if value is None else _code(feature, value, texts) for value in values]
        except ValueError:
            allowed = ", ".join(feature.values)
            raise UnknownChoice(f"a value of {name} is none of its choices: {allowed}") from None
        codes[name] = np.array(of_rows, np.int32)
    return Columns(len(rows), numbers, codes, texts)


def _code(feature: Feature, value: object, texts: dict[str, int]) -> int:
    if feature.kind == "truth":
        return int(bool(value))
    text = cast("str", value)
    return texts.setdefault(text, len(texts)) if feature.kind == "text" else feature.values.index(text)
