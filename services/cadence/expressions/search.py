"""The ways in which a condition can hold: consistent sets of its clauses, cheapest first, within a budget of steps."""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from services.cadence.expressions.bounds import impossible
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.ranges import Domain, domain
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
    truths,
)
from services.cadence.features.registry import Feature

STEPS = 20_000
Goal = tuple[Node, bool]
"""A node, and whether it has to hold."""
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
DENIED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


class TooMany(Exception):
    """A condition has more ways to hold than the budget allows to look at."""


@dataclass(frozen=True, slots=True)
class Way:
    """What every word may be when these clauses hold; `open` are clauses between words, judged by bounds alone."""

    domains: Mapping[str, Domain]
    clauses: tuple[Goal, ...] = ()
    open: tuple[Goal, ...] = ()


Price = Callable[[tuple[Goal, ...]], int]


def ways(
    goals: tuple[Goal, ...], words: Mapping[str, Feature], steps: int = STEPS, price: Price | None = None
) -> Iterator[Way]:
    """Every consistent choice of clauses that makes all goals so, by rising `price` of its clauses.

    None at all: the goals cannot be met. The price must not fall as clauses are added. Raises `TooMany`.
    """
    start = Way({name: domain(words[name]) for node, _ in goals for name in names(node)})
    queue: list[tuple[int, tuple[int, ...], Way, tuple[Goal, ...]]] = [(0, (), start, goals)]
    while queue:
        known, path, way, left = heapq.heappop(queue)
        steps -= 1 + len(left)
        if steps < 0:
            raise TooMany
        settled = _settle(way, left)
        if settled is None:
            continue
        way, splits = settled
        cost = price(way.clauses) if price is not None else 0
        if splits:
            # Of equal price the one that appears first comes first, and is followed to its end.
            for index, part in enumerate(_parts(splits[0])):
                heapq.heappush(queue, (cost, (*path, index), way, (part, *splits[1:])))
        elif cost > known:
            heapq.heappush(queue, (cost, path, way, ()))
        else:
            yield way


def _parts(split: Goal) -> list[Goal]:
    opened = _opened(*split)
    return [] if opened is None else [(part, opened[2]) for part in opened[1]]


def _settle(way: Way, goals: tuple[Goal, ...]) -> tuple[Way, tuple[Goal, ...]] | None:
    """Lay all that has no alternative on the domains; what is left are the alternatives. None: contradictory."""
    domains = dict(way.domains)
    clauses, loose = list(way.clauses), list(way.open)
    splits: list[Goal] = []
    left = list(reversed(goals))
    while left:
        node, want = left.pop()
        match _opened(node, want):
            case (True, parts, so):
                left.extend((part, so) for part in reversed(parts))
            case (False, _, _):
                splits.append((node, want))
            case None:
                clauses.append((node, want))
                if not lay(domains, node, want=want):
                    loose.append((node, want))
                if any(domains[name].empty for name in names(node)) or _false(node, want):
                    return None
    if _contradictory(loose, domains):
        return None
    return replace(way, domains=domains, clauses=tuple(clauses), open=tuple(loose)), tuple(splits)


def _opened(node: Node, want: bool) -> tuple[bool, tuple[Node, ...], bool] | None:  # noqa: FBT001
    """(all of these, or one?, parts, whether they must hold); None for a clause, which has no parts."""
    match node:
        case Not(item=item):
            return True, (item,), not want
        case And(parts=parts):
            return want, parts, want
        case Or(parts=parts):
            return not want, parts, want
        case Compare(op=op, left=left, right=right) if truths(left) or truths(right):
            both, one = And((left, right), node.at), Or((left, right), node.at)
            if (op == "==") == want:
                return False, (both, Not(one, node.at)), True
            return True, (one, Not(both, node.at)), True
        case Membership(item=item, values=values) if truths(item):
            return not want, tuple(Compare("==", item, each, node.at) for each in values), want
        case _:
            return None


def lay(domains: dict[str, Domain], node: Node, *, want: bool) -> bool:
    """Narrow the domains by one clause; False: it stands between words, and only makes them known."""
    match node:
        case Name(name=name):
            domains[name] = domains[name].narrow("==", want)
        case IsNull(item=Name(name=name)):
            domains[name] = domains[name].be_null() if want else domains[name].be_known()
        case Compare(op=op, left=Name(name=name), right=Const(value=value)):
            domains[name] = domains[name].narrow(op if want else DENIED[op], value)
        case Compare(op=op, left=Const(value=value), right=Name(name=name)):
            domains[name] = domains[name].narrow(TURNED[op if want else DENIED[op]], value)
        case Membership(item=Name(name=name), values=values):
            members = tuple(each.value for each in values)
            domains[name] = domains[name].among(members) if want else domains[name].beside(members)
        case _:
            return _known(domains, names(node))
    return True


def _known(domains: dict[str, Domain], read: tuple[str, ...]) -> bool:
    for name in read:
        domains[name] = domains[name].be_known()
    return not read


def _false(node: Node, want: bool) -> bool:  # noqa: FBT001
    """A clause between constants says by itself whether it is met."""
    return not names(node) and holds(node, {}) is not want


def _contradictory(loose: list[Goal], domains: Mapping[str, Domain]) -> bool:
    if not loose:
        return False
    asked: dict[str, bool] = {}
    for node, want in loose:
        if asked.setdefault(format_expression(node), want) is not want:
            return True
    return any(impossible(node, domains, want=want) for node, want in loose)
