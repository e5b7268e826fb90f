"""The tree of a condition. Every part knows the character it began at, so that errors can point."""

from collections.abc import Iterator
from dataclasses import dataclass


class ExpressionError(Exception):
    """A condition is wrong: what, and at which character (from 0)."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


@dataclass(frozen=True, slots=True)
class Const:
    value: str | int | float | bool
    at: int


@dataclass(frozen=True, slots=True)
class Name:
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Arithmetic:
    op: str
    left: "Node"
    right: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of constant cost over numbers; `functions.FUNCTIONS` names them."""

    function: str
    arguments: tuple["Node", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Compare:
    op: str
    left: "Node"
    right: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Membership:
    item: "Node"
    values: tuple[Const, ...]
    at: int


@dataclass(frozen=True, slots=True)
class IsNull:
    item: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Not:
    item: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold; a later part is only looked at when those before it hold."""

    parts: tuple["Node", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Or:
    """One part holds; a later part is only looked at when those before it do not."""

    parts: tuple["Node", ...]
    at: int


Node = Const | Name | Arithmetic | Call | Compare | Membership | IsNull | Not | And | Or


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Const() | Name():
            return ()
        case Arithmetic() | Compare():
            return node.left, node.right
        case Call():
            return node.arguments
        case Membership() | IsNull() | Not():
            return (node.item,)
        case And() | Or():
            return node.parts


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def names(node: Node) -> tuple[str, ...]:
    """The words a condition reads, in the order they first appear."""
    return tuple(dict.fromkeys(each.name for each in walk(node) if isinstance(each, Name)))


def truths(node: Node) -> bool:
    """Is it true or false by its form alone; a word or a constant may be so too, by its kind."""
    return isinstance(node, Compare | Membership | IsNull | Not | And | Or)
