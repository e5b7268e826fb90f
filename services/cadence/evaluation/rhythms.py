"""Rhythms: which of the rules that apply to a type sets its rhythm, and how often.

A default, or what the customer chose before it, is moved by preferences, adjustments and feedback within the range of
its rule. Floors and escalations are minimums on top of it; a floor with a range may become denser. Fallbacks fill what
would otherwise have no contact. A preference that makes one rhythm that a person leads denser makes none of its topic
rarer: who asks for a monthly review asks for no fewer calls.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from schemas.recurrence_text import interval_text
from services.cadence.evaluation.candidates import Suppressed, SuppressionCause
from services.cadence.evaluation.moved_rules import rule_of_interval
from services.cadence.evaluation.preferred_channels import ChannelPreferences, preferred_channel
from services.cadence.policy import PERSONS, PRECEDENCES, Policy, Rhythm

_STRENGTH = {name: index for index, name in enumerate(PRECEDENCES)}
_MINIMUMS = frozenset({"floor", "escalation"})
Amounts = tuple[tuple[str, int], ...]
"""Numbers of days or of steps by name, sorted by name."""
NONE: Amounts = ()


class ChosenRhythm(NamedTuple):
    """The rhythm of a type. `every_days`, `rrule` and `channel` (None: the rule's) are after everything that moved it.

    `preferred_days`: what the customer asked for; `is_kept`: it would have made this rarer, so it did not move it;
    `preferred_channel`: the customer asked for the channel; `adjustments`: bits of those that moved it; `level`: feedback
    steps.
    """

    bit: int
    rule: Rhythm
    every_days: int
    channel: str | None = None
    preferred_days: int | None = None
    adjustments: tuple[int, ...] = ()
    level: int = 0
    is_kept: bool = False
    preferred_channel: bool = False
    rrule: str | None = None


class ResolvedRhythms(NamedTuple):
    """One chosen rhythm per type, in order of type, and the rules that were suppressed."""

    chosen: tuple[ChosenRhythm, ...]
    suppressed: tuple[Suppressed, ...]


class _Inputs(NamedTuple):
    policy: Policy
    fired: int
    preferred_days: Mapping[str, int]
    levels: Mapping[str, int]


@lru_cache(maxsize=4096)
def resolve_rhythms(
    policy: Policy,
    fired: int,
    preferred_days: Amounts = NONE,
    levels: Amounts = NONE,
    channels: ChannelPreferences = (),
) -> ResolvedRhythms:
    """Choose a rhythm per type. `preferred_days`, `channels`: by topic; `levels`: steps of feedback by touchpoint type.

    Cached: most accounts meet one of a few dozen sets of rules.
    """
    by_type: dict[str, list[tuple[int, Rhythm]]] = {}
    fallbacks: list[tuple[int, Rhythm]] = []
    for bit, rhythm in policy.rhythms:
        if fired >> bit & 1:
            (fallbacks if rhythm.fallback else by_type.setdefault(rhythm.touchpoint, [])).append(
                (bit, rhythm)
            )
    inputs = _Inputs(policy, fired, dict(preferred_days), dict(levels))
    chosen = {kind: _choose(inputs, kind, by_type[kind]) for kind in sorted(by_type)}
    _keep_denser(inputs, by_type, chosen)
    suppressed = [item for kind in by_type for item in _overruled(chosen[kind].rule, by_type[kind])]
    suppressed.sort(key=lambda item: item.touchpoint_type)
    for bit, rhythm in sorted(fallbacks, key=lambda item: selection_rank(item[1])):
        _fall_back(policy, chosen, bit, rhythm, suppressed)
    preferred = dict(channels)
    final = tuple(_over_channel(policy, chosen[kind], preferred) for kind in sorted(chosen))
    return ResolvedRhythms(final, tuple(suppressed))


def _choose(inputs: _Inputs, kind: str, rhythms: list[tuple[int, Rhythm]]) -> ChosenRhythm:
    bases = [item for item in rhythms if item[1].precedence not in _MINIMUMS]
    minimums = [_moved(inputs, kind, *item) for item in rhythms if item[1].precedence in _MINIMUMS]
    minimums.sort(key=lambda chosen: (chosen.every_days, *selection_rank(chosen.rule)))
    if not bases:
        return minimums[0]
    base = _moved(inputs, kind, *min(bases, key=lambda item: selection_rank(item[1])))
    return minimums[0] if minimums and _outranks(minimums[0], base.every_days) else base


def _keep_denser(
    inputs: _Inputs,
    by_type: Mapping[str, list[tuple[int, Rhythm]]],
    chosen: dict[str, ChosenRhythm],
) -> None:
    """Where a preference makes a rhythm that a person leads denser, choose anew what it makes rarer, without it."""
    led = [kind for kind, rhythm in chosen.items() if _is_led(inputs.policy, rhythm.rule)]
    moved = {kind: chosen[kind].every_days - chosen[kind].rule.every_days for kind in led}
    topics = {
        inputs.policy.catalogue[kind].topic
        for kind in led
        if chosen[kind].preferred_days is not None and moved[kind] < 0
    }
    for kind in led:
        preferred = chosen[kind].preferred_days
        if preferred is not None and moved[kind] > 0 and inputs.policy.catalogue[kind].topic in topics:
            standard = _choose(inputs._replace(preferred_days={}), kind, by_type[kind])
            chosen[kind] = standard._replace(preferred_days=preferred, is_kept=True)


def _is_led(policy: Policy, rhythm: Rhythm) -> bool:
    return (rhythm.owner or policy.catalogue[rhythm.touchpoint].owner) in PERSONS


def _over_channel(policy: Policy, chosen: ChosenRhythm, preferred: Mapping[str, str]) -> ChosenRhythm:
    if not preferred or chosen.channel is not None or chosen.rule.precedence == "escalation":
        return chosen
    channel = preferred_channel(policy, chosen.rule, preferred)
    return chosen if channel is None else chosen._replace(channel=channel, preferred_channel=True)


def _overruled(winner: Rhythm, rhythms: list[tuple[int, Rhythm]]) -> Iterator[Suppressed]:
    for _, rhythm in rhythms:
        if rhythm is not winner:
            preferred = winner.precedence == "preference" and rhythm.precedence == "default"
            yield _suppressed(rhythm, winner, "preference" if preferred else "precedence")


def _as_is(bit: int, rhythm: Rhythm) -> ChosenRhythm:
    return ChosenRhythm(bit, rhythm, rhythm.every_days, rrule=rhythm.rrule)


def _outranks(minimum: ChosenRhythm, every_days: int) -> bool:
    return minimum.every_days < every_days or (
        minimum.every_days == every_days and minimum.rule.precedence == "escalation"
    )


def selection_rank(rhythm: Rhythm) -> tuple[int, int, str]:
    """The order in which the rhythms of a touchpoint type are selected, the first one first."""
    return -_STRENGTH[rhythm.precedence], rhythm.every_days, rhythm.rule


def _suppressed(rhythm: Rhythm, winner: Rhythm, cause: SuppressionCause) -> Suppressed:
    return Suppressed(rhythm.touchpoint, rhythm.rule, f"{winner.rule} comes first", cause, by=winner.rule)


def _moved(inputs: _Inputs, kind: str, bit: int, base: Rhythm) -> ChosenRhythm:
    """A customer's preference comes first; only without one do adjustments and feedback move the rhythm."""
    if base.within is None:
        return _as_is(bit, base)
    shortest, longest = base.within
    topic = inputs.policy.catalogue[kind].topic
    preferred = inputs.preferred_days.get(topic) if topic is not None else None
    if preferred is not None:
        every_days = max(shortest, min(longest, preferred))
        rrule = rule_of_interval(base, every_days)
        return ChosenRhythm(bit, base, every_days, preferred_days=preferred, rrule=rrule)
    adjustments = [
        (own_bit, adjustment)
        for own_bit, adjustment in inputs.policy.adjustments
        if inputs.fired >> own_bit & 1 and kind in adjustment.touchpoints
    ]
    level, damping = inputs.levels.get(kind, 0), inputs.policy.content.damping
    steps = level + sum(adjustment.steps for _, adjustment in adjustments)
    wanted = climb(damping.ladder, base.every_days, steps)
    too_rare = level > 0 and steps > 0 and (wanted is None or wanted > longest)
    every_days = longest if wanted is None else max(shortest, min(longest, wanted))
    return ChosenRhythm(
        bit,
        base,
        every_days,
        rrule=rule_of_interval(base, every_days),
        channel=damping.at_the_end if too_rare else None,
        adjustments=tuple(own_bit for own_bit, _ in adjustments),
        level=level,
    )


def climb(ladder: tuple[int, ...], every_days: int, steps: int) -> int | None:
    """The interval `steps` rungs rarer (negative: denser); None beyond the last rung. It stops at the first."""
    for _ in range(abs(steps)):
        if steps > 0:
            index = bisect_right(ladder, every_days)
            if index == len(ladder):
                return None
        else:
            index = bisect_left(ladder, every_days) - 1
            if index < 0:
                return every_days
        every_days = ladder[index]
    return every_days


def _fall_back(
    policy: Policy, chosen: dict[str, ChosenRhythm], bit: int, rhythm: Rhythm, suppressed: list[Suppressed]
) -> None:
    for other in chosen.values():
        own = other.rule.touchpoint == rhythm.touchpoint
        reaches = own or policy.catalogue[other.rule.touchpoint].topic is not None
        if reaches and other.every_days <= rhythm.every_days:
            does = "stands" if own else "reaches the customer"
            reason = f"{other.rule.rule} {does} {interval_text(other.every_days, other.rrule)} already"
            suppressed.append(
                Suppressed(rhythm.touchpoint, rhythm.rule, reason, "fallback", by=other.rule.rule)
            )
            return
    rarer = chosen.get(rhythm.touchpoint)
    if rarer is not None:
        suppressed.append(_suppressed(rarer.rule, rhythm, "precedence"))
    chosen[rhythm.touchpoint] = _as_is(bit, rhythm)
