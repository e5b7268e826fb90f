"""Explanation: the result of every clause of a condition, also of those that a short circuit would skip.

A clause that reads a null has no result, and neither has what depends on it alone. Where the compiled function gives
an answer, the trace gives the same answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from services.cadence.expressions import tree
from services.cadence.expressions.compile import Values
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.tree import Node, children, is_boolean, names


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


def trace(condition: Node, values: Values) -> Trace:
    """The result of every part of a checked condition; a feature left out is null."""
    parts = tuple(trace(part, values) for part in _boolean_parts(condition))
    results = [part.holds for part in parts]
    match condition:
        case tree.And() if False in results:
            result = False
        case tree.Or() if True in results:
            result = True
        case _:
            is_known = None not in results if parts else _is_known(condition, values)
            result = holds(condition, values) if is_known else None
    return Trace(condition, result, parts)


def _boolean_parts(node: Node) -> tuple[Node, ...]:
    """The conditions directly inside this one; none in a clause."""
    parts = children(node)
    is_chain = isinstance(node, tree.Not | tree.And | tree.Or)
    return parts if is_chain or any(map(is_boolean, parts)) else ()


def _is_known(clause: Node, values: Values) -> bool:
    """Whether it reads no null, or asks for null."""
    return isinstance(clause, tree.IsNull) or all(values.get(name) is not None for name in names(clause))
