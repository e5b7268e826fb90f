"""The counts of days at which a condition may change, so that nothing is evaluated on the days in between."""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from services.cadence.expressions.ranges import Value, numbers_in
from services.cadence.expressions.tree import Compare, Const, IsNull, Membership, Name, Node, children
from services.cadence.features.registry import feature_named


def day_counts(conditions: Iterable[Node]) -> dict[str, tuple[int, ...] | None]:
    """Feature -> the counts (days passed since its base) at which a condition may change; None: any day."""
    days: dict[str, set[int] | None] = {}
    for name, constants in chain.from_iterable(map(_uses, conditions)):
        feature = feature_named(name)
        if feature is None or feature.counts is None:
            continue
        counts = days.setdefault(name, set())
        sign = -1 if feature.counts == "until" else 1
        if constants is None or counts is None:
            days[name] = None
        else:
            for value in numbers_in(constants):
                counts.update(range(math.floor(sign * value), math.ceil(sign * value) + 2))
    return {name: None if counts is None else tuple(sorted(counts)) for name, counts in days.items()}


def _uses(node: Node) -> Iterator[tuple[str, Sequence[Value] | None]]:
    """Every use of a feature: the constants that it is compared with, None where with anything else."""
    match node:
        case (
            Compare(left=Name(name=name), right=Const(value=value))
            | Compare(left=Const(value=value), right=Name(name=name))
        ):
            yield name, (value,)
        case Membership(item=Name(name=name), values=members):
            yield name, [member.value for member in members]
        case IsNull():
            return
        case Name(name=name):
            yield name, None
        case _:
            for child in children(node):
                yield from _uses(child)
