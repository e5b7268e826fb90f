"""A tree in the words its author would write, in canonical spacing: it reads back as the same tree."""

import math
from decimal import Decimal

from services.cadence.expressions.tokens import DIGITS
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

_OR, _AND, _NOT, _COMPARED, _SUM, _PRODUCT, _WHOLE = range(1, 8)
_GROUPED = 10_000


def format_expression(node: Node) -> str:
    """The condition, or a part of one, in the word language."""
    return _spoken(node)[0]


def constant(value: str | float | bool) -> str:  # noqa: FBT001 - a constant of the language
    """A constant as it is written in a condition."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{value}"'
        case int():
            return f"{value:_}" if abs(value) >= _GROUPED else str(value)
        case _:
            return _decimal(value)


def _spoken(node: Node) -> tuple[str, int]:
    """The text and how tightly it binds."""
    match node:
        case Const():
            return constant(node.value), _WHOLE
        case Name():
            return node.name, _WHOLE
        case Call():
            return f"{node.function}({', '.join(map(format_expression, node.arguments))})", _WHOLE
        case Arithmetic():
            power = _SUM if node.op in {"+", "-"} else _PRODUCT
            return f"{_at(node.left, power)} {node.op} {_at(node.right, power + 1)}", power
        case Compare() | Membership() | IsNull():
            return _atom(node), _COMPARED
        case Not():
            return _negated(node)
        case And() | Or():
            return _chain(node)


def _at(node: Node, power: int) -> str:
    text, bound = _spoken(node)
    return text if bound >= power else f"({text})"


def _atom(node: Compare | Membership | IsNull) -> str:
    match node:
        case Compare():
            return f"{_at(node.left, _SUM)} {node.op} {_at(node.right, _SUM)}"
        case Membership():
            return f"{_at(node.item, _SUM)} in {_members(node)}"
        case IsNull():
            return f"{_at(node.item, _SUM)} is null"


def _members(node: Membership) -> str:
    return f"[{', '.join(constant(each.value) for each in node.values)}]"


def _negated(node: Not) -> tuple[str, int]:
    match node.item:
        case IsNull(item=item):
            return f"{_at(item, _SUM)} is not null", _COMPARED
        case Membership(item=item) as among:
            return f"{_at(item, _SUM)} not in {_members(among)}", _COMPARED
        case _:
            return f"not {_at(node.item, _NOT)}", _NOT


def _chain(node: And | Or) -> tuple[str, int]:
    match node:
        case And(parts=(Compare(op=">=") as low, Compare(op="<=") as high)) if format_expression(
            low.left
        ) == format_expression(high.left):
            ends = f"{_at(low.right, _SUM)} and {_at(high.right, _SUM)}"
            return f"{_at(low.left, _SUM)} between {ends}", _COMPARED
        case And():
            return " and ".join(_at(part, _AND + 1) for part in node.parts), _AND
        case Or():
            return " or ".join(_at(part, _OR + 1) for part in node.parts), _OR


def _decimal(value: float) -> str:
    """The shortest way to write it that reads back as the same number: plain, else in percent."""
    plain = _plain(repr(value))
    if not math.isfinite(value) or _fits(plain):
        return plain
    for digits in range(1, 18):
        text = _plain(f"{value * 100:.{digits}g}")
        if _fits(text) and float(text) / 100 == value:
            return f"{text}%"
    return plain


def _plain(text: str) -> str:
    made = format(Decimal(text), "f") if "n" not in text else text
    return made if "." in made or not text.replace("-", "").isdigit() else f"{made}.0"


def _fits(text: str) -> bool:
    return sum(map(str.isdigit, text)) <= DIGITS
