"""Smallest change: the fewest clauses that would have to change for a condition to be true."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

from services.cadence.account import Plain
from services.cadence.expressions.analysis import find_witness
from services.cadence.expressions.compile import Values
from services.cadence.expressions.format import format_constant, format_expression
from services.cadence.expressions.ranges import Domain, as_integer
from services.cadence.expressions.search import Branch, BudgetExceeded, Constraint, find_branches
from services.cadence.expressions.trace import trace
from services.cadence.expressions.tree import NEGATED, Compare, IsNull, Node, Not, names
from services.cadence.features.feature import Feature

_BRANCHES = 50
_CLAUSE = 1_000
"""Clauses are counted first, features only where there are as many clauses."""


@dataclass(frozen=True, slots=True)
class Need:
    """What features would have to become: `words` is one feature, or several that one clause compares.

    `clauses`: those that are not true now, as their author wrote them; `want`: what the feature would have to be; `now`
    and `to`: its value and one that would do; `to` lacks a feature for which none was found.
    """

    words: tuple[str, ...]
    clauses: tuple[str, ...]
    want: str
    now: Mapping[str, Plain]
    to: Mapping[str, Plain]


def smallest_change(tree: Node, values: Values, features: Mapping[str, Feature]) -> tuple[Need, ...] | None:
    """The smallest set of needs under which a valid condition would be true; empty when it is true already.

    None: no change is known that would make it true. A need between features may come without the values that meet it.
    """

    @cache
    def fails(constraint: Constraint) -> bool:
        node, want = constraint
        return trace(node, values).holds is not want

    def price(clauses: Iterable[Constraint]) -> int:
        return _price([node for node, _ in filter(fails, clauses)])

    unsure: tuple[Need, ...] | None = None
    try:
        for branch in islice(find_branches(((tree, True),), features, price=price), _BRANCHES):
            made, sure = find_witness(branch, ((tree, True),), {**dict.fromkeys(names(tree)), **values})
            failing = list(filter(fails, branch.clauses))
            if made is not None:
                return _needs(branch, failing, values, made)
            if not sure and unsure is None:
                unsure = _needs(branch, failing, values, {})
    except BudgetExceeded:
        pass
    return unsure


def _price(failing: Sequence[Node]) -> int:
    """What these clauses cost: a null guard nothing beside a need of its feature."""
    clauses = [node for node in failing if not isinstance(node, IsNull)]
    compared = {name for node in clauses for name in names(node)}
    guarded = {name for node in failing for name in names(node)} - compared
    count = len(set(map(format_expression, clauses))) + len(guarded)
    return count * _CLAUSE + len(compared) + len(guarded)


def _needs(
    branch: Branch, failing: Sequence[Constraint], values: Values, made: Mapping[str, Plain]
) -> tuple[Need, ...]:
    by_features: dict[tuple[str, ...], list[Constraint]] = {}
    failing_names = {name for node, _ in failing for name in names(node)}
    moved = {name for name, to in made.items() if name not in failing_names and to != values.get(name)}
    # A clause between features that is true now may require another feature to change along with it.
    along = [goal for goal in branch.open if goal not in failing and moved & set(names(goal[0]))]
    for goal in (*failing, *along):
        by_features.setdefault(names(goal[0]), []).append(goal)
    needs: list[Need] = []
    for read, goals in by_features.items():
        clauses = tuple(dict.fromkeys(format_expression(_positive(node, want=want)) for node, want in goals))
        between = any(goal in branch.open for goal in goals)
        want = " and ".join(clauses) if between else wanted(branch.domains[read[0]])
        now = {name: values.get(name) for name in read}
        to = {name: made[name] for name in read if name in made}
        if between and len(read) == 1:
            want = f"such that {want}"
        needs.append(Need(read, clauses, want, now, to))
    return tuple(needs)


def _positive(node: Node, *, want: bool) -> Node:
    """A clause that has to be false, written as one that has to be true."""
    if want:
        return node
    if isinstance(node, Compare):
        return Compare(NEGATED[node.op], node.left, node.right, node.at)
    return Not(node, node.at)


def wanted(domain: Domain) -> str:
    """What a feature would have to be: `at least 0.9`, `one of "red", "yellow"`, `null`, `known`."""
    if not domain.some:
        return "null"
    if domain.only is not None:
        fits = [format_constant(each) for each in domain.only if domain.admits(each)]
        return fits[0] if len(fits) == 1 else f"one of {', '.join(fits)}"
    (low, above), (high, below) = domain.low, domain.high
    ends = (("more than" if above else "at least", low), ("less than" if below else "at most", high))
    bounds = [f"{words} {_number(end)}" for words, end in ends if math.isfinite(end)]
    if low == high:
        bounds = [_number(low)]
    never = [each for each in domain.never if not domain.number or _inside(domain, each)]
    if never:
        bounds.append(f"not {' or '.join(sorted(map(format_constant, never)))}")
    return " and ".join(bounds) or "known"


def _number(number: float) -> str:
    return format_constant(as_integer(number))


def _inside(domain: Domain, value_: str | float) -> bool:
    return not isinstance(value_, str) and domain.low[0] <= value_ <= domain.high[0]
