"""The reference semantics of a checked condition, by walking its tree; every compiled form has to agree with it.

Arithmetic is that of IEEE doubles; `and` and `or` evaluate a later part only when they have to.
"""

import math
import operator
from collections.abc import Callable, Mapping
from typing import cast

from services.cadence.account import Plain
from services.cadence.expressions import tree
from services.cadence.expressions.compile import Values
from services.cadence.expressions.functions import FUNCTIONS
from services.cadence.expressions.tree import Node

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right if right else math.nan,
}


def holds(condition: Node, values: Values) -> bool:
    """Whether a checked condition holds over these values of features; a feature left out is null."""
    match condition:
        case tree.Compare() | tree.Membership() | tree.IsNull():
            return evaluate_atom(condition, values)
        case tree.Not():
            return not holds(condition.item, values)
        case tree.And():
            return all(holds(part, values) for part in condition.parts)
        case tree.Or():
            return any(holds(part, values) for part in condition.parts)
        case _:
            return evaluate(condition, values) is True


def evaluate_atom(node: tree.Compare | tree.Membership | tree.IsNull, values: Values) -> bool:
    match node:
        case tree.Compare():
            return _COMPARISONS[node.op](_operand(node.left, values), _operand(node.right, values))
        case tree.Membership():
            item = evaluate(node.item, values)
            return any(item == member.value for member in node.values)
        case tree.IsNull():
            return evaluate(node.item, values) is None


def evaluate(node: Node, values: Values) -> Plain:
    """The value of any node; that of a condition is true or false. No arithmetic raises: overflow gives infinity."""
    match node:
        case tree.Const():
            return node.value
        case tree.Name():
            return values.get(node.name)
        case tree.Arithmetic():
            left, right = float(_operand(node.left, values)), float(_operand(node.right, values))
            return _ARITHMETIC[node.op](left, right)
        case tree.Call():
            return FUNCTIONS[node.function].compute(
                [_operand(argument, values) for argument in node.arguments]
            )
        case _:
            return holds(node, values)


def _operand(node: Node, values: Values) -> float:
    """The value as a number: of what is no number, a checked condition only asks whether it is equal."""
    return cast("float", evaluate(node, values))
