"""JMESPath expressions of mapping files: compiled once; what is absent differs from what is null.

Source of the language: the specification of JMESPath. It knows no difference between an absent member and a null one,
which facts need (absent: unchanged, null: cleared), so plain paths are followed here as well.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, cast

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions

LONGEST: Final = 1000
"""Characters of an expression."""
_ABSENT: Final = object()
_NAMES: Final = tuple(
    sorted(name.removeprefix("_func_") for name in dir(Functions) if name.startswith("_func_"))
)


class ExpressionRefused(Exception):
    """An expression that is none. `at`: the character, from 0."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


class NotApplicable(Exception):
    """An expression cannot be applied to an item: a function got a value of another type."""


@dataclass(frozen=True, slots=True)
class Expression:
    """`text` as it was written; `alternatives`: the plain paths of `a.b || c`, empty for any other expression."""

    text: str
    compiled: Any
    alternatives: tuple[tuple[str, ...], ...]
    names: frozenset[str]
    """Every member that the expression names."""

    def find(self, item: object) -> tuple[bool, object]:
        """(Whether the item has it, its value). Of alternatives the first that has a value, else one that is there.

        Raises NotApplicable.
        """
        if not self.alternatives:
            value = self.search(item)
            return value is not None, value
        there = [value for path in self.alternatives if (value := _follow(item, path)) is not _ABSENT]
        filled = (value for value in there if value is not None and value != "")
        return bool(there), next(filled, there[0] if there else None)

    def search(self, item: object) -> object:
        """What JMESPath finds; None where it finds nothing. Raises NotApplicable."""
        try:
            return cast("object", self.compiled.search(item))
        except JMESPathError as problem:
            raise NotApplicable(f"{self.text}: {problem}") from None

    def holds(self, item: object) -> bool:
        """Whether it is true in the sense of JMESPath: false, null and what is empty are not. Raises NotApplicable."""
        value = self.search(item)
        return value is not None and value is not False and value not in ("", [], {})


def compile_expression(text: str) -> Expression:
    """Raises ExpressionRefused with the place of the mistake."""
    if len(text) > LONGEST:
        raise ExpressionRefused(f"an expression has at most {LONGEST} characters")
    try:
        compiled = cast("Any", jmespath).compile(text)
    except JMESPathError as problem:
        at = cast("int | None", getattr(problem, "lex_position", None)) or 0
        reason = str(problem).splitlines()[0].rstrip(":")
        raise ExpressionRefused(f"{text!r} is no JMESPath expression: {reason}", at) from None
    tree = cast("Mapping[str, Any]", compiled.parsed)
    for node in _nodes(tree):
        if node["type"] == "subexpression" and node["children"][0]["type"] == "not_expression":
            raise ExpressionRefused(
                "`!a.b` is read as `(!a).b`, which finds nothing; write !(a.b)", text.find("!")
            )
        if node["type"] == "function_expression" and node["value"] not in _NAMES:
            close = get_close_matches(str(node["value"]), _NAMES, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(_NAMES)}"
            raise ExpressionRefused(f"there is no function {node['value']!r}{hint}", text.find(node["value"]))
    names = frozenset(str(node["value"]) for node in _nodes(tree) if node["type"] == "field")
    return Expression(text, compiled, tuple(_alternatives(tree) or ()), names)


def _nodes(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [child for child in node.get("children", ()) if isinstance(child, dict)]
        waiting += [child for child in (node.get("value"),) if isinstance(child, dict)]


def _alternatives(tree: Mapping[str, Any]) -> list[tuple[str, ...]] | None:
    """The paths that `||` joins; None when a part is anything but a path of names."""
    if tree["type"] == "or_expression":
        left, right = (_alternatives(child) for child in tree["children"])
        return None if left is None or right is None else left + right
    path = _path(tree)
    return None if path is None else [path]


def _path(tree: Mapping[str, Any]) -> tuple[str, ...] | None:
    if tree["type"] == "field":
        return (str(tree["value"]),)
    if tree["type"] != "subexpression":
        return None
    parts = [_path(child) for child in tree["children"]]
    return None if None in parts else tuple(name for part in parts if part is not None for name in part)


def _follow(item: object, path: tuple[str, ...]) -> object:
    value = item
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return _ABSENT
        value = cast("dict[str, object]", value)[name]
    return value
