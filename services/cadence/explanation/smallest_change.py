"""Why not, and what would do: the fewest clauses that would have to turn for a condition to hold."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from services.cadence.account import Plain
from services.cadence.expressions.analysis import find_witness
from services.cadence.expressions.compile import Values
from services.cadence.expressions.format import format_constant, format_expression
from services.cadence.expressions.interpret import evaluate, evaluate_atom
from services.cadence.expressions.ranges import Domain
from services.cadence.expressions.search import Branch, BudgetExceeded, Constraint, find_branches
from services.cadence.expressions.tree import NEGATED, Compare, IsNull, Membership, Node, Not, names
from services.cadence.features.registry import Feature

_WAYS = 50
_CLAUSE = 1_000
"""Clauses are counted first, words only where clauses are as many."""


@dataclass(frozen=True, slots=True)
class Need:
    """What has to become of `words` (of one word, or of several that one clause compares).

    `clauses` are those that fail now, in the author's language; `want` says what the word would have to be; `now` and
    `to` are its value and one that would do; `to` is without a word for which none was found.
    """

    words: tuple[str, ...]
    clauses: tuple[str, ...]
    want: str
    now: Mapping[str, Plain]
    to: Mapping[str, Plain]

    @property
    def text(self) -> str:
        return self.want if len(self.words) > 1 else " ".join((*self.words, self.want))


def smallest_change(tree: Node, values: Values, words: Mapping[str, Feature]) -> tuple[Need, ...] | None:
    """The smallest set of needs under which a sound condition would hold; empty when it does already.

    None: nothing is known that would make it hold. A need between words may come without the values that meet it.
    """
    prices = _Prices(values)
    unsure: tuple[Need, ...] | None = None
    try:
        for way in islice(find_branches(((tree, True),), words, price=prices.of), _WAYS):
            made, sure = find_witness(way, ((tree, True),), {**dict.fromkeys(names(tree)), **values})
            if made is not None:
                return _needs(way, prices, values, made)
            if not sure and unsure is None:
                unsure = _needs(way, prices, values, {})
    except BudgetExceeded:
        pass
    return unsure


class _Prices:
    """What clauses cost over these values: nothing where they hold; a guard costs nothing beside a need of its word."""

    def __init__(self, values: Values) -> None:
        self._values = values
        self._known: dict[tuple[int, bool], bool] = {}
        self._kept: list[Node] = []

    def of(self, clauses: tuple[Constraint, ...]) -> int:
        failing = [goal for goal in clauses if self.fails(goal)]
        told = {name for node, _ in failing if not isinstance(node, IsNull) for name in names(node)}
        guards = {name for node, _ in failing if isinstance(node, IsNull) for name in names(node)} - told
        count = len({format_expression(node) for node, _ in failing if not isinstance(node, IsNull)}) + len(
            guards
        )
        return count * _CLAUSE + len(told | guards)

    def fails(self, goal: Constraint) -> bool:
        node, want = goal
        key = (id(node), want)
        if key not in self._known:
            self._kept.append(node)
            self._known[key] = self._judge(node) is not want
        return self._known[key]

    def _judge(self, node: Node) -> bool | None:
        if isinstance(node, IsNull):
            return evaluate_atom(node, self._values)
        if any(self._values.get(name) is None for name in names(node)):
            return None
        return (
            evaluate_atom(node, self._values)
            if isinstance(node, Compare | Membership)
            else evaluate(node, self._values) is True
        )


def _needs(way: Branch, prices: _Prices, values: Values, made: Mapping[str, Plain]) -> tuple[Need, ...]:
    by_words: dict[tuple[str, ...], list[Constraint]] = {}
    failing = [goal for goal in way.clauses if prices.fails(goal) and names(goal[0])]
    told = {name for node, _ in failing for name in names(node)}
    moved = {name for name, value_ in made.items() if name not in told and value_ != values.get(name)}
    # A clause between words that holds now may ask for another word to move along.
    along = [goal for goal in way.open if goal not in failing and moved & set(names(goal[0]))]
    for goal in (*failing, *along):
        by_words.setdefault(names(goal[0]), []).append(goal)
    needs: list[Need] = []
    for read, goals in by_words.items():
        clauses = tuple(dict.fromkeys(format_expression(_put(node, want=want)) for node, want in goals))
        between = any(goal in way.open for goal in goals)
        want = " and ".join(clauses) if between else wanted(way.domains[read[0]])
        now = {name: values.get(name) for name in read}
        to = {name: made[name] for name in read if name in made}
        if between and len(read) == 1:
            want = f"such that {want}"
        needs.append(Need(read, clauses, want, now, to))
    return tuple(needs)


def _put(node: Node, *, want: bool) -> Node:
    """A clause that has to fail, said as one that has to hold."""
    if want:
        return node
    if isinstance(node, Compare):
        return Compare(NEGATED[node.op], node.left, node.right, node.at)
    return Not(node, node.at)


def wanted(held: Domain) -> str:
    """What a word would have to be: `at least 0.9`, `one of "red", "yellow"`, `null`, `known`."""
    if not held.some:
        return "null"
    if held.only is not None:
        fits = [format_constant(each) for each in held.only if held.admits(each)]
        return fits[0] if len(fits) == 1 else f"one of {', '.join(fits)}"
    said = [text for text in (_above(held), _below(held)) if text]
    if held.low == held.high:
        said = [format_constant(_number(held.low))]
    never = [each for each in held.never if not held.number or _inside(held, each)]
    if never:
        said.append(f"not {' or '.join(sorted(map(format_constant, never)))}")
    return " and ".join(said) or "known"


def _inside(held: Domain, value_: str | float) -> bool:
    return not isinstance(value_, str) and held.low <= value_ <= held.high


def _above(held: Domain) -> str:
    if held.low == -math.inf:
        return ""
    return f"{'more than' if held.low_open else 'at least'} {format_constant(_number(held.low))}"


def _below(held: Domain) -> str:
    if held.high == math.inf:
        return ""
    return f"{'less than' if held.high_open else 'at most'} {format_constant(_number(held.high))}"


def _number(number: float) -> float:
    return int(number) if float(number).is_integer() else number
