"""The tree of a condition. Every node keeps `at`, its position in the text (from 0), for error messages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

MIRRORED: Mapping[str, str] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
"""Operator -> the one that says the same with its sides exchanged."""
NEGATED: Mapping[str, str] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
"""Operator -> the one that holds exactly where it does not."""


class ExpressionError(Exception):
    """A mistake in a condition: the message, and the position of the character (from 0) where it is."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


class _Hashed:
    """Keeps the hash of a node, which is made of all nodes below it: nodes are keys of caches."""

    __slots__ = ("_hash",)
    __match_args__: ClassVar[tuple[str, ...]] = ()
    _hash: int

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            values = tuple(getattr(self, name) for name in self.__match_args__)
            object.__setattr__(self, "_hash", hash((type(self), values)))
            return self._hash


@dataclass(frozen=True, slots=True)
class Const:
    value: str | int | float | bool
    at: int


@dataclass(frozen=True, slots=True)
class Name:
    """A feature, read by its name."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Arithmetic(_Hashed):
    op: str
    left: "Node"
    right: "Node"
    at: int

    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Call(_Hashed):
    """A function over numbers, one of `functions.FUNCTIONS`."""

    function: str
    arguments: tuple["Node", ...]
    at: int

    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Compare(_Hashed):
    op: str
    left: "Node"
    right: "Node"
    at: int

    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Membership(_Hashed):
    item: "Node"
    values: tuple[Const, ...]
    at: int

    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class IsNull(_Hashed):
    item: "Node"
    at: int

    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Not(_Hashed):
    item: "Node"
    at: int

    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class And(_Hashed):
    """All parts hold; a part is evaluated only when those before it hold."""

    parts: tuple["Node", ...]
    at: int

    __hash__ = _Hashed.__hash__


@dataclass(frozen=True, slots=True)
class Or(_Hashed):
    """At least one part holds; a part is evaluated only when those before it do not hold."""

    parts: tuple["Node", ...]
    at: int

    __hash__ = _Hashed.__hash__


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
    """The node and all nodes below it; the constants of a membership are left out."""
    yield node
    for child in children(node):
        yield from walk(child)


def flat_parts(node: Node, kind: type[And | Or]) -> list[Node]:
    """The parts of a chain of this kind, nested ones taken apart; of any other node, the node alone."""
    return (
        [flat for part in node.parts for flat in flat_parts(part, kind)] if isinstance(node, kind) else [node]
    )


@lru_cache(maxsize=16_384)
def names(node: Node) -> tuple[str, ...]:
    """The features that a condition reads, in the order of their first appearance."""
    return tuple(dict.fromkeys(child.name for child in walk(node) if isinstance(child, Name)))


def is_boolean(node: Node) -> bool:
    """Whether the form of the node makes it true or false; a name or a constant may be so by its type."""
    return isinstance(node, Compare | Membership | IsNull | Not | And | Or)
