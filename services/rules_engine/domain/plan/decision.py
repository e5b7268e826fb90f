"""Decide: the whole plan of an account at a moment.

What decides is computed at once and small; items with their reasons are built when somebody looks at the plan.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache

from services.rules_engine.domain.book import Book
from services.rules_engine.domain.codec import dumps
from services.rules_engine.domain.facts import Facts, moment
from services.rules_engine.domain.issued import Issued
from services.rules_engine.domain.plan.items import Outline, build_plan
from services.rules_engine.domain.plan.shapes import Plan, Suppressed
from services.rules_engine.domain.plan.wishes import make_wishes
from services.rules_engine.domain.policy import PRECEDENCES, Policy, Rhythm
from services.rules_engine.domain.vocabulary.view import View, next_day, view

_STRENGTH = {name: index for index, name in enumerate(PRECEDENCES)}


class Decision:
    """What `decide` found. `key` (16 bytes) is equal exactly when the plan's effect is equal.

    Evidence and wording are not part of the key: a new fact that changes nothing is no new plan. `plan` is built
    when first read, from the facts as they are then: read it before folding further into them.
    """

    __slots__ = (
        "_build",
        "_plan",
        "color",
        "fired",
        "key",
        "next_evaluation_at",
        "segment",
        "stage",
        "suppressed",
    )

    def __init__(
        self,
        build: Callable[[], Plan],
        key: bytes,
        place: tuple[str, str, str | None],
        *,
        fired: int,
        next_evaluation_at: datetime | None,
        suppressed: tuple[Suppressed, ...],
    ) -> None:
        self._build = build
        self._plan: Plan | None = None
        self.key = key
        self.segment, self.stage, self.color = place
        self.fired = fired
        self.next_evaluation_at = next_evaluation_at
        self.suppressed = suppressed

    @property
    def plan(self) -> Plan:
        if self._plan is None:
            self._plan = self._build()
        return self._plan


def decide(policy: Policy, facts: Facts, issued: Issued, book: Book, now: datetime) -> Decision:
    """The whole plan of an account at `now` (aware). Pure; some tens of microseconds."""
    seen = view(facts, book, now, policy.reads)
    segment, stage, color, fired = policy.judge(seen.values)
    seen.values.update(segment=segment, stage=stage, color=color)
    rhythms, refused = _rhythms(policy, fired)
    wishes = make_wishes(policy, facts, issued, seen)
    turns = [at for at in (*wishes.turns, *seen.turns, *_days(policy, seen)) if at > seen.now]
    outline = Outline(seen, rhythms, wishes.granted, wishes.standing)
    return Decision(
        lambda: build_plan(policy, facts, outline),
        _key(policy, outline),
        (segment, stage, color),
        fired=fired | wishes.fired,
        next_evaluation_at=moment(min(turns)) if turns else None,
        suppressed=(*refused, *wishes.refused),
    )


@lru_cache(maxsize=4096)
def _rhythms(policy: Policy, fired: int) -> tuple[Sequence[tuple[int, Rhythm]], Sequence[Suppressed]]:
    """Of each type the strongest wish, among equals the shortest; the rest are refused by name.

    Remembered, for most accounts meet one of a few dozen sets of rules.
    """
    best: dict[str, tuple[int, Rhythm]] = {}
    refused: list[Suppressed] = []
    for bit, rhythm in policy.rhythms:
        if not fired >> bit & 1:
            continue
        held = best.get(rhythm.touchpoint)
        if held is None:
            best[rhythm.touchpoint] = (bit, rhythm)
            continue
        winner, loser = (held, (bit, rhythm)) if _rank(held[1]) <= _rank(rhythm) else ((bit, rhythm), held)
        best[rhythm.touchpoint] = winner
        refused.append(Suppressed(rhythm.touchpoint, loser[1].rule, f"{winner[1].rule} comes first"))
    return tuple(best[kind] for kind in sorted(best)), tuple(refused)


def _rank(rhythm: Rhythm) -> tuple[int, int, str]:
    return -_STRENGTH[rhythm.precedence], rhythm.every_days, rhythm.rule


def _days(policy: Policy, seen: View) -> list[int]:
    found: list[int] = []
    for name, counts in policy.day_counts.items():
        base = seen.bases.get(name)
        if base is None:
            continue
        at = next_day(base, seen.now, counts)
        if at is not None:
            found.append(at)
    return found


def _key(policy: Policy, outline: Outline) -> bytes:
    """The policy says what a bit means; the rest is what else can differ. All parts are plain values."""
    values, touches = outline.seen.values, outline.seen.last_touch
    said = (
        policy.hash,
        values["segment"],
        values["stage"],
        values["color"],
        values["csm_id"],
        [(bit, touches.get(None if each.any_contact else each.touchpoint)) for bit, each in outline.rhythms],
        [(wish.bit, wish.key, wish.start) for wish in outline.granted],
        [(key, fields.get("due_at"), fields.get("deadline")) for key, fields in outline.standing],
    )
    return hashlib.blake2b(dumps(said), digest_size=16).digest()
