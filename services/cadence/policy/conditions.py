"""Conditions of policy files: parsed, and joined with what `segment` and `stage` are short for."""

from collections.abc import Collection, Sequence
from typing import Annotated

from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import And, Compare, Const, ExpressionError, Membership, Name, Node
from services.cadence.features.feature import SEGMENTS, STAGES
from services.cadence.policy.errors import Fault, refuse
from services.cadence.policy.values import parsed

_OPTIONS = {"segment": SEGMENTS, "stage": STAGES}


def _parse(value: object) -> Node:
    if not isinstance(value, str):
        raise ValueError("a condition is expected here")  # noqa: TRY004 - Pydantic collects ValueErrors
    try:
        return parse(value)
    except ExpressionError as error:
        raise refuse(Fault(error.message, error.at)) from error


Condition = Annotated[Node, parsed(_parse, {"title": "condition", "type": ["string", "boolean"]})]

TRUE = Const(value=True, at=0)


def is_true(tree: Node) -> bool:
    return isinstance(tree, Const) and tree.value is True


def is_among(feature: str, chosen: Collection[str]) -> Node:
    """The condition that the segment or the stage is one of those chosen, in whatever order."""
    first, *others = (Const(option, 0) for option in _OPTIONS[feature] if option in chosen)
    name = Name(feature, 0)
    return Membership(name, (first, *others), 0) if others else Compare("==", name, first, 0)


def parts_of(tree: Node) -> tuple[Node, ...]:
    """The parts of a conjunction; of a constant, none."""
    return tree.parts if isinstance(tree, And) else () if isinstance(tree, Const) else (tree,)


def joined(before: Sequence[Node], tree: Node) -> Node:
    """All of these as one flat conjunction, without what is always true."""
    parts = (*before, *(() if is_true(tree) else tree.parts if isinstance(tree, And) else (tree,)))
    if not before or not parts:
        return tree
    return parts[0] if len(parts) == 1 else And(parts, tree.at)
