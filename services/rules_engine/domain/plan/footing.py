"""Footing: all that a decision reads of the facts that come every day and mostly mean nothing new.

An account that stands on the footing it was judged on need not be judged again before its time.
"""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from services.rules_engine.domain.book import Book
from services.rules_engine.domain.compile.loosening import compile_loose
from services.rules_engine.domain.facts import Entries, Facts, Plain, earliest, micros
from services.rules_engine.domain.plan.entries import scores_near
from services.rules_engine.domain.policy import Policy, wish
from services.rules_engine.domain.vocabulary.registry import ENTRY_WORDS

_SCORED = "health.scored"
_EVER = 1 << 60
QUIET = frozenset({_SCORED})
"""Types of facts of which a footing holds all that a decision may read."""


class Footing(NamedTuple):
    """What an account stands on: when it was first heard of, what is told of its health, and the dated entries of it."""

    first_heard: int | None
    score: Plain
    color: Plain
    scored: Entries


def footing(facts: Facts) -> Footing:
    """As it is now; folding further leaves it alone."""
    score: Plain = None
    color: Plain = None
    for said in facts.account.values():
        score = said.get("health_score", score)
        color = said.get("color", color)
    return Footing(facts.first_heard, score, color, facts.entries.get(_SCORED, {}).copy())


def unmoved(policy: Policy, book: Book, before: Footing, after: Footing, now: datetime) -> bool:
    """Whether the same is decided on both, now and later, when only facts of `QUIET` types came in between.

    So it is when health has the colour it had, and no score came, went or reads otherwise that some rule may answer.
    """
    reading = _reading(policy, book.reads)
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
        for mark, score, color, drop in scores_near(scored, changed):
            if mark >= oldest and stirs(score, color, drop):
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
    may = compile_loose(health, map(wish, rules), frozenset(ENTRY_WORDS[_SCORED]))

    @lru_cache(maxsize=4096)
    def stirs(score: float | None, color: str | None, drop: float | None) -> bool:
        return may({"health_score": score, "color": color, "score_drop": drop})

    within = _EVER if _SCORED in policy.feedback else policy.longest_within.get(_SCORED)
    return _Reading(
        health.told,
        "health_score" in policy.reads | reads,
        within,
        stirs,
    )
