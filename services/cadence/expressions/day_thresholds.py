"""The counts of days at which a condition may change, so that nothing is evaluated on the days in between."""

import math
from collections.abc import Iterable, Sequence

from services.cadence.expressions.tree import Compare, Const, IsNull, Membership, Name, Node, children
from services.cadence.features.feature import Counts
from services.cadence.features.registry import feature_named

_Thresholds = dict[str, set[int] | None]


def day_counts(conditions: Iterable[Node]) -> dict[str, tuple[int, ...] | None]:
    """Feature -> the counts (days passed since its base) at which a condition may change; None: any day."""
    thresholds: _Thresholds = {}
    for condition in conditions:
        _collect(condition, thresholds)
    return {name: None if days is None else tuple(sorted(days)) for name, days in thresholds.items()}


def _collect(node: Node, thresholds: _Thresholds) -> None:
    match node:
        case (
            Compare(left=Name(name=name), right=Const(value=value))
            | Compare(left=Const(value=value), right=Name(name=name))
        ):
            _add(name, [value], thresholds)
        case Membership(item=Name(name=name), values=members):
            _add(name, [member.value for member in members], thresholds)
        case IsNull():
            return
        case Name(name=name) if _direction(name) is not None:
            thresholds[name] = None
        case _:
            for child in children(node):
                _collect(child, thresholds)


def _direction(name: str) -> Counts | None:
    feature = feature_named(name)
    return None if feature is None else feature.counts


def _add(name: str, values: Sequence[object], thresholds: _Thresholds) -> None:
    direction = _direction(name)
    if direction is None:
        return
    days = thresholds.setdefault(name, set())
    if days is None:
        return
    sign = -1 if direction == "until" else 1
    for value in values:
        if isinstance(value, int | float):
            days.update(range(math.floor(sign * value), math.ceil(sign * value) + 2))
