"""Is a condition sound: types, members of choices, guarded nulls, ranges that can be met.

Everything that is wrong is found, not only the first.
"""

import difflib
from collections.abc import Iterable, Mapping

from services.cadence.expressions.analysis import contradictions
from services.cadence.expressions.functions import FUNCTIONS
from services.cadence.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Const,
    ExpressionError,
    IsNull,
    Membership,
    Name,
    Node,
    Not,
    Or,
    children,
    truths,
)
from services.cadence.features.registry import Feature, Kind

_ORDERED = frozenset({"<", "<=", ">", ">="})
_SPOKEN = {
    "number": "a number",
    "text": "a text",
    "truth": "true or false",
    "choice": "a choice",
    None: "unknown",
}


def check(tree: Node, words: Mapping[str, Feature]) -> list[ExpressionError]:
    """All that is wrong with a condition over these words; empty when it is sound."""
    judge = _Types(words)
    kind = judge.kind(tree)
    if judge.faults:
        return judge.faults
    if kind != "truth":
        return [ExpressionError(f"a condition is true or false, this is {_SPOKEN[kind]}", 0)]
    nulls = _Nulls(words)
    nulls.flow(tree, frozenset())
    return nulls.faults or contradictions(tree, words)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), 1, 0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


class _Types:
    """Kinds of nodes; None where a fault was found below, so that one mistake is told once."""

    def __init__(self, words: Mapping[str, Feature]) -> None:
        self._words = words
        self.faults: list[ExpressionError] = []

    def fault(self, message: str, at: int) -> None:
        self.faults.append(ExpressionError(message, at))

    def kind(self, node: Node) -> Kind | None:
        match node:
            case Const():
                return _kind_of(node.value)
            case Name():
                return self.name(node)
            case Arithmetic() | Call():
                return self.arithmetic(node) if isinstance(node, Arithmetic) else self.call(node)
            case Compare() | Membership() | IsNull():
                self.atom(node)
            case Not():
                self.truth(node.item, "`not`")
            case And() | Or():
                for part in node.parts:
                    self.truth(part, "`and`" if isinstance(node, And) else "`or`")
        return "truth"

    def atom(self, node: Compare | Membership | IsNull) -> None:
        if isinstance(node, Compare):
            self.compare(node)
        elif isinstance(node, IsNull):
            self.null(node)
        else:
            for value in node.values:
                self.compare(Compare("==", node.item, value, value.at))

    def name(self, node: Name) -> Kind | None:
        word = self._words.get(node.name)
        if word is None:
            self.fault(f"unknown field {node.name!r}" + did_you_mean(node.name, self._words), node.at)
            return None
        return word.kind

    def arithmetic(self, node: Arithmetic) -> Kind | None:
        for side in (node.left, node.right):
            kind = self.kind(side)
            if kind not in {"number", None}:
                self.fault(f"`{node.op}` needs numbers, this is {_SPOKEN[kind]}", side.at)
        if node.op == "/" and not (isinstance(node.right, Const) and node.right.value):
            self.fault("divide by a constant other than zero", node.right.at)
        return "number"

    def call(self, node: Call) -> Kind | None:
        known = FUNCTIONS.get(node.function)
        if known is None:
            hint = did_you_mean(node.function, FUNCTIONS)
            self.fault(f"unknown function {node.function!r}{hint}", node.at)
            for each in node.arguments:
                self.kind(each)
            return None
        if len(node.arguments) != len(known.parameters):
            self.fault(f"write {known.usage}; {len(node.arguments)} given", node.at)
        numbers = True
        for each in node.arguments:
            kind = self.kind(each)
            numbers = numbers and kind == "number"
            if kind not in {"number", None}:
                self.fault(f"{node.function} needs numbers, this is {_SPOKEN[kind]}", each.at)
        if numbers and known.of_counts:
            self.counts(node)
        return "number"

    def counts(self, node: Call) -> None:
        """`days_between`: both are counts of days that run the same way, or their difference says nothing."""
        ways = [self._words[each.name].counts if isinstance(each, Name) else None for each in node.arguments]
        if None in ways:
            wrong = node.arguments[ways.index(None)]
            self.fault(f"{node.function} needs a word that counts days", wrong.at)
        elif len(set(ways)) > 1:
            self.fault("one counts days since, the other days until; add them instead", node.at)

    def truth(self, node: Node, sign: str) -> None:
        kind = self.kind(node)
        if kind not in {"truth", None}:
            self.fault(f"{sign} needs true or false, this is {_SPOKEN[kind]}", node.at)

    def compare(self, node: Compare) -> None:
        left, right = self.kind(node.left), self.kind(node.right)
        if left is None or right is None:
            return
        choice = next((side for side in (node.left, node.right) if self.choices(side)), None)
        if choice is not None:
            self.member(node, choice, node.right if choice is node.left else node.left)
        elif left != right:
            self.fault(f"cannot compare {_SPOKEN[left]} with {_SPOKEN[right]}", node.at)
        elif node.op in _ORDERED and left != "number":
            self.fault(f"{_SPOKEN[left]} has no order; use `==` or `!=`", node.at)

    def choices(self, node: Node) -> tuple[str, ...]:
        return self._words[node.name].values if isinstance(node, Name) else ()

    def member(self, node: Compare, choice: Node, other: Node) -> None:
        values = self.choices(choice)
        name = choice.name if isinstance(choice, Name) else ""
        if node.op in _ORDERED:
            self.fault(f"{name} has no order; use `==` or `!=`", node.at)
        elif isinstance(other, Const) and isinstance(other.value, str):
            if other.value not in values:
                listed = ", ".join(values)
                hint = did_you_mean(other.value, values)
                self.fault(f"{other.value!r} is not a value of {name} ({listed}){hint}", other.at)
        elif self.choices(other) != values:
            self.fault(f"cannot compare {name} with {_SPOKEN[self.kind(other)]}", node.at)

    def null(self, node: IsNull) -> None:
        if not isinstance(node.item, Name):
            self.fault("only a field can be asked for null", node.at)
        elif self.kind(node.item) is not None and not self._words[node.item.name].nullable:
            self.fault(f"{node.item.name} is never null", node.item.at)


def _kind_of(value: object) -> Kind:
    if isinstance(value, bool):
        return "truth"
    return "text" if isinstance(value, str) else "number"


class _Nulls:
    """Every use of a field that may be null stands behind `is not null`, left to right."""

    def __init__(self, words: Mapping[str, Feature]) -> None:
        self._words = words
        self.faults: list[ExpressionError] = []

    def flow(self, node: Node, known: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
        """The fields known not to be null when the node holds, and when it does not."""
        match node:
            case IsNull(Name(name=name)):
                return known, known | {name}
            case Not():
                holds, fails = self.flow(node.item, known)
                return fails, holds
            case And():
                holds, fails = self.chain(node.parts, known, holding=True)
                return holds, fails
            case Or():
                fails, holds = self.chain(node.parts, known, holding=False)
                return holds, fails
            case _:
                for child in children(node) or (node,):
                    if truths(child):
                        self.flow(child, known)
                    else:
                        self.use(child, known)
                return known, known

    def chain(
        self, parts: tuple[Node, ...], known: frozenset[str], *, holding: bool
    ) -> tuple[frozenset[str], frozenset[str]]:
        """What is known when the chain ran to its end, and what is known however it broke off."""
        broken: list[frozenset[str]] = []
        for part in parts:
            holds, fails = self.flow(part, known)
            known, left = (holds, fails) if holding else (fails, holds)
            broken.append(left)
        return known, broken[0].intersection(*broken[1:])

    def use(self, node: Node, known: frozenset[str]) -> None:
        if isinstance(node, Name) and self._words[node.name].nullable and node.name not in known:
            name = node.name
            self.faults.append(
                ExpressionError(f"{name} can be null here; write `{name} is not null and ...` first", node.at)
            )
        for child in children(node):
            self.use(child, known)
