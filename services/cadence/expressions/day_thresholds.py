"""Which days matter: the counts of days at which some condition may turn, so that nothing is asked in between."""

import math
from collections.abc import Iterable, Sequence

from services.cadence.expressions.tree import Compare, Const, IsNull, Membership, Name, Node, children
from services.cadence.features.registry import feature_named


def day_counts(trees: Iterable[Node]) -> dict[str, tuple[int, ...] | None]:
    """Per day-count read: the counts (days passed since its base) at which a condition may turn; None: any day."""
    found: dict[str, set[int] | None] = {}
    for tree in trees:
        _collect(tree, found)
    return {name: None if days is None else tuple(sorted(days)) for name, days in found.items()}


def _collect(node: Node, found: dict[str, set[int] | None]) -> None:
    match node:
        case (
            Compare(left=Name(name=name), right=Const(value=value))
            | Compare(left=Const(value=value), right=Name(name=name))
        ):
            _turns(name, [value], found)
        case Membership(item=Name(name=name), values=values):
            _turns(name, [each.value for each in values], found)
        case IsNull():
            return
        case Name(name=name) if _counts(name):
            found[name] = None
        case _:
            for child in children(node):
                _collect(child, found)


def _counts(name: str) -> bool:
    word = feature_named(name)
    return word is not None and word.counts is not None


def _turns(name: str, values: Sequence[object], found: dict[str, set[int] | None]) -> None:
    word = feature_named(name)
    if word is None or word.counts is None:
        return
    held = found.setdefault(name, set())
    if held is None:
        return
    sign = -1 if word.counts == "until" else 1
    for value in values:
        if isinstance(value, int | float):
            held.update(range(math.floor(sign * value), math.ceil(sign * value) + 2))
