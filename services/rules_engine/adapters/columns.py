"""Rows as columns: arrays are what `unnest` reads."""

from collections.abc import Sequence


def columns_of(rows: Sequence[tuple[object, ...]], count: int = 0) -> list[list[object]]:
    """Rows as columns; `count`: how many columns there are when there is no row."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(count)]
