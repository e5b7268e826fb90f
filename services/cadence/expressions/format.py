"""A tree as the text of a condition, in canonical spacing: parsing it gives the same tree."""

from decimal import Decimal

from services.cadence.expressions import tree
from services.cadence.expressions.parser import MAX_DIGITS
from services.cadence.expressions.tree import Node

_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _OPERAND = range(1, 8)
_GROUPED = 10_000


def format_expression(node: Node) -> str:
    """The text of a condition, or of a part of one."""
    return _format(node)[0]


def format_constant(value: str | float | bool) -> str:  # noqa: FBT001 - a constant of the language
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


def _format(node: Node) -> tuple[str, int]:
    """The text, and the precedence of its outermost operator."""
    match node:
        case tree.Const():
            return format_constant(node.value), _OPERAND
        case tree.Name():
            return node.name, _OPERAND
        case tree.Call():
            return f"{node.function}({', '.join(map(format_expression, node.arguments))})", _OPERAND
        case tree.Arithmetic():
            precedence = _SUM if node.op in {"+", "-"} else _PRODUCT
            left, right = _bracketed(node.left, precedence), _bracketed(node.right, precedence + 1)
            return f"{left} {node.op} {right}", precedence
        case tree.Compare() | tree.Membership() | tree.IsNull():
            return _atom(node), _COMPARISON
        case tree.Not():
            return _negation(node)
        case tree.And() | tree.Or():
            return _chain(node)


def _bracketed(node: Node, least: int = _SUM) -> str:
    """The text, in brackets where its precedence is below `least`."""
    text, precedence = _format(node)
    return text if precedence >= least else f"({text})"


def _atom(node: tree.Compare | tree.Membership | tree.IsNull, negation: str = "") -> str:
    match node:
        case tree.Compare():
            return f"{_bracketed(node.left)} {node.op} {_bracketed(node.right)}"
        case tree.Membership():
            members = ", ".join(format_constant(member.value) for member in node.values)
            return f"{_bracketed(node.item)} {negation}in [{members}]"
        case tree.IsNull():
            return f"{_bracketed(node.item)} is {negation}null"


def _negation(node: tree.Not) -> tuple[str, int]:
    if isinstance(node.item, tree.Membership | tree.IsNull):
        return _atom(node.item, "not "), _COMPARISON
    return f"not {_bracketed(node.item, _NOT)}", _NOT


def _chain(node: tree.And | tree.Or) -> tuple[str, int]:
    match node:
        case tree.And(parts=(tree.Compare(op=">=") as low, tree.Compare(op="<=") as high)) if (
            format_expression(low.left) == format_expression(high.left)
        ):
            ends = f"{_bracketed(low.right)} and {_bracketed(high.right)}"
            return f"{_bracketed(low.left)} between {ends}", _COMPARISON
        case tree.And():
            return " and ".join(_bracketed(part, _AND + 1) for part in node.parts), _AND
        case tree.Or():
            return " or ".join(_bracketed(part, _OR + 1) for part in node.parts), _OR


def _decimal(value: float) -> str:
    """The shortest text that the lexer accepts and reads as the same number: plain, else as a percentage."""
    plain = _plain(repr(value))
    if _fits(plain):
        return plain
    percentages = (_plain(f"{value * 100:.{digits}g}") for digits in range(1, 18))
    return next((f"{text}%" for text in percentages if _fits(text) and float(text) / 100 == value), plain)


def _plain(text: str) -> str:
    """Without an exponent, with a decimal point."""
    decimal = format(Decimal(text), "f")
    return decimal if "." in decimal else f"{decimal}.0"


def _fits(text: str) -> bool:
    return sum(map(str.isdigit, text)) <= MAX_DIGITS
