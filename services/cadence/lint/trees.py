"""Conditions taken apart: reduced by what is known, with words renamed, clause by clause."""

from collections.abc import Callable, Iterator, Mapping

from services.cadence.account import Plain
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.search import Constraint
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
    names,
    walk,
)

YES = Const(value=True, at=0)
NO = Const(value=False, at=0)


def reduced(node: Node, known: Mapping[str, Plain]) -> Node:
    """The condition where these words have these values: `YES`, `NO`, or what is left to ask."""
    match node:
        case Not(item=item):
            inner = reduced(item, known)
            return _truth(value=inner == NO) if isinstance(inner, Const) else Not(inner, node.at)
        case And(parts=parts) | Or(parts=parts):
            return _chain(node, [reduced(part, known) for part in parts])
        case Name() if node.name not in known:
            return node
        case _:
            read = names(node)
            return _truth(value=holds(node, known)) if all(name in known for name in read) else node


def _chain(node: And | Or, parts: list[Node]) -> Node:
    idle, decides = (True, False) if isinstance(node, And) else (False, True)
    left = [part for part in parts if not (isinstance(part, Const) and part.value is idle)]
    if any(isinstance(part, Const) and part.value is decides for part in left):
        return _truth(value=decides)
    if not left:
        return _truth(value=idle)
    return left[0] if len(left) == 1 else type(node)(tuple(left), node.at)


def _truth(*, value: bool) -> Const:
    return YES if value else NO


def renamed(node: Node, name: Callable[[str], str]) -> Node:
    """The same condition over words of other names."""
    match node:
        case Const():
            return node
        case Name():
            return Name(name(node.name), node.at)
        case Not() | IsNull():
            return type(node)(renamed(node.item, name), node.at)
        case Membership():
            return Membership(renamed(node.item, name), node.values, node.at)
        case Compare() | Arithmetic():
            return type(node)(node.op, renamed(node.left, name), renamed(node.right, name), node.at)
        case Call():
            return Call(node.function, tuple(renamed(each, name) for each in node.arguments), node.at)
        case And() | Or():
            return type(node)(tuple(renamed(each, name) for each in node.parts), node.at)


def clauses(node: Node, before: tuple[Constraint, ...] = ()) -> Iterator[tuple[Node, tuple[Constraint, ...]]]:
    """Every clause with what is known when it is looked at; constants and questions for null left out."""
    match node:
        case Not(item=item):
            yield from clauses(item, before)
        case And(parts=parts) | Or(parts=parts):
            for part in parts:
                yield from clauses(part, before)
                before = (*before, (part, isinstance(node, And)))
        case Const() | IsNull():
            return
        case _:
            yield node, before


def asked(*goals: Constraint) -> Node:
    """All goals as one condition."""
    return And(tuple(node if want else Not(node, 0) for node, want in goals), 0)


def constants(node: Node) -> list[str | int | float | bool]:
    found = [each.value for each in walk(node) if isinstance(each, Const)]
    return found + [
        value.value for each in walk(node) if isinstance(each, Membership) for value in each.values
    ]


def chains(node: Node) -> Iterator[And | Or]:
    for each in walk(node):
        if isinstance(each, And | Or):
            yield each


def compared(word: str, op: str, value: str | float) -> Node:
    return Compare(op, Name(word, 0), Const(value, 0), 0)


def null(word: str) -> Node:
    return IsNull(Name(word, 0), 0)


def known(word: str) -> Node:
    return Not(null(word), 0)
