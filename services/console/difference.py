"""What another policy would change over the book of accounts, in words; read tolerantly."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from services.console import words
from services.console.reading import Json, items, part, text


@dataclass(frozen=True, slots=True)
class Difference:
    """`totals`: (what, how much); `lines`: whatever else is worth a line."""

    totals: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]


def difference(document: Json) -> Difference:
    """Totals, wherever they stand in the document, and its trouble."""
    trouble = text(document, "trouble")
    return Difference(
        totals=tuple(_totals(part(document, "totals") or document)),
        lines=(*([f"It cannot be told: {trouble}"] if trouble else []), *_rules(document)),
    )


def _totals(found: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for name, value in found.items():
        if isinstance(value, int | float):
            yield words.title(name), words.value(value)
        elif isinstance(value, dict):
            inner = cast("Json", value)
            numbers = [
                f"{words.value(each)} {key.replace('_', ' ')}"
                for key, each in inner.items()
                if isinstance(each, int | float)
            ]
            if numbers:
                yield words.title(name), ", ".join(numbers)


def _rules(document: Json) -> Iterable[str]:
    for each in items(document, "touchpoints")[:30]:
        told = text(each, "text")
        if told:
            yield told
