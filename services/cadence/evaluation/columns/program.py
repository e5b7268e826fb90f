"""Conditions as NumPy operations over columns; a part that several conditions share is computed once.

Both sides of `and` are computed for every row. Nulls are guarded, as the checker requires, so the result is the same.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from services.cadence.evaluation.columns.table import NULL, Bools, Codes, Columns, Numbers
from services.cadence.expressions import tree
from services.cadence.expressions.compile import source
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.tree import Const, Name, Node
from services.cadence.features.feature import Feature, Kind

_UNKNOWN_TEXT = -2
_Operand = Numbers | Codes | Bools
_COMPARISONS: Mapping[str, Callable[[_Operand, _Operand], Bools]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_ARITHMETIC: Mapping[str, np.ufunc] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
_Operation = Callable[[Columns, Sequence[_Operand]], _Operand]
"""(columns, results of the operations before it) -> its result, of shape (rows,) or, for a constant, ()."""


class ColumnProgram:
    """Operations in order. The number of an operation is its slot, where later ones find its result."""

    def __init__(self, features: Mapping[str, Feature]) -> None:
        self._features = features
        self._operations: list[_Operation] = []
        self._slots: dict[str, int] = {}

    def run(self, columns: Columns) -> list[_Operand]:
        """The result of every operation, by slot."""
        results: list[_Operand] = []
        for operation in self._operations:
            results.append(operation(columns, results))
        return results

    def boolean(self, node: Node) -> int:
        """The slot of a condition, or of a part that is true or false."""
        match node:
            case Const() | Name() | tree.IsNull():
                return self._leaf(node)
            case tree.Compare() | tree.Membership():
                return self._clause(node)
            case tree.Not():
                item = self.boolean(node.item)
                return self._add(node, lambda _, results: np.logical_not(results[item]))
            case tree.And() | tree.Or():
                join = np.logical_and if isinstance(node, tree.And) else np.logical_or
                parts = [self.boolean(part) for part in node.parts]
                return self._add(node, lambda _, results: reduce(join, [results[part] for part in parts]))
            case _:
                raise TypeError(f"{source(node)} is a number, not a condition")

    def _add(self, node: Node, operation: _Operation, kind: str = "") -> int:
        key = f"{kind}{source(node)}"
        if key not in self._slots:
            self._slots[key] = len(self._operations)
            self._operations.append(operation)
        return self._slots[key]

    def _leaf(self, node: Const | Name | tree.IsNull) -> int:
        if isinstance(node, Const):
            constant = np.asarray(node.value is True)
            return self._add(node, lambda _, __: constant)
        if isinstance(node, Name):
            name = node.name
            return self._add(node, lambda columns, _: columns.codes[name] == 1, "truth ")
        name = node.item.name if isinstance(node.item, Name) else ""
        if self._features[name].kind == "number":
            return self._add(node, lambda columns, _: np.isnan(columns.numbers[name]))
        return self._add(node, lambda columns, _: columns.codes[name] == NULL)

    def _clause(self, node: tree.Compare | tree.Membership) -> int:
        sides = (node.left, node.right) if isinstance(node, tree.Compare) else (node.item, *node.values)
        if all(isinstance(side, Const) for side in sides):
            constant = np.asarray(holds(node, {}))
            return self._add(node, lambda _, __: constant)
        first, *others = self._sides(sides)
        if isinstance(node, tree.Compare):
            compare, other = _COMPARISONS[node.op], others[0]
            return self._add(node, lambda _, results: compare(results[first], results[other]))

        def is_member(_: Columns, results: Sequence[_Operand]) -> _Operand:
            return reduce(np.logical_or, [np.equal(results[first], results[other]) for other in others])

        return self._add(node, is_member)

    def _sides(self, sides: tuple[Node, ...]) -> list[int]:
        if any(map(tree.is_boolean, sides)):
            return [self.boolean(side) for side in sides]
        if self._kind(sides[0]) == "number":
            return [self.number(side) for side in sides]
        choice = next((side.name for side in sides if isinstance(side, Name)), "")
        return [self._code(side, self._features[choice]) for side in sides]

    def _kind(self, node: Node) -> Kind:
        match node:
            case Name():
                return self._features[node.name].kind
            case Const(value=bool()):
                return "truth"
            case Const(value=str()):
                return "text"
            case _:
                return "number"

    def number(self, node: Node) -> int:
        """The slot of a number."""
        match node:
            case Name(name=name):
                return self._add(node, lambda columns, _: columns.numbers[name], "number ")
            case Const(value=value):
                constant = np.asarray(value, np.float64)
                return self._add(node, lambda _, __: constant, "number ")
            case tree.Arithmetic(op=op):
                compute, sides = _ARITHMETIC[op], [self.number(node.left), self.number(node.right)]
                return self._add(node, lambda _, results: compute(*_numbers(results, sides)))
            case tree.Call(function=function):
                slots = [self.number(argument) for argument in node.arguments]
                return self._add(node, lambda _, results: _call(function, _numbers(results, slots)))
            case _:
                raise TypeError(f"{source(node)} is a condition, not a number")

    def _code(self, node: Node, feature: Feature) -> int:
        """The slot of a choice, a boolean or a text; a constant is a value of `feature`."""
        if isinstance(node, Name):
            name = node.name
            return self._add(node, lambda columns, _: columns.codes[name], "code ")
        value = node.value if isinstance(node, Const) else None
        if feature.kind == "text":
            text = str(value)
            return self._add(
                node, lambda columns, _: np.asarray(columns.texts.get(text, _UNKNOWN_TEXT), np.int32), "text "
            )
        code = int(value is True) if feature.kind == "truth" else feature.values.index(str(value))
        return self._add(node, lambda _, __: np.asarray(code, np.int32), f"code {code} ")


def _numbers(results: Sequence[_Operand], slots: Sequence[int]) -> list[Numbers]:
    return [results[slot].astype(np.float64, copy=False) for slot in slots]


def _call(function: str, arguments: Sequence[Numbers]) -> NDArray[np.float64]:
    one, other = arguments[0], arguments[-1]
    match function:
        case "abs":
            return np.abs(one)
        case "min":
            return np.where(other < one, other, one)
        case "max":
            return np.where(other > one, other, one)
        case _:
            return np.abs(one - other)
