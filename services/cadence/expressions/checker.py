"""The checks of a condition: types, members of choices, guarded nulls, and parts that can never hold.

All mistakes are reported, not only the first.
"""

import difflib
from collections.abc import Iterable, Mapping

from services.cadence.expressions import tree
from services.cadence.expressions.analysis import contradictions
from services.cadence.expressions.functions import FUNCTIONS
from services.cadence.expressions.tree import Compare, Const, ExpressionError, IsNull, Name, Node, children
from services.cadence.features.feature import Feature, Kind

_ORDERED = frozenset({"<", "<=", ">", ">="})
_DESCRIPTIONS = {
    "number": "a number",
    "text": "a text",
    "truth": "true or false",
    "choice": "a choice",
    None: "unknown",
}
_Known = frozenset[str]
"""Features that are not null."""


def check(condition: Node, features: Mapping[str, Feature]) -> list[ExpressionError]:
    """All mistakes in a condition over these features; empty when it is valid."""
    types = _TypeChecker(features)
    kind = types.kind(condition)
    if types.errors:
        return types.errors
    if kind != "truth":
        return [ExpressionError(f"a condition is true or false, this is {_DESCRIPTIONS[kind]}", 0)]
    nulls = _NullChecker(features)
    nulls.check(condition, frozenset())
    return nulls.errors or contradictions(condition, features)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is most alike, to append to a message; empty where none is near."""
    close = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


class _TypeChecker:
    """Types of nodes; None where a mistake was found below, so that each is reported once."""

    def __init__(self, features: Mapping[str, Feature]) -> None:
        self._features = features
        self.errors: list[ExpressionError] = []

    def error(self, message: str, at: int) -> None:
        self.errors.append(ExpressionError(message, at))

    def kind(self, node: Node) -> Kind | None:
        match node:
            case Const(value=value):
                return "truth" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
            case Name():
                return self.name(node)
            case tree.Arithmetic() | tree.Call():
                return self.arithmetic(node) if isinstance(node, tree.Arithmetic) else self.call(node)
            case Compare() | tree.Membership() | IsNull():
                self.atom(node)
            case tree.Not() | tree.And() | tree.Or():
                for part in children(node):
                    self.operand(part, "truth", f"`{type(node).__name__.lower()}` needs true or false")
        return "truth"

    def operand(self, node: Node, wanted: Kind, message: str) -> bool:
        kind = self.kind(node)
        if kind not in {wanted, None}:
            self.error(f"{message}, this is {_DESCRIPTIONS[kind]}", node.at)
        return kind == wanted

    def atom(self, node: Compare | tree.Membership | IsNull) -> None:
        if isinstance(node, Compare):
            self.compare(node)
        elif isinstance(node, IsNull):
            self.null_test(node)
        else:
            for member in node.values:
                self.compare(Compare("==", node.item, member, member.at))

    def name(self, node: Name) -> Kind | None:
        feature = self._features.get(node.name)
        if feature is None:
            self.error(f"unknown field {node.name!r}" + did_you_mean(node.name, self._features), node.at)
            return None
        return feature.kind

    def arithmetic(self, node: tree.Arithmetic) -> Kind:
        for side in (node.left, node.right):
            self.operand(side, "number", f"`{node.op}` needs numbers")
        if node.op == "/" and not (isinstance(node.right, Const) and node.right.value):
            self.error("divide by a constant other than zero", node.right.at)
        return "number"

    def call(self, node: tree.Call) -> Kind | None:
        function = FUNCTIONS.get(node.function)
        if function is None:
            hint = did_you_mean(node.function, FUNCTIONS)
            self.error(f"unknown function {node.function!r}{hint}", node.at)
            for argument in node.arguments:
                self.kind(argument)
            return None
        if len(node.arguments) != len(function.parameters):
            self.error(f"write {function.usage}; {len(node.arguments)} given", node.at)
        message = f"{node.function} needs numbers"
        are_numbers = [self.operand(argument, "number", message) for argument in node.arguments]
        if all(are_numbers) and function.of_counts:
            self.day_counts(node)
        return "number"

    def day_counts(self, node: tree.Call) -> None:
        """Two counts of days have to run the same way, or their difference is no length of time."""
        ways = [
            self._features[argument.name].counts if isinstance(argument, Name) else None
            for argument in node.arguments
        ]
        if None in ways:
            wrong = node.arguments[ways.index(None)]
            self.error(f"{node.function} needs a word that counts days", wrong.at)
        elif len(set(ways)) > 1:
            self.error("one counts days since, the other days until; add them instead", node.at)

    def compare(self, node: Compare) -> None:
        left, right = self.kind(node.left), self.kind(node.right)
        if left is None or right is None:
            return
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if isinstance(side, Name) and self.choices(side):
                self.compare_choice(node, side, other)
                return
        if left != right:
            self.error(f"cannot compare {_DESCRIPTIONS[left]} with {_DESCRIPTIONS[right]}", node.at)
        elif node.op in _ORDERED and left != "number":
            self.error(f"{_DESCRIPTIONS[left]} has no order; use `==` or `!=`", node.at)

    def choices(self, node: Node) -> tuple[str, ...]:
        return self._features[node.name].values if isinstance(node, Name) else ()

    def compare_choice(self, node: Compare, choice: Name, other: Node) -> None:
        values = self.choices(choice)
        if node.op in _ORDERED:
            self.error(f"{choice.name} has no order; use `==` or `!=`", node.at)
        elif isinstance(other, Const) and isinstance(other.value, str):
            if other.value not in values:
                allowed = f"({', '.join(values)}){did_you_mean(other.value, values)}"
                self.error(f"{other.value!r} is not a value of {choice.name} {allowed}", other.at)
        elif self.choices(other) != values:
            self.error(f"cannot compare {choice.name} with {_DESCRIPTIONS[self.kind(other)]}", node.at)

    def null_test(self, node: IsNull) -> None:
        if not isinstance(node.item, Name):
            self.error("only a field can be asked for null", node.at)
        elif self.kind(node.item) is not None and not self._features[node.item.name].nullable:
            self.error(f"{node.item.name} is never null", node.item.at)


class _NullChecker:
    """Every use of a feature that may be null comes after `is not null`, from left to right."""

    def __init__(self, features: Mapping[str, Feature]) -> None:
        self._features = features
        self.errors: list[ExpressionError] = []

    def check(self, node: Node, known: _Known) -> tuple[_Known, _Known]:
        """The features known not to be null when the node holds, and when it does not."""
        match node:
            case IsNull(Name(name=name)):
                return known, known | {name}
            case tree.Not():
                holds, fails = self.check(node.item, known)
                return fails, holds
            case tree.And() | tree.Or():
                return self.chain(node, known)
            case _:
                for child in children(node) or (node,):
                    if tree.is_boolean(child):
                        self.check(child, known)
                    else:
                        self.use(child, known)
                return known, known

    def chain(self, node: tree.And | tree.Or, known: _Known) -> tuple[_Known, _Known]:
        """Each part is checked with what those before it make known; evaluation may stop at any of them."""
        is_and = isinstance(node, tree.And)
        stopped: list[_Known] = []
        for part in node.parts:
            holds, fails = self.check(part, known)
            known, left = (holds, fails) if is_and else (fails, holds)
            stopped.append(left)
        anywhere = stopped[0].intersection(*stopped[1:])
        return (known, anywhere) if is_and else (anywhere, known)

    def use(self, node: Node, known: _Known) -> None:
        for part in tree.walk(node):
            if isinstance(part, Name) and self._features[part.name].nullable and part.name not in known:
                message = f"{part.name} can be null here; write `{part.name} is not null and ...` first"
                self.errors.append(ExpressionError(message, part.at))
