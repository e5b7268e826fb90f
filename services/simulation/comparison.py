"""Two simulations of the same days side by side: touchpoints of people and messages of automation by type."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import cast

from services.calendar.touchpoint import PEOPLE


def compare_schedules(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, object]:
    """`before` and `after`: documents of simulations with their schedules.

    `touchpoints` are led by a person, `messages` go out by themselves; each type has how many come `before` and `after`.
    """
    was, becomes = _count(before), _count(after)
    return {
        "at": after["at"],
        "days": after["days"],
        "accounts": {"before": before["accounts"], "after": after["accounts"]},
        "sample": bool(before["sample"]) or bool(after["sample"]),
        "touchpoints": _pairs(was[True], becomes[True]),
        "messages": _pairs(was[False], becomes[False]),
    }


def _count(document: Mapping[str, object]) -> dict[bool, Counter[str]]:
    """By whether a person leads them: how many of each type."""
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for touch in cast("Iterable[Mapping[str, str]]", document["schedule"]):
        counts[touch["owner"] in PEOPLE][touch["type"]] += 1
    return counts


def _pairs(before: Counter[str], after: Counter[str]) -> dict[str, dict[str, int]]:
    return {kind: {"before": before[kind], "after": after[kind]} for kind in sorted(before | after)}
