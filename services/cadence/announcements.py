"""Announcements: programs and ranks of revenue as events say, and the portfolio made of them.

An audience is a condition that somebody wrote; one that cannot be read is reported, and its program reaches nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import quantiles
from typing import cast

import orjson

from services.cadence.account import (
    FactEvent,
    Fields,
    Stamp,
    StampedFields,
    merge_fields,
    micros,
    moment,
    stamp_of,
    when,
)
from services.cadence.account.codec import AccountState
from services.cadence.expressions.checker import check
from services.cadence.expressions.compile import compile_condition
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import ExpressionError, Node, names
from services.cadence.features.compute import view_account
from services.cadence.features.registry import features_in_scope
from services.cadence.portfolio import Portfolio, Program, ProgramKind

_REVENUE = frozenset({"arr"})
_CUT_OFFS = 100


@dataclass(frozen=True, slots=True)
class Announced:
    """A program and its audience as written; `error` says why that cannot be read."""

    program: Program
    audience: str | None
    error: str | None


def audience_of(text: str) -> tuple[Node | None, str | None]:
    """The checked condition, or everything that is wrong with it, each with its place in the text (from 1)."""
    try:
        tree = parse(text)
        faults = check(tree, features_in_scope())
    except ExpressionError as fault:
        tree, faults = None, [fault]
    if not faults:
        return tree, None
    return None, "; ".join(f"character {fault.at + 1}: {fault.message}" for fault in faults[:10])


def happens_at(held: StampedFields) -> int:
    """When a program takes place, in microseconds; one that never said so was announced when it mattered."""
    said = _known(held).get("at")
    return micros(datetime.fromisoformat(said)) if isinstance(said, str) else when(max(held))


def announced(program_id: str, state: bytes) -> Announced:
    held = cast("StampedFields", orjson.loads(state))
    known = _known(held)
    written = known.get("audience")
    text = written if isinstance(written, str) and written.strip() else None
    tree, error = audience_of(text) if text is not None else (None, None)
    program = Program(
        id=program_id,
        kind=cast("ProgramKind | None", known.get("kind")),
        at=happens_at(held),
        title=str(known.get("title") or ""),
        meaningful=known.get("meaningful") is True,
        audience=compile_condition(tree) if tree is not None else None,
        reads=frozenset(names(tree)) if tree is not None else frozenset(),
        stamp=_newest(held),
    )
    return Announced(program, text, error)


def portfolio_of(announcements: Sequence[FactEvent], account_states: Iterable[AccountState]) -> Portfolio:
    """What concerns many accounts, by the same law as in the database: the latest word wins."""
    held: dict[str, StampedFields] = {}
    for event in announcements:
        said: Fields = {
            name: orjson.dumps(value, default=str).decode() for name, value in event.fields.items()
        }
        merge_fields(held.setdefault(str(event.fields["program_id"]), {}), stamp_of(event.provenance), said)
    found = [announced(key, orjson.dumps(held[key])) for key in sorted(held)]
    programs: tuple[Program, ...] = tuple(each.program for each in found if each.error is None)
    return Portfolio(0, _ranks(account_states), programs)


def _ranks(account_states: Iterable[AccountState]) -> tuple[float, ...]:
    revenues: list[float] = []
    for facts, _ in account_states:
        revenue = view_account(facts, Portfolio(), moment(0), _REVENUE).values["arr"]
        if isinstance(revenue, int | float):
            revenues.append(float(revenue))
    if len(revenues) < 2:
        return ()
    return tuple(quantiles(revenues, n=_CUT_OFFS, method="inclusive"))


def _known(held: StampedFields) -> dict[str, object]:
    return {
        name: cast("object", orjson.loads(str(value)))
        for fields in held.values()
        for name, value in fields.items()
    }


def _newest(held: StampedFields) -> Stamp:
    stamps: Sequence[Stamp] = sorted(held)
    return stamps[-1]
