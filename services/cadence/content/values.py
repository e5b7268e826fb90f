"""The values that placeholders stand for. An unknown value is None: the block that needs it is left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money; `currency` is an ISO 4217 code."""

    amount: float
    currency: str


@dataclass(frozen=True, slots=True)
class Share:
    """A ratio, shown in percent: 0.25 is 25 %. With `signed` a plus sign is shown too, as for a change."""

    ratio: float
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A web address with the words that lead to it."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Markdown:
    """Text of a program as Markdown, without raw HTML."""

    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list, one line each; never empty (an empty list is an unknown value)."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Chart:
    """A small bar chart: a label and a number each, None where nothing is known; never all None."""

    bars: Sequence[tuple[str, float | None]]


Value = str | int | float | date | datetime | Amount | Share | Link | Markdown | Items | Chart
"""A datetime is shown in the reader's time zone."""
