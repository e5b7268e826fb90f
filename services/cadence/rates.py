"""Exchange rates: what one unit of each currency is worth, as a file states it for one day.

Amounts of customers in other currencies are compared with a policy's thresholds only at rates that somebody stated.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Final

import yaml
from pydantic import ConfigDict, Field, ValidationError

from schemas.base import Currency, SchemaModel, dump_json
from schemas.problems import MAX_PROBLEMS, Malformed
from schemas.times import Day

MAX_CURRENCIES = 500
MAX_CHARACTERS = 100_000
USUAL_CURRENCY = "USD"
"""Of a policy that names none."""


EXAMPLE: Final = "write it like {date: 2026-06-01, base: USD, rates: {EUR: 1.08, JPY: 0.0065}}"
_EXPECTED: Final[Mapping[str, str]] = {
    "": "an object with `date`, `base` and `rates` and nothing else",
    "date": "`date`: a day such as 2026-06-01",
    "base": "`base`: a currency code of three capital letters",
    "rates": f"`rates`: 1 to {MAX_CURRENCIES} currency codes, each with a number above 0 and at most 1e9",
}


class RatesRefused(Exception):
    """A file of rates that cannot be read; the message names the file, the lines, and what to write.

    It never quotes the file: the setting may name a file of keys by mistake.
    """


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
    try:
        file = _RatesFile.model_validate_json(dump_json(yaml.safe_load(text), name))
    except yaml.YAMLError as wrong:
        mark = wrong.problem_mark if isinstance(wrong, yaml.MarkedYAMLError) else None
        place = f"line {mark.line + 1}: " if mark else ""
        raise RatesRefused(f"{name}: {place}is neither YAML nor JSON; {EXAMPLE}") from None
    except (Malformed, ValueError, RecursionError) as wrong:
        problems = (
            _problems(text, wrong) if isinstance(wrong, ValidationError) else [f"expected {_EXPECTED['']}"]
        )
        raise RatesRefused(f"{name}: {'; '.join(problems)}; {EXAMPLE}") from None
    return Rates(file.date, file.base, dict(file.rates))


def _problems(text: str, invalid: ValidationError) -> list[str]:
    """`line 3: expected `rates`: ...` of each line with a problem, without anything that the file says."""
    root = yaml.compose(text, yaml.SafeLoader)
    found = [_problem(root, detail["loc"]) for detail in invalid.errors(include_input=False)]
    return list(dict.fromkeys(found))[:MAX_PROBLEMS]


def _problem(root: yaml.Node | None, location: tuple[int | str, ...]) -> str:
    line, node = 1, root
    for part in location:
        keys = node.value if isinstance(node, yaml.MappingNode) else ()
        key, node = next(((key, value) for key, value in keys if key.value == str(part)), (None, None))
        if key is None:
            break
        line = key.start_mark.line + 1
    field = str(location[0]) if location else ""
    return f"line {line}: expected {_EXPECTED.get(field, _EXPECTED[''])}"
