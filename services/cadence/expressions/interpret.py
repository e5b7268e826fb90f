"""What a sound condition means, by walking its tree: the plain reading that every faster one must equal.

Arithmetic is that of IEEE doubles; `and` and `or` look at a later part only when they must.
"""

import math
import operator
from collections.abc import Callable, Mapping
from typing import cast

from services.cadence.account import Plain
from services.cadence.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Const,
    IsNull,
    Membership,
    Name,
    Node,
    Not,
    Or,
)

Values = Mapping[str, Plain]
Number = int | float
_COMPARED = cast(
    "Mapping[str, Callable[[Plain, Plain], bool]]",
    {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    },
)
_WORKED: Mapping[str, Callable[[float, float], float]] = {
    "+": float.__add__,
    "-": float.__sub__,
    "*": float.__mul__,
    "/": float.__truediv__,
}


def holds(tree: Node, values: Values) -> bool:
    """Does a sound condition hold over these values? A word missing from them is null."""
    match tree:
        case Compare() | Membership() | IsNull():
            return atom(tree, values)
        case Not():
            return not holds(tree.item, values)
        case And():
            return all(holds(part, values) for part in tree.parts)
        case Or():
            return any(holds(part, values) for part in tree.parts)
        case _:
            return value(tree, values) is True


def atom(node: Compare | Membership | IsNull, values: Values) -> bool:
    """The truth of one comparison, membership or question for null."""
    match node:
        case Compare():
            return _COMPARED[node.op](value(node.left, values), value(node.right, values))
        case Membership():
            item = value(node.item, values)
            return any(item == each.value for each in node.values)
        case IsNull():
            return value(node.item, values) is None


def value(node: Node, values: Values) -> Plain:
    """The value of a word, a constant, a sum or a call; of anything else its truth."""
    match node:
        case Const():
            return node.value
        case Name():
            return values.get(node.name)
        case Arithmetic():
            return arithmetic(node.op, number(node.left, values), number(node.right, values))
        case Call():
            return called(node.function, [number(each, values) for each in node.arguments])
        case _:
            return holds(node, values)


def number(node: Node, values: Values) -> Number:
    return cast("Number", value(node, values))


def arithmetic(op: str, left: Number, right: Number) -> float:
    """In doubles; nothing raises, too large is infinite."""
    if op == "/" and not right:
        return math.nan
    return _WORKED[op](float(left), float(right))


def called(function: str, arguments: list[Number]) -> Number:
    match function:
        case "abs":
            return abs(arguments[0])
        case "min":
            return min(arguments)
        case "max":
            return max(arguments)
        case _:
            return abs(arguments[0] - arguments[1])
