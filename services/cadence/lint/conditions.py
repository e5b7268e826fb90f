"""Operations on conditions: write them as text, simplify, substitute features, and list clauses."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from services.cadence.expressions import tree
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.parser import parse
from services.cadence.expressions.ranges import Value
from services.cadence.expressions.search import Constraint
from services.cadence.expressions.tree import And, Const, Node, Not, Or, names

YES = Const(value=True, at=0)
NO = Const(value=False, at=0)


@lru_cache(maxsize=1024)
def condition(text: str, prefix: str = "") -> Node:
    """The condition of this text, with `prefix` before the names of its features."""
    node = parse(text)
    return add_prefix(node, prefix, names(node))


def add_prefix(node: Node, prefix: str, own: Iterable[str]) -> Node:
    """The same condition with `prefix` before the names in `own`."""
    return substitute(node, {name: tree.Name(f"{prefix}{name}", 0) for name in own})


def substitute(node: Node, new: Mapping[str, Node]) -> Node:
    """The same condition with a new node for every name in `new`."""
    match node:
        case Const():
            return node
        case tree.Name(name=name):
            return new.get(name, node)
        case Not() | tree.IsNull():
            return type(node)(substitute(node.item, new), node.at)
        case tree.Membership():
            return tree.Membership(substitute(node.item, new), node.values, node.at)
        case tree.Compare() | tree.Arithmetic():
            return type(node)(node.op, substitute(node.left, new), substitute(node.right, new), node.at)
        case tree.Call():
            return tree.Call(node.function, tuple(substitute(part, new) for part in node.arguments), node.at)
        case And() | Or():
            return type(node)(tuple(substitute(part, new) for part in node.parts), node.at)


def simplify(node: Node, known: Mapping[str, Value]) -> Node:
    """The condition for these values, none of them null: `YES`, `NO`, or what still depends on other features."""
    match node:
        case Not(item=item):
            inner = simplify(item, known)
            return YES if inner == NO else NO if inner == YES else Not(inner, node.at)
        case And() | Or():
            neutral, decisive = (YES, NO) if isinstance(node, And) else (NO, YES)
            parts = [part for part in (simplify(item, known) for item in node.parts) if part != neutral]
            if decisive in parts or not parts:
                return decisive if parts else neutral
            return parts[0] if len(parts) == 1 else type(node)(tuple(parts), node.at)
        case _:
            # In a clause that reads other features too, those that are known are no longer free.
            left = substitute(node, {name: Const(value, 0) for name, value in known.items()})
            return left if names(left) else YES if holds(left, {}) else NO


def clauses(node: Node, before: tuple[Constraint, ...] = ()) -> Iterator[tuple[Node, tuple[Constraint, ...]]]:
    """Every clause, with the constraints under which it is evaluated; constants and null tests are left out."""
    match node:
        case Not(item=item):
            yield from clauses(item, before)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from clauses(part, before)
                before = (*before, (part, isinstance(node, And)))
        case Const() | tree.IsNull():
            return
        case _:
            yield node, before


def conjunction(*constraints: Constraint) -> Node:
    """All constraints as one condition."""
    return And(tuple(node if wanted else Not(node, 0) for node, wanted in constraints), 0)
