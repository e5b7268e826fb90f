"""Classes of values that no condition tells apart: from a class follows the truth of every comparison with a constant."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from services.cadence.account import Plain
from services.cadence.expressions.tree import (
    And,
    Compare,
    Const,
    IsNull,
    Membership,
    Name,
    Node,
    Not,
    Or,
    children,
    names,
)

Thresholds = tuple[float, ...]
"""The numbers that a feature is compared with, ascending."""


def thresholds_of(conditions: Iterable[Node]) -> Mapping[str, Thresholds | None]:
    """Feature -> its thresholds; None: its very value counts, as more than comparisons with numbers reads it."""
    found: dict[str, set[float] | None] = {}
    for condition in conditions:
        _collect(condition, found)
    return {name: None if numbers is None else tuple(sorted(numbers)) for name, numbers in found.items()}


def class_of(value: Plain, thresholds: Thresholds | None) -> Plain:
    """Equal for two values where no condition tells them apart; a value without thresholds is its own class."""
    if thresholds is None or not isinstance(value, int | float) or isinstance(value, bool):
        return value
    place = bisect_left(thresholds, value)
    return 2 * place + (place < len(thresholds) and thresholds[place] == value)


def _collect(node: Node, found: dict[str, set[float] | None]) -> None:
    match node:
        case (
            Compare(left=Name(name=name), right=Const(value=value))
            | Compare(left=Const(value=value), right=Name(name=name))
        ):
            _add(found, name, [value])
        case Membership(item=Name(name=name), values=members):
            _add(found, name, [member.value for member in members])
        case IsNull(item=Name(name=name)):
            found.setdefault(name, set())
        case And() | Or() | Not():
            for child in children(node):
                _collect(child, found)
        case _:
            found.update(dict.fromkeys(names(node), None))


def _add(found: dict[str, set[float] | None], name: str, constants: Iterable[object]) -> None:
    known = found.setdefault(name, set())
    for constant in constants:
        if isinstance(constant, bool) or not isinstance(constant, int | float):
            found[name] = None
        elif known is not None:
            known.add(constant)
