"""What can be said of conditions for all accounts at once: can one hold, does one imply another, what always holds.

Every answer but `unknown` is exact over sound conditions whose words are free of one another: a word's type, choices,
whole days and null are known here, that a colour follows from a score is not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Literal

from services.cadence.account import Plain
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.ranges import Domain, Value
from services.cadence.expressions.search import STEPS, Goal, TooMany, Way, ways
from services.cadence.expressions.tree import (
    And,
    Const,
    ExpressionError,
    IsNull,
    Node,
    Not,
    Or,
    children,
    names,
    truths,
    walk,
)
from services.cadence.features.registry import Feature

TRIED = 2_000
"""Combinations of values that are tried on clauses between words."""
_AT_LOAD = 4_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """`witness`: values by word that show it: under which a condition holds, or an implication fails."""

    answer: Literal["yes", "no", "unknown"]
    witness: Mapping[str, Plain] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A clause that turns out the same whenever it is looked at, because of the clauses before it."""

    text: str
    holds: bool
    at: int


def satisfiable(tree: Node, words: Mapping[str, Feature], *, steps: int = STEPS) -> Verdict:
    """Can a sound condition hold at all? `yes` brings the values under which it does."""
    return _met(((tree, True),), words, steps)


def implies(first: Node, then: Node, words: Mapping[str, Feature], *, steps: int = STEPS) -> Verdict:
    """Whenever `first` holds, does `then`? `no` brings the values under which only `first` does."""
    against = _met(((first, True), (then, False)), words, steps)
    turned: Mapping[str, Literal["yes", "no", "unknown"]] = {"yes": "no", "no": "yes", "unknown": "unknown"}
    return Verdict(turned[against.answer], against.witness)


def always(tree: Node, words: Mapping[str, Feature], *, steps: int = STEPS) -> list[Finding]:
    """Clauses that hold, or fail, whenever the clauses before them let them be looked at."""
    found: list[Finding] = []
    for clause, before in _clauses(tree, ()):
        if _met(before, words, steps).answer == "yes":
            found.extend(
                Finding(format_expression(clause), not want, clause.at)
                for want in (True, False)
                if _met((*before, (clause, want)), words, steps).answer == "no"
            )
    return found


def contradictions(tree: Node, words: Mapping[str, Feature]) -> list[ExpressionError]:
    """Parts of a condition that can never hold, each told where it becomes clear."""
    return _never(tree, words, want=True)


def _met(goals: tuple[Goal, ...], words: Mapping[str, Feature], steps: int) -> Verdict:
    found: Verdict = Verdict("no")
    try:
        for way in ways(goals, words, steps):
            witness, sure = witnessed(way, goals)
            if witness is not None:
                return Verdict("yes", witness)
            if not sure:
                found = Verdict("unknown")
    except TooMany:
        return Verdict("unknown")
    return found


def witnessed(
    way: Way, goals: tuple[Goal, ...], now: Mapping[str, Plain] | None = None
) -> tuple[dict[str, Plain] | None, bool]:
    """Values that make the goals so in this way, near those of `now`; without any: is it sure that there are none?"""
    linked = tuple(dict.fromkeys(name for node, _ in way.open for name in names(node)))
    constants = tuple(each.value for node, _ in way.open for each in walk(node) if isinstance(each, Const))
    near = (*(now.values() if now else ()), *constants)
    choices = {name: _offered(way.domains[name], name, near, now) for name in way.domains}
    base = {name: offered[0] for name, offered in choices.items() if offered}
    if len(base) < len(choices):
        return None, False
    sure = all(way.domains[name].finite for name in linked)
    options = product(*(choices[name] for name in linked))
    for values in islice(options, TRIED):
        made: dict[str, Plain] = {**base, **dict(zip(linked, values, strict=True))}
        if all(holds(node, made) is want for node, want in way.open) and all(
            holds(node, made) is want for node, want in goals
        ):
            return made, True
    return None, sure and next(options, None) is None


def _offered(
    held: Domain, name: str, near: tuple[Plain, ...], now: Mapping[str, Plain] | None
) -> tuple[Value | None, ...]:
    """What to try for a word: as it is now, else null where nothing is asked of it, else what fits."""
    numbers = [
        each for each in near if isinstance(each, int | float) and not isinstance(each, bool) and held.number
    ]
    samples = held.samples(numbers)
    first = now.get(name) if now is not None else None
    if isinstance(first, list) or not held.admits(first):
        return samples
    return tuple(dict.fromkeys((first, *samples)))


def _never(node: Node, words: Mapping[str, Feature], *, want: bool) -> list[ExpressionError]:
    if isinstance(node, Not):
        return _never(node.item, words, want=not want)
    if isinstance(node, And | Or):
        inner = list(chain.from_iterable(_never(part, words, want=want) for part in node.parts))
        if inner or isinstance(node, And) is not want:
            return inner
    elif not want or not truths(node):
        return []
    return (
        []
        if _fixed(node) or _met(((node, want),), words, _AT_LOAD).answer != "no"
        else [_told(node, words, want)]
    )


def _fixed(node: Node) -> bool:
    """A rule is switched off by `false`; that is no contradiction."""
    return any(
        isinstance(child, Const)
        for each in walk(node)
        if isinstance(each, And | Or | Not)
        for child in children(each)
    )


def _told(node: Node, words: Mapping[str, Feature], want: bool) -> ExpressionError:  # noqa: FBT001
    """At the first part that cannot hold beside those before it."""
    goals: tuple[Goal, ...] = ()
    last = node
    for last in _flat(node):
        goals = (*goals, (last, want))
        if _met(goals, words, _AT_LOAD).answer == "no":
            break
    read = names(last)
    if len(read) == 1:
        return ExpressionError(f"never true: nothing {read[0]} could be satisfies this", last.at)
    return ExpressionError("never true: this cannot hold beside what stands before it", last.at)


def _flat(node: Node) -> Iterator[Node]:
    if not isinstance(node, And | Or):
        yield node
        return
    for part in node.parts:
        yield from _flat(part) if type(part) is type(node) else [part]


def _clauses(node: Node, before: tuple[Goal, ...]) -> Iterator[tuple[Node, tuple[Goal, ...]]]:
    """Every clause with what is known when it is looked at."""
    match node:
        case Not(item=item):
            yield from _clauses(item, before)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from _clauses(part, before)
                before = (*before, (part, isinstance(node, And)))
        case Const() | IsNull():
            return
        case _:
            yield node, before
