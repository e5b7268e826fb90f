"""Decide: the whole plan of an account at a moment.

What decides is computed at once and small; items with their reasons are built when somebody looks at the plan.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime

from services.cadence.account import Facts, Fields, moment
from services.cadence.account.codec import dumps
from services.cadence.account.issued import Issued
from services.cadence.evaluation.avoid import keyed, pause_of, seasons_of, told_of
from services.cadence.evaluation.candidates import Scene, Wishes
from services.cadence.evaluation.documents import Document, plan_of
from services.cadence.evaluation.feedback import feel
from services.cadence.evaluation.plan_items import Outline, build_document
from services.cadence.evaluation.rhythms import NONE, Days, resolve
from services.cadence.evaluation.shapes import Plan, Suppressed
from services.cadence.evaluation.timelines import make_steps
from services.cadence.evaluation.triggers import grant
from services.cadence.features.compute import AccountView, next_day, view_account
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio


class Decision:
    """What `decide` found. `key` (16 bytes) is equal exactly when the plan's effect is equal.

    Evidence and wording are not part of the key: a new fact that changes nothing is no new plan. `document` is built
    when first read, from the facts as they are then: read it before folding further into them.
    """

    __slots__ = (
        "_build",
        "_document",
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
        build: Callable[[], Document],
        key: bytes,
        place: tuple[str, str, str | None],
        *,
        fired: int,
        next_evaluation_at: datetime | None,
        suppressed: tuple[Suppressed, ...],
    ) -> None:
        self._build = build
        self._document: Document | None = None
        self._plan: Plan | None = None
        self.key = key
        self.segment, self.stage, self.color = place
        self.fired = fired
        self.next_evaluation_at = next_evaluation_at
        self.suppressed = suppressed

    @property
    def document(self) -> Document:
        """The plan as it is stored and sent: `{rhythms, touchpoints, avoid}`."""
        if self._document is None:
            self._document = self._build()
        return self._document

    @property
    def plan(self) -> Plan:
        """The same as values."""
        if self._plan is None:
            self._plan = plan_of(self.document)
        return self._plan

    def stopped(self, rule: str) -> Suppressed | None:
        """What stopped a rule that holds, None when nothing did; of several what ends soonest, else the newest."""
        found = [each for each in self.suppressed if each.rule == rule]
        ends = [(each.until, each.reason, each) for each in found if each.until is not None]
        if ends:
            return min(ends, key=lambda each: each[:2])[2]
        return found[-1] if found else None


def evaluate_account(
    policy: Policy, facts: Facts, issued: Issued, portfolio: Portfolio, now: datetime
) -> Decision:
    """The whole plan of an account at `now` (aware). Pure; some tens of microseconds."""
    view = view_account(facts, portfolio, now, policy.reads, meetings=policy.meetings)
    segment, stage, color, fired = policy.evaluate_conditions(view.values)
    view.values.update(segment=segment, stage=stage, color=color)
    felt = feel(policy, facts, view)
    resolved = resolve(policy, fired & policy.rhythm_bits, _wishes(policy, view), felt.levels)
    pause, seasons = pause_of(facts, view.now), seasons_of(policy, fired, view.now)
    touches = issued.read(policy.counted_types) if issued.touches else {}
    wishes = Wishes()
    _stand(wishes, touches, view.now)
    scene = Scene(policy, facts, portfolio, view, touches, pause, seasons.known)
    grant(scene, wishes)
    make_steps(scene, wishes)
    turns = [*wishes.turns, *view.change_times, *felt.turns, *seasons.turns, *_days(policy, view)]
    if pause is not None and pause.end is not None:
        turns.append(pause.end)
    ahead = [at for at in turns if at > view.now]
    outline = Outline(view, resolved.chosen, felt, wishes.granted, wishes.standing, told_of(pause, seasons))
    return Decision(
        lambda: build_document(policy, facts, outline),
        _key(policy, outline),
        (segment, stage, color),
        fired=fired | felt.fired | wishes.fired,
        next_evaluation_at=moment(min(ahead)) if ahead else None,
        suppressed=(*resolved.refused, *wishes.refused),
    )


def _wishes(policy: Policy, view: AccountView) -> Days:
    """What the customer asks for, days by topic, where the policy gives way to it."""
    return tuple(sorted(view.preferred_days.items())) if view.preferred_days and policy.gives_way else NONE


def _stand(wishes: Wishes, touches: dict[str, dict[str, Fields]], now: int) -> None:
    """What came due stands until it is settled or past its deadline."""
    for known in touches.values():
        for key, fields in known.items():
            end = fields.get("deadline") or fields.get("window_to")
            if fields.get("reason_policy") is None or fields.get("ended") is not None:
                continue
            if isinstance(end, int) and now < end:
                wishes.standing[key] = fields
                wishes.turns.append(end)


def _days(policy: Policy, view: AccountView) -> list[int]:
    found: list[int] = []
    for name, counts in policy.day_counts.items():
        base = view.bases.get(name)
        if base is None:
            continue
        at = next_day(base, view.now, counts)
        if at is not None:
            found.append(at)
    return found


def _key(policy: Policy, outline: Outline) -> bytes:
    """The policy says what a bit means; the rest is what else can differ. All parts are plain values."""
    values, touches = outline.view.values, outline.view.last_touch
    said = (
        policy.hash,
        values["segment"],
        values["stage"],
        values["color"],
        values["csm_id"],
        [
            (
                each.bit,
                each.every_days,
                each.channel,
                touches.get(None if each.rule.any_contact else each.rule.touchpoint),
            )
            for each in outline.rhythms
        ],
        [(wish.bit, wish.key, wish.start, wish.end, wish.deadline) for wish in outline.granted],
        [(key, fields.get("due_at"), fields.get("deadline")) for key, fields in outline.standing.items()],
        keyed(outline.avoid),
    )
    return hashlib.blake2b(dumps(said), digest_size=16).digest()
