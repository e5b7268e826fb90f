# pyright: reportUnknownMemberType=false
"""The same conditions for two rule engines: JSONLogic for datalogic-py, its own expressions for zen-engine.

Each in the form it is quickest in: one rule that answers an array, compiled once.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import datalogic_py
import zen

from services.cadence.account import Plain
from services.cadence.expressions.tree import (
    And,
    Arithmetic,
    Compare,
    Const,
    IsNull,
    Membership,
    Name,
    Node,
    Not,
    Or,
)

Verdicts = Callable[[Mapping[str, Plain]], Sequence[object]]
_STRICT = {"==": "===", "!=": "!=="}


def datalogic(conditions: Sequence[Node]) -> Verdicts:
    engine = datalogic_py.Engine()
    rule, session = engine.compile([logic(each) for each in conditions]), engine.session()
    return lambda account: session.evaluate(rule, account)


def zen_engine(conditions: Sequence[Node]) -> Verdicts:
    compiled = zen.compile_expression(f"[{', '.join(map(format_expression, conditions))}]")
    return lambda account: compiled.evaluate(cast("dict[str, Plain]", account))


def logic(node: Node) -> object:
    """JSONLogic."""
    match node:
        case Const():
            return node.value
        case Name():
            return {"var": node.name}
        case Arithmetic() | Compare():
            return {_STRICT.get(node.op, node.op): [logic(node.left), logic(node.right)]}
        case Membership():
            return {"in": [logic(node.item), [each.value for each in node.values]]}
        case IsNull():
            return {"===": [logic(node.item), None]}
        case Not():
            return {"!": [logic(node.item)]}
        case And() | Or():
            return {"and" if isinstance(node, And) else "or": [logic(each) for each in node.parts]}
        case _:
            raise TypeError(f"JSONLogic has no {type(node).__name__}")


def format_expression(node: Node) -> str:
    """An expression of zen-engine."""
    match node:
        case Const():
            return json.dumps(node.value)
        case Name():
            return node.name
        case Arithmetic() | Compare():
            return f"({format_expression(node.left)} {node.op} {format_expression(node.right)})"
        case Membership():
            return f"{format_expression(node.item)} in {json.dumps([each.value for each in node.values])}"
        case IsNull():
            return f"{format_expression(node.item)} == null"
        case Not():
            return f"not ({format_expression(node.item)})"
        case And() | Or():
            word = " and " if isinstance(node, And) else " or "
            return f"({word.join(map(format_expression, node.parts))})"
        case _:
            raise TypeError(f"zen-engine has no {type(node).__name__}")
