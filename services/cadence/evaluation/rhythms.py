"""Rhythms: of all that hold for a type, which one stands, and how often.

A default, or what the customer chose before it, is moved by wishes, adjustments and feedback within what its rule allows.
Guarantees come on top: nothing rarer than any of them ever stands. Fallbacks fill what is then still silent.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from services.cadence.evaluation.shapes import Cause, Suppressed
from services.cadence.policy import PRECEDENCES, Policy, Rhythm

_STRENGTH = {name: index for index, name in enumerate(PRECEDENCES)}
_GUARANTEES = frozenset({"floor", "escalation"})
Days = tuple[tuple[str, int], ...]
"""A number of days or of steps by name, sorted."""
NONE: Days = ()


class Chosen(NamedTuple):
    """The rhythm that stands for a type. `every_days` and `channel` (None: the rule's) are after all that moved it.

    `wish`: the days the customer asked for; `adjustments`: bits of those that moved it; `level`: of feedback.
    """

    bit: int
    rule: Rhythm
    every_days: int
    channel: str | None = None
    wish: int | None = None
    adjustments: tuple[int, ...] = ()
    level: int = 0


class Resolved(NamedTuple):
    """By type; and what does not stand, with what stopped it."""

    chosen: tuple[Chosen, ...]
    refused: tuple[Suppressed, ...]


@lru_cache(maxsize=4096)
def resolve(policy: Policy, fired: int, wishes: Days = NONE, levels: Days = NONE) -> Resolved:
    """`wishes`: days by topic; `levels`: steps of feedback by touchpoint type.

    Remembered, for most accounts meet one of a few dozen sets of rules.
    """
    held: dict[str, list[tuple[int, Rhythm]]] = {}
    fallbacks: list[tuple[int, Rhythm]] = []
    for bit, rhythm in policy.rhythms:
        if fired >> bit & 1:
            (fallbacks if rhythm.fallback else held.setdefault(rhythm.touchpoint, [])).append((bit, rhythm))
    said = _Said(policy, fired, dict(wishes), dict(levels))
    chosen: dict[str, Chosen] = {}
    refused: list[Suppressed] = []
    for kind in sorted(held):
        chosen[kind] = _of_kind(said, kind, held[kind], refused)
    for bit, rhythm in sorted(fallbacks, key=lambda each: _rank(each[1])):
        _fall_back(policy, chosen, bit, rhythm, refused)
    return Resolved(tuple(chosen[kind] for kind in sorted(chosen)), tuple(refused))


class _Said(NamedTuple):
    policy: Policy
    fired: int
    wishes: Mapping[str, int]
    levels: Mapping[str, int]


def _of_kind(said: _Said, kind: str, held: list[tuple[int, Rhythm]], refused: list[Suppressed]) -> Chosen:
    guards = [each for each in held if each[1].precedence in _GUARANTEES]
    guards.sort(key=lambda each: (each[1].every_days, *_rank(each[1])))
    bases = [each for each in held if each[1].precedence not in _GUARANTEES]
    stands = _moved(said, kind, *min(bases, key=lambda each: _rank(each[1]))) if bases else _as_is(*guards[0])
    if guards and _outdoes(guards[0][1], stands.every_days):
        stands = _as_is(*guards[0])
    for _, rhythm in held:
        if rhythm is not stands.rule:
            chose = stands.rule.precedence == "preference" and rhythm.precedence == "default"
            refused.append(_refusal(rhythm, stands.rule, "preference" if chose else "precedence"))
    return stands


def _as_is(bit: int, rhythm: Rhythm) -> Chosen:
    return Chosen(bit, rhythm, rhythm.every_days)


def _outdoes(guard: Rhythm, every_days: int) -> bool:
    return guard.every_days < every_days or (
        guard.every_days == every_days and guard.precedence == "escalation"
    )


def _rank(rhythm: Rhythm) -> tuple[int, int, str]:
    return -_STRENGTH[rhythm.precedence], rhythm.every_days, rhythm.rule


def _refusal(rhythm: Rhythm, winner: Rhythm, cause: Cause) -> Suppressed:
    return Suppressed(rhythm.touchpoint, rhythm.rule, f"{winner.rule} comes first", cause, by=winner.rule)


def _moved(said: _Said, kind: str, bit: int, base: Rhythm) -> Chosen:
    """What the customer asks for is answered first; only without a wish do adjustments and feedback speak."""
    if base.within is None:
        return _as_is(bit, base)
    shortest, longest = base.within
    topic = said.policy.catalogue[kind].topic
    wish = said.wishes.get(topic) if topic is not None else None
    if wish is not None:
        return Chosen(bit, base, max(shortest, min(longest, wish)), wish=wish)
    adjustments = [
        (own, each)
        for own, each in said.policy.adjustments
        if said.fired >> own & 1 and kind in each.touchpoints
    ]
    level, damping = said.levels.get(kind, 0), said.policy.content.damping
    steps = level + sum(each.steps for _, each in adjustments)
    asked = climb(damping.ladder, base.every_days, steps)
    too_rare = level > 0 and steps > 0 and (asked is None or asked > longest)
    return Chosen(
        bit,
        base,
        longest if asked is None else max(shortest, min(longest, asked)),
        channel=damping.at_the_end if too_rare else None,
        adjustments=tuple(own for own, _ in adjustments),
        level=level,
    )


def climb(ladder: tuple[int, ...], every_days: int, steps: int) -> int | None:
    """The interval so many rungs on (rarer) or back (denser); None: beyond the end. It stops at the first rung."""
    for _ in range(abs(steps)):
        if steps > 0:
            place = bisect_right(ladder, every_days)
            if place == len(ladder):
                return None
        else:
            place = bisect_left(ladder, every_days) - 1
            if place < 0:
                return every_days
        every_days = ladder[place]
    return every_days


def _fall_back(
    policy: Policy, chosen: dict[str, Chosen], bit: int, rhythm: Rhythm, refused: list[Suppressed]
) -> None:
    for each in chosen.values():
        own = each.rule.touchpoint == rhythm.touchpoint
        reaches = own or policy.catalogue[each.rule.touchpoint].topic is not None
        if reaches and each.every_days <= rhythm.every_days:
            does = "stands" if own else "reaches the customer"
            reason = f"{each.rule.rule} {does} every {each.every_days} days already"
            refused.append(Suppressed(rhythm.touchpoint, rhythm.rule, reason, "fallback", by=each.rule.rule))
            return
    rarer = chosen.get(rhythm.touchpoint)
    if rarer is not None:
        refused.append(_refusal(rarer.rule, rhythm, "precedence"))
    chosen[rhythm.touchpoint] = _as_is(bit, rhythm)
