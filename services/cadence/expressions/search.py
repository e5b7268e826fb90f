"""Satisfiability search (an analytic tableau): the consistent sets of clauses under which a condition holds.

The cheapest set comes first, and the search ends when its budget of steps is used up.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from services.cadence.expressions import tree
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.ranges import Domain, domain_of, is_impossible
from services.cadence.expressions.tree import MIRRORED, NEGATED, Const, Name, Node, is_boolean, names
from services.cadence.features.feature import Feature

STEPS = 20_000
Constraint = tuple[Node, bool]
"""A condition, and whether it has to hold or to fail."""


class BudgetExceeded(Exception):
    """The search has taken more steps than allowed."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One consistent set of clauses, and the domains of all features under it.

    `open`: clauses between features, which are known to be possible by interval arithmetic alone.
    """

    domains: Mapping[str, Domain]
    clauses: tuple[Constraint, ...] = ()
    open: tuple[Constraint, ...] = ()


def find_branches(
    constraints: tuple[Constraint, ...],
    features: Mapping[str, Feature],
    steps: int = STEPS,
    price: Callable[[tuple[Constraint, ...]], int] | None = None,
) -> Iterator[Branch]:
    """Every consistent set of clauses that meets all constraints, by rising `price`; none: they cannot be met.

    The price of a set of clauses must not fall as clauses are added. Raises `BudgetExceeded`.
    """
    start = Branch({name: domain_of(features[name]) for node, _ in constraints for name in names(node)})
    queue: list[tuple[int, tuple[int, ...], Branch, tuple[Constraint, ...]]] = [(0, (), start, constraints)]
    while queue:
        known, path, branch, left = heapq.heappop(queue)
        steps -= 1 + len(left)
        if steps < 0:
            raise BudgetExceeded
        propagated = _propagate(branch, left)
        if propagated is None:
            continue
        branch, splits = propagated
        cost = price(branch.clauses) if price is not None else 0
        if splits:
            # Of equal price the alternative that is written first comes first, and is followed to its end.
            _, alternatives = _expand(*splits[0]) or (False, ())
            for index, alternative in enumerate(alternatives):
                heapq.heappush(queue, (cost, (*path, index), branch, (alternative, *splits[1:])))
        elif cost > known:
            heapq.heappush(queue, (cost, path, branch, ()))
        else:
            yield branch


def _propagate(
    branch: Branch, constraints: tuple[Constraint, ...]
) -> tuple[Branch, tuple[Constraint, ...]] | None:
    """Apply everything without an alternative, and return the alternatives left; None: a contradiction."""
    domains = dict(branch.domains)
    clauses, between = list(branch.clauses), list(branch.open)
    splits: list[Constraint] = []
    left = list(reversed(constraints))
    while left:
        node, wanted = left.pop()
        match _expand(node, wanted):
            case (True, parts):
                left.extend(reversed(parts))
            case (False, _):
                splits.append((node, wanted))
            case None:
                clauses.append((node, wanted))
                if not _narrow(domains, node, wanted=wanted):
                    between.append((node, wanted))
                read = names(node)
                is_false = not read and holds(node, {}) is not wanted
                if is_false or any(domains[name].is_empty for name in read):
                    return None
    if _is_contradictory(between, domains):
        return None
    return Branch(domains, tuple(clauses), tuple(between)), tuple(splits)


def _expand(node: Node, wanted: bool) -> tuple[bool, tuple[Constraint, ...]] | None:  # noqa: FBT001
    """Whether all parts are needed or one of them, and the parts; None: a clause, which has no parts."""
    match node:
        case tree.Not(item=item):
            return True, ((item, not wanted),)
        case tree.And(parts=parts) | tree.Or(parts=parts):
            return isinstance(node, tree.And) is wanted, tuple((part, wanted) for part in parts)
        case tree.Compare(op=op, left=left, right=right) if is_boolean(left) or is_boolean(right):
            both, one = tree.And((left, right), node.at), tree.Or((left, right), node.at)
            if (op == "==") == wanted:
                return False, ((both, True), (one, False))
            return True, ((one, True), (both, False))
        case tree.Membership(item=item, values=members) if is_boolean(item):
            return not wanted, tuple((tree.Compare("==", item, value, node.at), wanted) for value in members)
        case _:
            return None


def _narrow(domains: dict[str, Domain], node: Node, *, wanted: bool) -> bool:
    """Narrow the domains by one clause. False: it relates several features, and only excludes their nulls."""
    match node:
        case Name(name=name):
            domains[name] = domains[name].narrow("==", wanted)
        case tree.IsNull(item=Name(name=name)):
            domains[name] = domains[name].be_null() if wanted else domains[name].be_known()
        case tree.Compare(op=op, left=Name(name=name), right=Const(value=value)):
            domains[name] = domains[name].narrow(op if wanted else NEGATED[op], value)
        case tree.Compare(op=op, left=Const(value=value), right=Name(name=name)):
            domains[name] = domains[name].narrow(MIRRORED[op if wanted else NEGATED[op]], value)
        case tree.Membership(item=Name(name=name), values=members):
            values = [member.value for member in members]
            domains[name] = domains[name].among(values) if wanted else domains[name].excluding(values)
        case _:
            read = names(node)
            domains.update({name: domains[name].be_known() for name in read})
            return not read
    return True


def _is_contradictory(clauses: list[Constraint], domains: Mapping[str, Domain]) -> bool:
    known = {(format_expression(node), wanted) for node, wanted in clauses}
    if any((text, not wanted) in known for text, wanted in known):
        return True
    return any(is_impossible(node, domains, wanted=wanted) for node, wanted in clauses)
