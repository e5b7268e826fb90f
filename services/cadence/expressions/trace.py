"""Explanation: the result of every clause of a condition, also of those that a short circuit would skip.

A clause that reads a null has no result, and neither has what depends on it alone. Where the compiled function gives
an answer, the trace gives the same answer.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from services.cadence.expressions import tree
from services.cadence.expressions.compile import Values, define, source
from services.cadence.expressions.tree import Node, children, is_boolean, names
from services.cadence.features.registry import Feature

AtomResults = tuple[bool | None, ...]
"""The results of all atoms of a tracer, in the order of `Tracer.atoms`."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The result of a node and of its `parts`, in the order they are written. `holds`: None where a null is read."""

    node: Node
    holds: bool | None
    parts: tuple["Trace", ...] = ()

    def clauses(self) -> Iterator["Trace"]:
        """The atoms, each together with a `not` directly before it."""
        is_negated_atom = isinstance(self.node, tree.Not) and not self.parts[0].parts
        if not self.parts or is_negated_atom:
            yield self
        else:
            for part in self.parts:
                yield from part.clauses()


class Tracer:
    """One function for many conditions that evaluates every atom once.

    `record(values)` is the fast part; `trace(index, results)` builds the trace of one condition from its results.
    With `features`, those that are never null are not tested for null.
    """

    def __init__(self, conditions: Sequence[Node], features: Mapping[str, Feature] | None = None) -> None:
        self._conditions = tuple(conditions)
        self._slots: dict[str, int] = {}
        self.atoms: list[Node] = []
        for atom in (atom for condition in conditions for atom in _atoms(condition)):
            if self._slots.setdefault(source(atom), len(self.atoms)) == len(self.atoms):
                self.atoms.append(atom)
        self.record = _compile_atoms(self.atoms, features)

    def trace(self, index: int, results: AtomResults) -> Trace:
        return self._trace(self._conditions[index], results)

    def _trace(self, node: Node, results: AtomResults) -> Trace:
        parts = tuple(self._trace(part, results) for part in _boolean_parts(node))
        if not parts:
            return Trace(node, results[self._slots[source(node)]])
        return Trace(node, _combine(node, [part.holds for part in parts]), parts)


def _atoms(condition: Node) -> Iterator[Node]:
    """The clauses that have no condition inside them, in the order they are written."""
    parts = _boolean_parts(condition)
    if not parts:
        yield condition
    for part in parts:
        yield from _atoms(part)


def _boolean_parts(node: Node) -> tuple[Node, ...]:
    if isinstance(node, tree.Not | tree.And | tree.Or):
        return children(node)
    if isinstance(node, tree.Compare | tree.Membership) and any(map(is_boolean, children(node))):
        return children(node)
    return ()


def _compile_atoms(
    atoms: Sequence[Node], features: Mapping[str, Feature] | None
) -> Callable[[Values], AtomResults]:
    read = sorted({name for atom in atoms for name in names(atom)})
    lines = [f" {name} = values[{name!r}]" for name in read]
    results = "".join(f"{_guarded(atom, features)}, " for atom in atoms)
    return cast("Callable[[Values], AtomResults]", define("values", [*lines, f" return ({results})"]))


def _guarded(atom: Node, features: Mapping[str, Feature] | None) -> str:
    nullable = [
        name for name in names(atom) if features is None or name not in features or features[name].nullable
    ]
    if isinstance(atom, tree.IsNull) or not nullable:
        return source(atom)
    return f"None if {' or '.join(f'{name} is None' for name in nullable)} else {source(atom)}"


def _combine(node: Node, results: Sequence[bool | None]) -> bool | None:
    match node:
        case tree.And():
            return False if False in results else None if None in results else True
        case tree.Or():
            return True if True in results else None if None in results else False
        case _ if None in results:
            return None
        case tree.Compare(op=op):
            return (results[0] == results[1]) == (op == "==")
        case tree.Membership(values=members):
            return any(results[0] is member.value for member in members)
        case _:
            return not results[0]
