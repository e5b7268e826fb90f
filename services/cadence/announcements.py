"""Announcements: the programs and revenue ranks that events give, and the portfolio of both.

The audience of a program is a condition that a person wrote. One that cannot be read is reported, and its program
reaches nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import quantiles
from typing import cast

import orjson

from schemas.vocabulary import ProgramKind
from services.cadence.account import (
    FactEvent,
    Fields,
    StampedFields,
    merge_fields,
    micros,
    stamp_of,
    when,
)
from services.cadence.account.codec import AccountState
from services.cadence.account.identity import name_key
from services.cadence.expressions.checker import check
from services.cadence.expressions.compile import compile_condition
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import ExpressionError, Node, names
from services.cadence.features.contracts import revenue_of
from services.cadence.features.registry import features_in_scope
from services.cadence.portfolio import Portfolio, Program
from services.cadence.rates import NO_RATES, USUAL_CURRENCY, Rates

_CUT_OFFS = 100
_MAX_MISTAKES = 10


@dataclass(frozen=True, slots=True)
class Announced:
    """A program and its audience as written; `error` says why the audience cannot be read."""

    program: Program
    audience: str | None
    error: str | None


def audience_of(text: str) -> tuple[Node | None, str | None]:
    """The checked condition, or its mistakes with their positions in the text (from 1)."""
    try:
        tree = parse(text)
        mistakes = check(tree, features_in_scope())
    except ExpressionError as mistake:
        tree, mistakes = None, [mistake]
    if not mistakes:
        return tree, None
    first = mistakes[:_MAX_MISTAKES]
    return None, "; ".join(f"character {mistake.at + 1}: {mistake.message}" for mistake in first)


def happens_at(stamped: StampedFields) -> int:
    """When a program takes place, in microseconds since 1970; without a time, when it was announced."""
    at = announced_values(stamped).get("at")
    return micros(datetime.fromisoformat(at)) if isinstance(at, str) else when(max(stamped))


def announced(program_id: str, state: bytes) -> Announced:
    """Read a stored program: stamped fields as JSON, each value JSON text."""
    stamped = cast("StampedFields", orjson.loads(state))
    values = announced_values(stamped)
    audience = values.get("audience")
    text = audience if isinstance(audience, str) and audience.strip() else None
    tree, error = audience_of(text) if text is not None else (None, None)
    program = Program(
        id=program_id,
        kind=cast("ProgramKind | None", values.get("kind")),
        at=happens_at(stamped),
        title=str(values.get("title") or ""),
        meaningful=values.get("meaningful") is True,
        audience=None if tree is None else compile_condition(tree),
        reads=frozenset() if tree is None else frozenset(names(tree)),
        stamp=max(stamped),
        stamps=tuple(stamped),
    )
    return Announced(program, text, error)


def portfolio_of(
    announcements: Iterable[FactEvent],
    account_states: Iterable[AccountState],
    rates: Rates = NO_RATES,
    currency: str = USUAL_CURRENCY,
) -> Portfolio:
    """The portfolio of announcements and accounts. As in the database, the newest value of a field counts.

    `currency`: that of the policy, in which the revenues are ranked.
    """
    ranks = revenue_ranks(account_states, rates, currency)
    return portfolio_of_rows(ranks, program_rows(announcements), rates)


def program_rows(announcements: Iterable[FactEvent]) -> list[tuple[str, bytes]]:
    """The id and the stored state of each announced program, in order of the ids."""
    stored: dict[str, StampedFields] = {}
    for event in announcements:
        fields: Fields = {
            name: orjson.dumps(value, default=str).decode() for name, value in event.fields.items()
        }
        program = stored.setdefault(name_key(event.fields["program_id"]), {})
        merge_fields(program, stamp_of(event.provenance), fields)
    return [(key, orjson.dumps(stored[key])) for key in sorted(stored)]


def revenue_ranks(account_states: Iterable[AccountState], rates: Rates, currency: str) -> tuple[float, ...]:
    """The cut-offs of `Portfolio.arr_percentiles`."""
    known = (revenue_of(facts, rates, currency) for facts, _ in account_states)
    return _percentiles([revenue for revenue in known if revenue is not None])


def portfolio_of_rows(
    ranks: tuple[float, ...], programs: Iterable[tuple[str, bytes]], rates: Rates
) -> Portfolio:
    """The portfolio of stored programs; one whose audience cannot be read reaches nobody."""
    found = [announced(key, state) for key, state in programs]
    readable = tuple(item.program for item in found if item.error is None)
    return Portfolio(0, ranks, readable, rates)


def _percentiles(revenues: Sequence[float]) -> tuple[float, ...]:
    return tuple(quantiles(revenues, n=_CUT_OFFS, method="inclusive")) if len(revenues) > 1 else ()


def announced_values(stamped: StampedFields) -> dict[str, object]:
    """The fields of a stored program as its announcements have them: times are texts."""
    return {name: orjson.loads(str(value)) for fields in stamped.values() for name, value in fields.items()}
