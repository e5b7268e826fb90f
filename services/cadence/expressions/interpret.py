"""The reference semantics of a checked condition, by walking its tree; every compiled form has to agree with it.

Arithmetic is that of IEEE doubles; `and` and `or` evaluate a later part only when they have to.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from services.cadence.account import Plain
from services.cadence.expressions import tree
from services.cadence.expressions.compile import Values
from services.cadence.expressions.functions import FUNCTIONS
from services.cadence.expressions.tree import Node, children

_OPERATORS: Mapping[str, Callable[[float, float], float]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda left, right: left / right if right else math.nan,
}


def holds(condition: Node, values: Values) -> bool:
    """Whether a checked condition holds over these values of features; a feature left out is null."""
    return _value(condition, values) is True


def _value(node: Node, values: Values) -> Plain:
    """The value of any node; that of a condition is true or false."""
    match node:
        case tree.Const():
            return node.value
        case tree.Name():
            return values.get(node.name)
        case tree.IsNull():
            return _value(node.item, values) is None
        case tree.Not():
            return not holds(node.item, values)
        case tree.And() | tree.Or():
            join = all if isinstance(node, tree.And) else any
            return join(holds(part, values) for part in node.parts)
        case tree.Membership():
            item = _value(node.item, values)
            return any(item == member.value for member in node.values)
        case tree.Compare() | tree.Arithmetic() | tree.Call():
            # Of an operand that is no number, a checked condition only asks whether it is equal.
            return compute(node, [cast("float", _value(child, values)) for child in children(node)])


def compute(node: tree.Compare | tree.Arithmetic | tree.Call, operands: Sequence[float]) -> float:
    """The result of one operation. No arithmetic raises: overflow gives infinity."""
    if isinstance(node, tree.Call):
        return FUNCTIONS[node.function].compute(operands)
    if isinstance(node, tree.Arithmetic):
        operands = [float(operand) for operand in operands]
    return _OPERATORS[node.op](*operands)
