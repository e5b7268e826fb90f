"""Exchange rates: what one unit of each currency is worth, as a file states it for one day.

Amounts of customers in other currencies are compared with a policy's thresholds only at rates that somebody stated.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar

import yaml
from pydantic import ConfigDict, Field

from schemas.base import Currency, SchemaModel, dump_json
from schemas.problems import Malformed
from schemas.times import Day

MAX_CURRENCIES = 500
MAX_CHARACTERS = 100_000
USUAL_CURRENCY = "USD"
"""Of a policy that names none."""


class RatesRefused(Exception):
    """A file of rates that cannot be read; the message names the file, what is wrong, and what to write."""


@dataclass(frozen=True, slots=True)
class Rates:
    """The rates of the day `on`. `worth`: currency -> how much of `base` one unit of it is worth (EUR 1.08: $1.08)."""

    on: date | None = None
    base: str = USUAL_CURRENCY
    worth: Mapping[str, float] = field(default_factory=dict[str, float])

    def factor(self, currency: str, to: str) -> float | None:
        """What one unit of `currency` is worth in the currency `to`; None without a rate."""
        if currency == to:
            return 1.0
        have, want = self._worth_of(currency), self._worth_of(to)
        return None if have is None or want is None else have / want

    def _worth_of(self, currency: str) -> float | None:
        return 1.0 if currency == self.base else self.worth.get(currency)


NO_RATES = Rates()


class _RatesFile(SchemaModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    date: Day
    base: Currency = USUAL_CURRENCY
    rates: Annotated[
        dict[Currency, Annotated[float, Field(gt=0, le=1e9)]], Field(min_length=1, max_length=MAX_CURRENCIES)
    ]


def load_rates(path: Path) -> Rates:
    """Read the file that `DRUMBEAT_RATES` names. Raises RatesRefused."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RatesRefused(f"{path}: cannot be read: {error}; correct DRUMBEAT_RATES") from None
    if len(text) > MAX_CHARACTERS:
        raise RatesRefused(
            f"{path}: has more than {MAX_CHARACTERS:,} characters; name a file of exchange rates"
        )
    return read_rates(text, str(path))


def read_rates(text: str, name: str = "rates") -> Rates:
    """Read a file in YAML or JSON: `date`, `base` and `rates`. Raises RatesRefused."""
    example = "write it like {date: 2026-06-01, base: USD, rates: {EUR: 1.08, JPY: 0.0065}}"
    try:
        file = _RatesFile.read(dump_json(yaml.safe_load(text), name))
    except (yaml.YAMLError, Malformed) as wrong:
        raise RatesRefused(f"{name}: {' '.join(str(wrong).split())}; {example}") from None
    return Rates(file.date, file.base, dict(file.rates))
