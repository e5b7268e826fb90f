"""Change detection: whether a new health score can change the plan at all.

Scores arrive every day and mostly mean nothing new: an account whose health reads the same need not be evaluated again.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from services.cadence.account import Entries, Facts, Plain, Stamp, earliest, micros
from services.cadence.account.merging import SUPERSEDED
from services.cadence.evaluation.scores import scores_near
from services.cadence.expressions.weaken import compile_weakened
from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.policy import Policy, condition_of
from services.cadence.portfolio import Portfolio

_SCORED = "health.scored"
_FOREVER = 1 << 60
SNAPSHOT_EVENT_TYPES = frozenset({_SCORED})
"""Types of events of which a snapshot contains everything that an evaluation may read."""


class HealthSnapshot(NamedTuple):
    """When the account's first event happened, its health, and its dated health scores."""

    first_event_at: int | None
    score: Plain
    color: Plain
    scores: Entries


def health_snapshot(facts: Facts) -> HealthSnapshot:
    """As it is now; applying further events does not change the snapshot."""
    score: Plain = None
    color: Plain = None
    for fields in facts.account.values():
        score = fields.get("health_score", score)
        color = fields.get("color", color)
    return HealthSnapshot(facts.first_event_at, score, color, facts.entries.get(_SCORED, {}).copy())


def needs_reevaluation(
    policy: Policy, portfolio: Portfolio, before: HealthSnapshot, after: HealthSnapshot, now: datetime
) -> bool:
    """Whether the plan may differ, now or later, when only events of `SNAPSHOT_EVENT_TYPES` came in between.

    It cannot when health has the same colour and every score that was added, removed or reads differently is one that no
    rule may answer.
    """
    reading = _reading(policy, portfolio.reads)
    if (
        before.first_event_at != after.first_event_at
        or reading.color(before.color, before.score) != reading.color(after.color, after.score)
        or (reading.reads_score and before.score != after.score)
    ):
        return True
    if reading.within is None:
        return False
    oldest = earliest(micros(now) - reading.within)
    changed = _standing(before.scores) ^ _standing(after.scores)
    return any(
        stamp >= oldest and reading.may_fire(score, color, drop)
        for scores in (before.scores, after.scores)
        for stamp, score, color, drop in scores_near(scores, changed)
    )


def _standing(scores: Entries) -> set[Stamp]:
    return {stamp for stamp, fields in scores.items() if SUPERSEDED not in fields}


class _Reading(NamedTuple):
    """What a policy reads of health. `color`: of a colour and a score; `reads_score`: conditions read the score itself.

    `within`: how far back rules look at scores, in microseconds (None: not at all); `may_fire`: whether a rule may answer
    a score, a colour and a drop.
    """

    color: Callable[[Plain, Plain], Plain]
    reads_score: bool
    within: int | None
    may_fire: Callable[[float | None, str | None, float | None], bool]


@lru_cache(maxsize=8)
def _reading(policy: Policy, reads: frozenset[str]) -> _Reading:
    rules = [rule for _, rule in (*policy.triggers.get(_SCORED, ()), *policy.feedback.get(_SCORED, ()))]
    health = policy.content.health
    may_hold = compile_weakened(health, map(condition_of, rules), frozenset(EVENT_FEATURES[_SCORED]))

    @lru_cache(maxsize=4096)
    def may_fire(score: float | None, color: str | None, drop: float | None) -> bool:
        return may_hold({"health_score": score, "color": color, "score_drop": drop})

    within = _FOREVER if _SCORED in policy.feedback else policy.longest_within.get(_SCORED)
    return _Reading(health.effective_color, "health_score" in policy.reads | reads, within, may_fire)
