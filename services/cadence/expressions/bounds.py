"""Between which numbers a sum or a call can lie, given what its words may be; enough to say that a clause cannot hold.

Rounding keeps order, so that bounds worked out in doubles bound what is worked out in doubles.
"""

import math
from collections.abc import Mapping

from services.cadence.expressions.ranges import Domain
from services.cadence.expressions.tree import Arithmetic, Call, Compare, Const, Membership, Name, Node

FAR = 1e100
"""No word is farther from zero than this."""
Bounds = tuple[float, float]
_ALL = (-math.inf, math.inf)


def impossible(node: Node, domains: Mapping[str, Domain], *, want: bool) -> bool:
    """Can this comparison of numbers not turn out as wanted? False where that is not known."""
    match node:
        case Compare(op=op, left=left, right=right):
            return _never(op, bounds(left, domains), bounds(right, domains), want=want)
        case Membership(item=item, values=values) if want:
            return all(
                _never("==", bounds(item, domains), bounds(each, domains), want=True) for each in values
            )
        case _:
            return False


def _never(op: str, left: Bounds | None, right: Bounds | None, *, want: bool) -> bool:
    if left is None or right is None:
        return False
    point = left[0] == left[1] == right[0] == right[1]
    apart = left[1] < right[0] or right[1] < left[0]
    impossible_when_wanted = {
        "==": apart,
        "!=": point,
        "<": left[0] >= right[1],
        "<=": left[0] > right[1],
        ">": left[1] <= right[0],
        ">=": left[1] < right[0],
    }
    denied = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
    return impossible_when_wanted[op if want else denied[op]]


def bounds(node: Node, domains: Mapping[str, Domain]) -> Bounds | None:
    """The least and the greatest it can be; None for what is no number or may be beyond all bounds."""
    match node:
        case Const(value=value):
            return None if isinstance(value, str | bool) else (float(value), float(value))
        case Name(name=name):
            return _held(domains[name])
        case Call(function=function, arguments=arguments):
            parts = [bounds(each, domains) for each in arguments]
            known = [each for each in parts if each is not None]
            return _called(function, known) if len(known) == len(parts) else None
        case Arithmetic(op=op, left=left, right=right):
            return _worked(op, bounds(left, domains), bounds(right, domains))
        case _:
            return None


def _held(held: Domain) -> Bounds | None:
    if not held.number:
        return None
    if held.only:
        numbers = [float(each) for each in held.only if held.admits(each)]
        return (min(numbers), max(numbers)) if numbers else None
    return max(held.low, -FAR), min(held.high, FAR)


def _worked(op: str, left: Bounds | None, right: Bounds | None) -> Bounds | None:
    if left is None or right is None:
        return None
    match op:
        case "+":
            made = [left[0] + right[0], left[1] + right[1]]
        case "-":
            made = [left[0] - right[1], left[1] - right[0]]
        case "*":
            made = [one * other for one in left for other in right]
        case _:
            made = [one / other for one in left for other in right if other]
    # Beyond the largest double a difference is no number, and no comparison with it holds.
    return (min(made), max(made)) if made and all(map(math.isfinite, made)) else None


def _called(function: str, parts: list[Bounds]) -> Bounds:
    (low, high), other = parts[0], parts[-1]
    match function:
        case "min":
            return min(low, other[0]), min(high, other[1])
        case "max":
            return max(low, other[0]), max(high, other[1])
        case "abs":
            return _size(low, high)
        case _:
            return _size(low - other[1], high - other[0])


def _size(low: float, high: float) -> Bounds:
    return (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
