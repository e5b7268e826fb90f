"""Explanation: the truth of every clause of a condition, those included that a short circuit would not have looked at.

A clause that reads a null is not judged: it is None, and so is whatever hangs on it alone. Where the quick function
gives an answer this one gives the same, with the reasons.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from services.cadence.expressions.compile import FUNCTIONS, Values, source
from services.cadence.expressions.tree import (
    And,
    Compare,
    Const,
    IsNull,
    Membership,
    Node,
    Not,
    Or,
    children,
    names,
    truths,
)
from services.cadence.features.registry import Feature

Told = tuple[bool | None, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """`holds`: None where a guard before it failed, so that it was not judged. `parts` in the order they appear."""

    node: Node
    holds: bool | None
    parts: tuple["Truth", ...] = ()

    def walk(self) -> Iterator["Truth"]:
        """Itself and all below it, in the order they appear."""
        yield self
        for part in self.parts:
            yield from part.walk()

    def clauses(self) -> Iterator["Truth"]:
        """What an author would call its clauses: comparisons and questions, `not` kept with what it denies."""
        plain_denial = isinstance(self.node, Not) and not self.parts[0].parts
        if not self.parts or plain_denial:
            yield self
        else:
            for part in self.parts:
                yield from part.clauses()


class Recorder:
    """One function for many conditions that records the truth of every clause, each of them once.

    `record(values)` is the quick part; `truth(index, told)` and `fires(index, told)` read the record of one.
    """

    def __init__(self, trees: Sequence[Node], words: Mapping[str, Feature] | None = None) -> None:
        self.trees = tuple(trees)
        self._slots: dict[str, int] = {}
        self.atoms: list[Node] = []
        for tree in trees:
            for atom in atoms(tree):
                if self._slots.setdefault(source(atom), len(self.atoms)) == len(self.atoms):
                    self.atoms.append(atom)
        self.record = _recorded(self.atoms, words)

    def truth(self, index: int, told: Told) -> Truth:
        return self._truth(self.trees[index], told)

    def fires(self, index: int, told: Told) -> bool:
        return self._truth(self.trees[index], told).holds is True

    def _truth(self, node: Node, told: Told) -> Truth:
        parts = _inner(node)
        if not parts:
            return Truth(node, told[self._slots[source(node)]])
        below = tuple(self._truth(part, told) for part in parts)
        return Truth(node, _put_together(node, below), below)


def compile_truths(tree: Node, words: Mapping[str, Feature] | None = None) -> Callable[[Values], Truth]:
    """The explanation of one condition. With `words`, those never null are not asked for null."""
    recorder = Recorder((tree,), words)
    return lambda values: recorder.truth(0, recorder.record(values))


def atoms(tree: Node) -> Iterator[Node]:
    """The clauses of a condition that have no truths inside them, in the order they appear."""
    parts = _inner(tree)
    if not parts:
        yield tree
    for part in parts:
        yield from atoms(part)


def _inner(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Not | And | Or):
        return children(node)
    if isinstance(node, Compare | Membership) and any(map(truths, children(node))):
        return children(node)
    return ()


def _recorded(found: Sequence[Node], words: Mapping[str, Feature] | None) -> Callable[[Values], Told]:
    read = sorted({name for atom in found for name in names(atom)})
    lines = [f" {name} = values[{name!r}]" for name in read]
    told = "".join(f"{_asked(atom, words)}, " for atom in found)
    text = "\n".join(["def record(values):", *lines, f" return ({told})"])
    namespace: dict[str, object] = {"__builtins__": FUNCTIONS}
    exec(compile(text, "<policy>", "exec"), namespace)  # noqa: S102 - made of checked trees, as the judge is
    return cast("Callable[[Values], Told]", namespace["record"])


def _asked(atom: Node, words: Mapping[str, Feature] | None) -> str:
    if isinstance(atom, IsNull | Const):
        return source(atom)
    loose = [name for name in names(atom) if words is None or name not in words or words[name].nullable]
    if not loose:
        return source(atom)
    return f"None if {' or '.join(f'{name} is None' for name in loose)} else {source(atom)}"


def _put_together(node: Node, below: tuple[Truth, ...]) -> bool | None:
    told = [each.holds for each in below]
    match node:
        case Not():
            return None if told[0] is None else not told[0]
        case And():
            return False if False in told else None if None in told else True
        case Or():
            return True if True in told else None if None in told else False
        case _:
            return None if None in told else _compared(node, told)


def _compared(node: Node, told: Sequence[bool | None]) -> bool:
    match node:
        case Compare(op=op):
            return (told[0] == told[1]) == (op == "==")
        case Membership(values=values):
            return any(told[0] is each.value for each in values)
        case _:
            return False
