"""Random valid conditions: typed trees over real features, guarded against nulls, and values for those features."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import cast

from hypothesis import strategies as st

from services.cadence.account import Plain
from services.cadence.expressions import tree
from services.cadence.expressions.trace import Trace
from services.cadence.expressions.tree import (
    And,
    Compare,
    Const,
    IsNull,
    Membership,
    Name,
    Node,
    Not,
    Or,
    names,
)
from services.cadence.features.feature import Feature
from services.cadence.features.registry import FEATURES

_NUMBERS = ("arr", "seats", "seats_used", "seat_ratio", "health_score")
_COUNTS = ("days_to_renewal", "days_since_start", "days_since_touch")
_CHOICES = ("segment", "color", "complexity", "survey_answer")
_TEXTS = ("industry", "country")
_BOOLEANS = ("paid_success", "contract_signed", "auto_renew")
USED: Mapping[str, Feature] = {
    name: FEATURES[name] for name in (*_NUMBERS, *_COUNTS, *_CHOICES, *_TEXTS, *_BOOLEANS)
}
CONSTANTS = (-2, -1, 0, 1, 2, 7, 30, 60, 90, 100_000, 0.5, 0.9, 2.5, 999_999_999_999_999)
TEXTS = ("", "a", "retail", "DE", "é")

Trees = st.SearchStrategy[Node]
_AT = st.just(0)
_equality = st.sampled_from(("==", "!="))
_order = st.sampled_from(("==", "!=", "<", "<=", ">", ">="))


def _constant(value: str | float | bool) -> Const:  # noqa: FBT001
    return Const(value, 0)


def _name(name: str) -> Name:
    return Name(name, 0)


def _names(of: tuple[str, ...]) -> st.SearchStrategy[Name]:
    return st.sampled_from(of).map(_name)


def _compare(op: st.SearchStrategy[str], left: Trees, right: Trees) -> Trees:
    return st.builds(Compare, op, left, right, _AT)


def _among(item: Trees, of: st.SearchStrategy[Const]) -> Trees:
    return st.builds(Membership, item, st.lists(of, min_size=1, max_size=4).map(tuple), _AT)


def _computed(inner: Trees) -> Trees:
    counted = _names(("days_since_start", "days_since_touch"))
    divisors = st.sampled_from((2, 0.5, -4, 3)).map(_constant)
    return st.one_of(
        st.builds(tree.Arithmetic, st.sampled_from(("+", "-", "*")), inner, inner, _AT),
        st.builds(tree.Arithmetic, st.just("/"), inner, divisors, _AT),
        st.builds(tree.Call, st.just("abs"), st.tuples(inner), _AT),
        st.builds(tree.Call, st.sampled_from(("min", "max")), st.tuples(inner, inner), _AT),
        st.builds(tree.Call, st.just("days_between"), st.tuples(counted, counted), _AT),
    )


def _single(item: Trees, of: st.SearchStrategy[Const]) -> Trees:
    return _compare(_equality, item, of) | _among(item, of)


constants = st.sampled_from(CONSTANTS).map(_constant)
_numeric = _names((*_NUMBERS, *_COUNTS))
numbers: Trees = st.recursive(_numeric | constants, _computed, max_leaves=4)
_NULLABLE = tuple(name for name, feature in USED.items() if feature.nullable)
single: Trees = st.one_of(
    _compare(_order, _numeric, constants),
    _compare(_order, constants, _numeric),
    _among(_numeric, constants),
    *(_single(st.just(_name(name)), st.sampled_from(USED[name].values).map(_constant)) for name in _CHOICES),
    _single(_names(_TEXTS), st.sampled_from(TEXTS).map(_constant)),
    _single(_names(_BOOLEANS), st.booleans().map(_constant)),
    _names(_BOOLEANS),
    st.builds(IsNull, _names(_NULLABLE), _AT),
)
"""Clauses over one feature."""
linked: Trees = st.one_of(
    _compare(_order, numbers, numbers),
    _among(numbers, constants),
    _compare(_equality, _names(_TEXTS), _names(_TEXTS)),
    _compare(_equality, _names(_BOOLEANS), _names(_BOOLEANS)),
)
"""Clauses between features, or over what is computed from them."""


def _guarded(clause: Node, known: frozenset[str], *, holding: bool) -> Node:
    """The clause behind its guards: false without them, or true."""
    if isinstance(clause, IsNull):
        return clause
    nullable = [name for name in names(clause) if USED[name].nullable and name not in known]
    if not nullable:
        return clause
    tests = tuple(IsNull(_name(name), 0) for name in nullable)
    if holding:
        return And((*(Not(test, 0) for test in tests), clause), 0)
    return Or((*tests, clause), 0)


@st.composite
def conditions(draw: st.DrawFn, clauses: Trees = single | linked, size: int = 6) -> Node:
    """A valid condition of about `size` clauses."""
    return _drawn(draw, clauses, size, frozenset())


def _drawn(draw: st.DrawFn, clauses: Trees, size: int, known: frozenset[str]) -> Node:
    if size <= 1:
        return _guarded(draw(clauses), known, holding=draw(st.booleans()))
    match draw(st.integers(0, 7)):
        case 0:
            return Not(_drawn(draw, clauses, size - 1, known), 0)
        case 1 | 2:
            name = draw(st.sampled_from(_NULLABLE))
            rest = _drawn(draw, clauses, size - 1, known | {name})
            test = IsNull(_name(name), 0)
            return And((Not(test, 0), rest), 0) if draw(st.booleans()) else Or((test, rest), 0)
        case 3:
            halves = _drawn(draw, clauses, size // 2, known), _drawn(draw, clauses, size // 2, known)
            return _equal(draw, *halves)
        case number:
            parts = tuple(
                _drawn(draw, clauses, size // 2, known) for _ in range(draw(st.integers(2, min(3, size))))
            )
            return And(parts, 0) if number % 2 else Or(parts, 0)


def _equal(draw: st.DrawFn, left: Node, right: Node) -> Node:
    if draw(st.booleans()):
        return Compare(draw(st.sampled_from(("==", "!="))), left, right, 0)
    return Membership(left, (Const(draw(st.booleans()), 0),), 0)


def _value(feature: Feature) -> st.SearchStrategy[Plain]:
    options: list[Plain] = [None] if feature.nullable else []
    match feature.kind:
        case "number":
            options += [each for each in CONSTANTS if feature.counts is None or isinstance(each, int)]
            options += [3] if feature.counts else [3, 0.95, 1e14 + 0.5]
        case "text":
            options += TEXTS
        case "truth":
            options += [True, False]
        case "choice":
            options += feature.values
    return st.sampled_from(options)


rows: st.SearchStrategy[dict[str, Plain]] = st.fixed_dictionaries(
    {name: _value(feature) for name, feature in USED.items()}
)


def atoms_of(trace: Trace) -> Iterator[Trace]:
    """The parts of a trace that have no parts, in the order they are written."""
    if not trace.parts:
        yield trace
    for part in trace.parts:
        yield from atoms_of(part)


def without_positions(node: object) -> object:
    """A tree as nested tuples without its positions, constants with their types."""
    if isinstance(node, tuple):
        return tuple(without_positions(each) for each in cast("Iterable[object]", node))
    if not is_dataclass(node):
        return type(node).__name__, node
    return type(node).__name__, *(
        without_positions(getattr(node, each.name)) for each in fields(node) if each.name != "at"
    )
