"""Two independent engines, given the same conditions in their own languages, give the same results."""

from collections.abc import Callable, Mapping
from typing import Protocol, cast

import datalogic_py
from cel_expr_python import cel
from hypothesis import given

from services.cadence.account import Plain
from services.cadence.expressions import tree
from services.cadence.expressions.compile import compile_condition
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.tree import Name, Node
from tests.unit.cadence.expression_trees import USED, conditions, rows

Row = dict[str, Plain]
Json = str | float | bool | list["Json"] | dict[str, "Json"] | None
_LOGIC = {"==": "===", "!=": "!=="}


class _Rule(Protocol):
    def evaluate(self, data: Mapping[str, Plain], /) -> object: ...


class _Engine(Protocol):
    def compile(self, rule: Json, /) -> _Rule: ...


class _Answer(Protocol):
    def value(self) -> object: ...


class _Expression(Protocol):
    def eval(self, *, data: Mapping[str, Plain]) -> _Answer: ...


class _Environment(Protocol):
    def compile(self, text: str, /) -> _Expression: ...


_datalogic = cast("Callable[[], _Engine]", getattr(datalogic_py, "Engine"))()  # noqa: B009 - without stubs
_new = cast("Callable[..., _Environment]", getattr(cel, "NewEnv"))  # noqa: B009
_dynamic = cast("object", getattr(cel.Type, "DYN"))  # noqa: B009
_cel = _new(variables=dict.fromkeys(USED, _dynamic))


def in_doubles(row: Row) -> Row:
    """Numbers as the other engines take them: doubles throughout."""
    return {
        name: float(value) if USED[name].kind == "number" and value is not None else value  # pyright: ignore[reportArgumentType]
        for name, value in row.items()
    }


def as_logic(node: Node) -> Json:
    """JsonLogic."""
    match node:
        case tree.Const(value=value):
            return value if isinstance(value, str | bool) else float(value)
        case Name(name=name):
            return {"var": name}
        case tree.Arithmetic(op=op) | tree.Compare(op=op):
            return {_LOGIC.get(op, op): [as_logic(node.left), as_logic(node.right)]}
        case tree.Call(function=function, arguments=arguments):
            return _logic_call(function, [as_logic(each) for each in arguments])
        case tree.Membership(item=item, values=values):
            return {"in": [as_logic(item), [as_logic(each) for each in values]]}
        case tree.IsNull(item=item):
            return {"===": [as_logic(item), None]}
        case tree.Not(item=item):
            return {"!": [as_logic(item)]}
        case tree.And(parts=parts) | tree.Or(parts=parts):
            return {"and" if isinstance(node, tree.And) else "or": [as_logic(part) for part in parts]}


def _logic_call(function: str, arguments: list[Json]) -> Json:
    if function in {"min", "max"}:
        return {function: arguments}
    size: Json = arguments[0] if function == "abs" else {"-": arguments}
    return {"if": [{"<": [size, 0]}, {"-": [0, size]}, size]}


def as_cel(node: Node) -> str:
    """Google's Common Expression Language."""
    match node:
        case tree.Const() | Name() | tree.IsNull():
            return _cel_leaf(node)
        case tree.Arithmetic(op=op) | tree.Compare(op=op):
            return f"({as_cel(node.left)} {op} {as_cel(node.right)})"
        case tree.Call(function=function, arguments=arguments):
            return _cel_call(function, [as_cel(each) for each in arguments])
        case tree.Membership(item=item, values=values):
            return f"({as_cel(item)} in [{', '.join(as_cel(each) for each in values)}])"
        case tree.Not(item=item):
            return f"!{as_cel(item)}"
        case tree.And(parts=parts) | tree.Or(parts=parts):
            return f"({(' && ' if isinstance(node, tree.And) else ' || ').join(map(as_cel, parts))})"


def _cel_leaf(node: tree.Const | Name | tree.IsNull) -> str:
    match node:
        case tree.Const(value=value):
            if isinstance(value, bool):
                return str(value).lower()
            return f'"{value}"' if isinstance(value, str) else repr(float(value))
        case Name(name=name):
            return name
        case tree.IsNull(item=item):
            return f"({as_cel(item)} == null)"


def _cel_call(function: str, arguments: list[str]) -> str:
    one, other = arguments[0], arguments[-1]
    if function in {"min", "max"}:
        return f"({other} {'<' if function == 'min' else '>'} {one} ? {other} : {one})"
    size = one if function == "abs" else f"({one} - {other})"
    return f"({size} < 0.0 ? 0.0 - {size} : {size})"


@given(conditions(size=4), rows)
def test_datalogic_gives_the_same_result(tree: Node, row: Row) -> None:
    expected = compile_condition(tree)(row)

    assert _datalogic.compile(as_logic(tree)).evaluate(in_doubles(row)) is expected, format_expression(tree)


@given(conditions(size=4), rows)
def test_the_common_expression_language_gives_the_same_result(tree: Node, row: Row) -> None:
    expected = compile_condition(tree)(row)

    assert _cel.compile(as_cel(tree)).eval(data=in_doubles(row)).value() is expected, format_expression(tree)
