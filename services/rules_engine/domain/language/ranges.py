"""Ranges: can a conjunction be met at all, judged field by field over intervals and choices."""

import math
from dataclasses import dataclass, field

from services.rules_engine.domain.language.tree import Among, Compare, Const, Every, Fault, Name, Node

_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_Value = str | int | float | bool


@dataclass(slots=True)
class _Range:
    low: float = -math.inf
    low_open: bool = False
    high: float = math.inf
    high_open: bool = False
    only: set[_Value] | None = None
    never: set[_Value] = field(default_factory=set[_Value])

    def narrow(self, op: str, value: _Value) -> None:
        if op == "!=":
            self.never.add(value)
        elif op == "==":
            self.among({value})
        elif isinstance(value, int | float):
            if op in {">", ">="} and (value, op == ">") > (self.low, self.low_open):
                self.low, self.low_open = value, op == ">"
            if op in {"<", "<="} and (value, op == "<=") < (self.high, not self.high_open):
                self.high, self.high_open = value, op == "<"

    def among(self, values: set[_Value]) -> None:
        self.only = values if self.only is None else self.only & values

    def admits(self, value: _Value) -> bool:
        if value in self.never:
            return False
        if isinstance(value, str):
            return True
        above = value > self.low or (value == self.low and not self.low_open)
        return above and (value < self.high or (value == self.high and not self.high_open))

    def empty(self) -> bool:
        if self.only is not None:
            return not any(self.admits(value) for value in self.only)
        if self.low == self.high:
            return self.low_open or self.high_open or self.low in self.never
        return self.low > self.high


def unmeetable(node: Node) -> Fault | None:
    """The fault of a conjunction that can never hold; None when it may."""
    if not isinstance(node, Every):
        return None
    ranges: dict[str, _Range] = {}
    for part in _flat(node):
        match part:
            case Compare(op=op, left=Name(name=name), right=Const(value=value)):
                ranges.setdefault(name, _Range()).narrow(op, value)
            case Compare(op=op, left=Const(value=value), right=Name(name=name)):
                ranges.setdefault(name, _Range()).narrow(_TURNED[op], value)
            case Among(item=Name(name=name), values=values):
                ranges.setdefault(name, _Range()).among({each.value for each in values})
            case _:
                continue
        if ranges[name].empty():
            return Fault(f"never true: nothing {name} could be satisfies this", part.at)
    return None


def _flat(node: Every) -> list[Node]:
    parts: list[Node] = []
    for part in node.parts:
        parts.extend(_flat(part) if isinstance(part, Every) else [part])
    return parts
