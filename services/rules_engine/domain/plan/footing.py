"""Footing: all that a decision reads of the facts that come every day and mostly mean nothing new.

An account that stands on the footing it was judged on need not be judged again before its time.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from services.rules_engine.domain.book import Book
from services.rules_engine.domain.compile.loosening import compile_loose
from services.rules_engine.domain.facts import Facts, Plain, micros
from services.rules_engine.domain.plan.entries import Score, Stirs, scores
from services.rules_engine.domain.policy import Policy, wish
from services.rules_engine.domain.vocabulary.registry import ENTRY_WORDS

_SCORED = "health.scored"
_EVER = 1 << 60
QUIET = frozenset({_SCORED})
"""Types of facts of which a footing tells all that a decision may read."""


class Footing(NamedTuple):
    """Equal footings, equal decisions, as long as nothing but facts of `QUIET` types was heard.

    `score`: only where some condition reads it; `stirring`: the scores that some rule may answer, with their marks.
    """

    first_heard: int | None
    color: Plain
    score: Plain
    stirring: list[Score]


def footing(policy: Policy, book: Book, facts: Facts, now: datetime) -> Footing:
    """What an account stands on at `now`. A few microseconds."""
    reading = _reading(policy, book.reads)
    score: Plain = None
    color: Plain = None
    for said in facts.account.values():
        if "health_score" in said:
            score = said["health_score"]
        if "color" in said:
            color = said["color"]
    if color is None and isinstance(score, int | float):
        color = reading.color(score)
    stirring: list[Score] = []
    if reading.within is not None:
        since = micros(now) - reading.within
        stirring = scores(facts.entries.get(_SCORED, {}), since, reading.stirs)
    return Footing(facts.first_heard, color, score if reading.score else None, stirring)


class _Reading(NamedTuple):
    """What a policy reads of scores. `within`: how far back, in microseconds; None: no rule stands on them."""

    color: Callable[[float], str]
    score: bool
    within: int | None
    stirs: Stirs


@lru_cache(maxsize=8)
def _reading(policy: Policy, reads: frozenset[str]) -> _Reading:
    rules = [rule for _, rule in (*policy.triggers.get(_SCORED, ()), *policy.feedback.get(_SCORED, ()))]
    health = policy.content.health
    may = compile_loose(health, map(wish, rules), frozenset(ENTRY_WORDS[_SCORED]))

    @lru_cache(maxsize=4096)
    def stirs(score: float | None, color: str | None, drop: float | None) -> bool:
        return may({"health_score": score, "color": color, "score_drop": drop})

    within = _EVER if _SCORED in policy.feedback else policy.longest_within.get(_SCORED)
    return _Reading(health.color, "health_score" in policy.reads | reads, within, stirs)
