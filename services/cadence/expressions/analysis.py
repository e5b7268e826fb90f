"""Statements about a condition that cover all accounts: whether it can hold, and which part of it never does.

Every answer but `unknown` is exact for checked conditions whose features are independent of one another: the type,
choices, whole days and null of a feature are known here; that a colour follows from a score is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Literal

from services.cadence.account import Plain
from services.cadence.expressions import tree
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.ranges import Domain, Value, numbers_in
from services.cadence.expressions.search import STEPS, Branch, BudgetExceeded, Constraint, find_branches
from services.cadence.expressions.tree import And, Const, ExpressionError, Node, Not, Or, names, walk
from services.cadence.features.feature import Feature

_MAX_COMBINATIONS = 2_000
"""Combinations of values that are tried on clauses between features."""
_STEPS_AT_LOAD = 4_000


@dataclass(frozen=True, slots=True)
class Satisfiability:
    """`witness`: values by feature under which the condition holds."""

    answer: Literal["yes", "no", "unknown"]
    witness: Mapping[str, Plain] | None = None


def satisfiable(condition: Node, features: Mapping[str, Feature], *, steps: int = STEPS) -> Satisfiability:
    """Whether a checked condition can hold at all."""
    return _solve(((condition, True),), features, steps)


def _solve(
    constraints: tuple[Constraint, ...], features: Mapping[str, Feature], steps: int
) -> Satisfiability:
    is_sure = True
    try:
        for branch in find_branches(constraints, features, steps):
            witness, is_certain = find_witness(branch, constraints)
            if witness is not None:
                return Satisfiability("yes", witness)
            is_sure = is_sure and is_certain
    except BudgetExceeded:
        is_sure = False
    return Satisfiability("no" if is_sure else "unknown")


def find_witness(
    branch: Branch, constraints: tuple[Constraint, ...], now: Mapping[str, Plain] | None = None
) -> tuple[dict[str, Plain] | None, bool]:
    """Values in this branch that meet the constraints, near those of `now`; and whether the answer is certain."""
    related = tuple(dict.fromkeys(name for node, _ in branch.open for name in names(node)))
    constants = tuple(part.value for node, _ in branch.open for part in walk(node) if isinstance(part, Const))
    now = now or {}
    near = (*now.values(), *constants)
    choices = {name: _choices(domain, near, now.get(name)) for name, domain in branch.domains.items()}
    base = {name: values[0] for name, values in choices.items() if values}
    if len(base) < len(choices):
        return None, False
    is_complete = all(branch.domains[name].is_finite for name in related)
    combinations = product(*(choices[name] for name in related))
    for values in islice(combinations, _MAX_COMBINATIONS):
        witness: dict[str, Plain] = {**base, **dict(zip(related, values, strict=True))}
        if all(holds(node, witness) is wanted for node, wanted in chain(branch.open, constraints)):
            return witness, True
    return None, is_complete and next(combinations, None) is None


def _choices(domain: Domain, near: tuple[Plain, ...], present: Plain) -> tuple[Value | None, ...]:
    """The values to try for a feature, its present one first."""
    samples = domain.samples(numbers_in(near))
    if isinstance(present, list) or not domain.admits(present):
        return samples
    return tuple(dict.fromkeys((present, *samples)))


def contradictions(
    node: Node, features: Mapping[str, Feature], *, wanted: bool = True
) -> list[ExpressionError]:
    """The parts of a condition that can never be as wanted, each at the clause where that becomes clear."""
    if isinstance(node, Not):
        return contradictions(node.item, features, wanted=not wanted)
    if isinstance(node, And | Or):
        by_part = [contradictions(part, features, wanted=wanted) for part in node.parts]
        inner = list(chain.from_iterable(by_part))
        if inner or isinstance(node, And) is not wanted:
            return inner
    elif not wanted or not tree.is_boolean(node):
        return []
    if _is_constant(node) or _solve(((node, wanted),), features, _STEPS_AT_LOAD).answer != "no":
        return []
    return [_contradiction(node, features, wanted=wanted)]


def _is_constant(node: Node) -> bool:
    """Whether `true` or `false` is a part of it: that switches a rule off on purpose."""
    return any(
        isinstance(child, Const)
        for part in walk(node)
        if isinstance(part, And | Or | Not)
        for child in tree.children(part)
    )


def _contradiction(node: Node, features: Mapping[str, Feature], *, wanted: bool) -> ExpressionError:
    """At the first part that cannot hold together with those before it."""
    constraints: tuple[Constraint, ...] = ()
    last = node
    for last in tree.flat_parts(node, And if wanted else Or):
        constraints = (*constraints, (last, wanted))
        if _solve(constraints, features, _STEPS_AT_LOAD).answer == "no":
            break
    read = names(last)
    if len(read) == 1:
        return ExpressionError(f"never true: nothing {read[0]} could be satisfies this", last.at)
    return ExpressionError("never true: this cannot hold beside what stands before it", last.at)
