"""Trees as steps over columns; a part that several conditions share is one step.

Both sides of `and` are worked out for every row: where nulls are guarded, as the checker sees to, that tells the same.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from services.cadence.evaluation.columns.table import NULL, Bools, Codes, Columns, Numbers
from services.cadence.expressions.compile import source
from services.cadence.expressions.interpret import holds
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
    is_boolean,
)
from services.cadence.features.registry import Feature, Kind

_NOWHERE = -2
_Operand = Numbers | Codes | Bools
_Operator = Callable[[_Operand, _Operand], Bools]
_COMPARED: Mapping[str, _Operator] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_WORKED: Mapping[str, Callable[[Numbers, Numbers], Numbers]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
}
Step = Callable[[Columns, Sequence[_Operand]], _Operand]


class Program:
    """Steps in order, each over the columns and over what steps before it found; a step's number is its slot."""

    def __init__(self, words: Mapping[str, Feature]) -> None:
        self._words = words
        self._steps: list[Step] = []
        self._slots: dict[str, int] = {}

    def run(self, columns: Columns) -> list[_Operand]:
        """What every step finds; that of a constant is one value for all rows."""
        found: list[_Operand] = []
        for step in self._steps:
            found.append(step(columns, found))
        return found

    def truth(self, node: Node) -> int:
        """The slot of a condition, or of a part that is true or false."""
        match node:
            case Const() | Name() | IsNull():
                return self._single(node)
            case Compare() | Membership():
                return self._clause(node)
            case Not():
                item = self.truth(node.item)
                return self._step(node, lambda _, found: np.logical_not(found[item]))
            case And() | Or():
                join = np.logical_and if isinstance(node, And) else np.logical_or
                parts = [self.truth(part) for part in node.parts]
                return self._step(node, lambda _, found: reduce(join, [found[part] for part in parts]))
            case _:
                raise TypeError(f"{source(node)} is a number, not a condition")

    def _step(self, node: Node, step: Step, kind: str = "") -> int:
        key = f"{kind}{source(node)}"
        if key not in self._slots:
            self._slots[key] = len(self._steps)
            self._steps.append(step)
        return self._slots[key]

    def _kind(self, node: Node) -> Kind:
        match node:
            case Name():
                return self._words[node.name].kind
            case Const():
                return (
                    "truth"
                    if isinstance(node.value, bool)
                    else "text"
                    if isinstance(node.value, str)
                    else "number"
                )
            case Arithmetic() | Call():
                return "number"
            case _:
                return "truth"

    def _single(self, node: Const | Name | IsNull) -> int:
        if isinstance(node, Const):
            told = np.bool_(node.value is True)
            return self._step(node, lambda _, __: np.asarray(told))
        if isinstance(node, Name):
            name = node.name
            return self._step(node, lambda columns, _: columns.codes[name] == 1, "truth ")
        name = node.item.name if isinstance(node.item, Name) else ""
        if self._words[name].kind == "number":
            return self._step(node, lambda columns, _: np.isnan(columns.numbers[name]))
        return self._step(node, lambda columns, _: columns.codes[name] == NULL)

    def _clause(self, node: Compare | Membership) -> int:
        sides = (node.left, node.right) if isinstance(node, Compare) else (node.item, *node.values)
        if all(isinstance(side, Const) for side in sides):
            told = np.bool_(holds(node, {}))
            return self._step(node, lambda _, __: np.asarray(told))
        slots = self._sides(sides)
        if isinstance(node, Compare):
            compared, (left, right) = _COMPARED[node.op], slots
            return self._step(node, lambda _, found: compared(found[left], found[right]))
        item, members = slots[0], slots[1:]
        return self._step(
            node,
            lambda _, found: reduce(np.logical_or, [np.equal(found[item], found[each]) for each in members]),
        )

    def _sides(self, sides: tuple[Node, ...]) -> list[int]:
        if any(map(is_boolean, sides)):
            return [self.truth(side) for side in sides]
        if self._kind(sides[0]) == "number":
            return [self.number(side) for side in sides]
        choice = next((side.name for side in sides if isinstance(side, Name)), "")
        return [self._code(side, self._words[choice]) for side in sides]

    def number(self, node: Node) -> int:
        """The slot of a number."""
        match node:
            case Name(name=name):
                return self._step(node, lambda columns, _: columns.numbers[name], "number ")
            case Const(value=value):
                told = np.asarray(value, np.float64)
                return self._step(node, lambda _, __: told, "number ")
            case Arithmetic(op=op):
                worked, left, right = _WORKED[op], self.number(node.left), self.number(node.right)
                return self._step(
                    node, lambda _, found: worked(_numbers(found[left]), _numbers(found[right]))
                )
            case Call(function=function):
                slots = [self.number(each) for each in node.arguments]
                return self._step(
                    node, lambda _, found: _called(function, [_numbers(found[each]) for each in slots])
                )
            case _:
                raise TypeError(f"{source(node)} is a condition, not a number")

    def _code(self, node: Node, word: Feature) -> int:
        """The slot of a choice, a truth or a text; a constant among those of `word`."""
        if isinstance(node, Name):
            name = node.name
            return self._step(node, lambda columns, _: columns.codes[name], "code ")
        value = node.value if isinstance(node, Const) else None
        if word.kind == "text":
            text = str(value)
            return self._step(
                node, lambda columns, _: np.asarray(columns.texts.get(text, _NOWHERE), np.int32), "text "
            )
        code = int(value is True) if word.kind == "truth" else word.values.index(str(value))
        return self._step(node, lambda _, __: np.asarray(code, np.int32), f"code {code} ")


def _numbers(found: _Operand) -> Numbers:
    return found.astype(np.float64, copy=False)


def _called(function: str, parts: list[Numbers]) -> NDArray[np.float64]:
    one, other = parts[0], parts[-1]
    match function:
        case "abs":
            return np.abs(one)
        case "min":
            return np.where(other < one, other, one)
        case "max":
            return np.where(other > one, other, one)
        case _:
            return np.abs(one - other)
