"""Footing: all that a decision reads of the facts that come every day and mostly mean nothing new.

An account that stands on the footing it was judged on need not be judged again before its time.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from services.cadence.account import Entries, Facts, Plain, earliest, micros
from services.cadence.evaluation.event_entries import scores_near
from services.cadence.expressions.weaken import compile_weakened
from services.cadence.features.registry import EVENT_FEATURES
from services.cadence.policy import Policy, condition_of
from services.cadence.portfolio import Portfolio

_SCORED = "health.scored"
_EVER = 1 << 60
SNAPSHOT_EVENT_TYPES = frozenset({_SCORED})
"""Types of facts of which a footing holds all that a decision may read."""


class HealthSnapshot(NamedTuple):
    """What an account stands on: when it was first heard of, what is told of its health, and the dated entries of it."""

    first_heard: int | None
    score: Plain
    color: Plain
    scored: Entries


def health_snapshot(facts: Facts) -> HealthSnapshot:
    """As it is now; folding further leaves it alone."""
    score: Plain = None
    color: Plain = None
    for said in facts.account.values():
        score = said.get("health_score", score)
        color = said.get("color", color)
    return HealthSnapshot(facts.first_heard, score, color, facts.entries.get(_SCORED, {}).copy())


def is_unaffected(
    policy: Policy, portfolio: Portfolio, before: HealthSnapshot, after: HealthSnapshot, now: datetime
) -> bool:
    """Whether the same is decided on both, now and later, when only events of `SNAPSHOT_EVENT_TYPES` came in between.

    So it is when health has the colour it had, and no score came, went or reads otherwise that some rule may answer.
    """
    reading = _reading(policy, portfolio.reads)
    if (
        before.first_heard != after.first_heard
        or reading.color(before.color, before.score) != reading.color(after.color, after.score)
        or (reading.score and before.score != after.score)
    ):
        return False
    if reading.within is None:
        return True
    oldest, stirs = earliest(micros(now) - reading.within), reading.stirs
    changed = before.scored.keys() ^ after.scored.keys()
    for scored in (before.scored, after.scored):
        for stamp, score, color, drop in scores_near(scored, changed):
            if stamp >= oldest and stirs(score, color, drop):
                return False
    return True


class _Reading(NamedTuple):
    """What a policy reads of health. `score`: the account's, too; `within`: how far back rules look at what was told,
    in microseconds, None: not at all; `stirs`: whether some rule may answer a score, a colour and a fall.
    """

    color: Callable[[Plain, Plain], Plain]
    score: bool
    within: int | None
    stirs: Callable[[float | None, str | None, float | None], bool]


@lru_cache(maxsize=8)
def _reading(policy: Policy, reads: frozenset[str]) -> _Reading:
    rules = [rule for _, rule in (*policy.triggers.get(_SCORED, ()), *policy.feedback.get(_SCORED, ()))]
    health = policy.content.health
    may = compile_weakened(health, map(condition_of, rules), frozenset(EVENT_FEATURES[_SCORED]))

    @lru_cache(maxsize=4096)
    def stirs(score: float | None, color: str | None, drop: float | None) -> bool:
        return may({"health_score": score, "color": color, "score_drop": drop})

    within = _EVER if _SCORED in policy.feedback else policy.longest_within.get(_SCORED)
    return _Reading(
        health.effective_color,
        "health_score" in policy.reads | reads,
        within,
        stirs,
    )
