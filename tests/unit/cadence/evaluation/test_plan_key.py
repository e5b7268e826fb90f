"""The key of a plan is equal under two policies exactly when the plans differ in the hash of the policy only."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import QuietHours
from services.cadence.account import FactEvent
from services.cadence.account.issued import Issued
from services.cadence.evaluation import Decision, evaluate_account
from services.cadence.expressions.parser import parse
from services.cadence.policy import Policy, Rule, compile_policy
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.evaluation.test_evaluate_properties import posts
from tests.unit.cadence.events import DAY, NOW, came_due, facts_after, issued, make_event, one_offs, shipped
from tests.unit.cadence.policies import (
    CATALOGUE,
    adjustment,
    blackout,
    evaluated,
    feedback,
    kind,
    policy,
    rhythm,
    trigger,
)

PARTS = ("rhythms", "triggers", "steps", "adjustments", "feedback", "blackouts")
REWORDED, RARER, TYPE = "Another text.", 41, {"purpose": "Another purpose", "minutes": 7}


def changed_rule(under: Policy, part: str, index: int, **more: object) -> Policy:
    rules: list[Rule] = list(getattr(under.content, part))
    rules[index % len(rules)] = replace(rules[index % len(rules)], **more)
    return compile_policy(replace(under.content, **{part: tuple(rules)}))


def changed_type(under: Policy, index: int, **more: object) -> Policy:
    types = list(under.content.touchpoints)
    types[index % len(types)] = replace(types[index % len(types)], **more)
    return compile_policy(replace(under.content, touchpoints=tuple(types)))


@st.composite
def other_policies(draw: st.DrawFn) -> Policy:
    index = draw(st.integers(0, 60))
    match draw(st.integers(0, 6)):
        case 0:
            return changed_rule(shipped(), draw(st.sampled_from(PARTS)), index, because=REWORDED)
        case 1:
            return changed_rule(shipped(), "rhythms", index, every_days=RARER, within=None)
        case 2:
            return changed_rule(shipped(), "triggers", index, cooldown=timedelta(days=RARER))
        case 3:
            return changed_type(shipped(), index, **TYPE)
        case 4:
            return changed_rule(shipped(), "steps", index, owner="sales", precedence="escalation")
        case 5:
            content = replace(shipped().content, quiet_hours=QuietHours(from_="21:00"))
            return compile_policy(content)
        case _:
            rules = shipped().content.rhythms
            return compile_policy(replace(shipped().content, rhythms=rules[: index % len(rules)]))


def shown(decision: Decision) -> object:
    """What leaves the engine, without the hash of the policy."""
    plan = decision.plan.model_dump(mode="json")
    for item in (*plan["rhythms"], *plan["touchpoints"]):
        del item["reason"]["policy"]
    return decision.segment, decision.stage, decision.color, plan


def under(policy_: Policy, post: list[FactEvent]) -> Decision:
    return evaluate_account(policy_, facts_after(post), Issued(), Portfolio(), NOW)


@given(posts, other_policies())
def test_the_keys_are_equal_exactly_when_the_plans_are(post: list[FactEvent], other: Policy) -> None:
    one, two = under(shipped(), post), under(other, post)

    assert (one.key == two.key) == (shown(one) == shown(two))


ADDED = rhythm("vip", "tips", 7, parse("arr is not null and arr > 1000000"))
FELL = trigger("fell", "nps.answered", "check_in", 14, cooldown=timedelta(days=30))
LOW = "nps_score is not null and nps_score < 5"
ANSWER = make_event("nps.answered", NOW - DAY, score=2, contact_id="ann")
BASE = policy(
    rhythm("monthly", "check_in", 30, within=(7, 60)),
    adjustment("denser", -1, "check_in"),
    feedback("unhappy", "nps.answered", LOW, -1, "check_in"),
    blackout("summer", (7, 1), (8, 1), "check_in"),
    FELL,
)


def changed(part: str, index: int, **more: object) -> Policy:
    return changed_rule(BASE, part, index, **more)


@pytest.mark.parametrize(
    ("other", "is_equal"),
    [
        (compile_policy(replace(BASE.content, rhythms=(*BASE.content.rhythms, ADDED))), True),
        (compile_policy(replace(BASE.content, touchpoints=(*CATALOGUE, kind("another")))), True),
        (changed("rhythms", 0, because=REWORDED), False),
        (changed("rhythms", 0, within=(7, 90)), True),
        (changed("rhythms", 0, every_days=31), False),
        (changed("rhythms", 0, urgency="soon"), False),
        (changed("adjustments", 0, because=REWORDED), False),
        (changed("feedback", 0, because=REWORDED), False),
        (changed("blackouts", 0, because=REWORDED), False),
        (changed("triggers", 0, cooldown=timedelta(days=31)), False),
        (changed("triggers", 0, owner="sales"), False),
        (changed_type(BASE, 0, minutes=31), False),
        (changed_type(BASE, 0, audience=("champion",)), False),
        (changed_type(BASE, 0, agenda=("Welcome",)), True),
    ],
)
def test_what_the_plan_shows_of_a_policy_is_in_the_key(other: Policy, *, is_equal: bool) -> None:
    one, two = evaluated(BASE, ANSWER), evaluated(other, ANSWER)

    assert BASE.hash != other.hash
    assert (shown(one) == shown(two)) is is_equal
    assert (one.key == two.key) is is_equal


def test_what_came_due_counts_with_what_the_catalogue_fills_in() -> None:
    (item,) = one_offs(evaluated(BASE, ANSWER), "check_in")
    due = issued([came_due(item, NOW)])
    later, facts = NOW + DAY, facts_after([ANSWER])
    others = {
        changed_type(BASE, 0, purpose="Another purpose"): True,
        changed_type(BASE, 0, never_skip=True): False,
    }
    without = compile_policy(replace(BASE.content, rhythms=(), adjustments=(), feedback=()))
    for other, is_equal in others.items():
        alone = compile_policy(replace(other.content, rhythms=(), adjustments=(), feedback=()))
        one = evaluate_account(without, facts, due, Portfolio(), later)
        two = evaluate_account(alone, facts, due, Portfolio(), later)
        assert [each.id for each in one.plan.touchpoints] == [item.id]
        assert (shown(one) == shown(two)) is is_equal
        assert (one.key == two.key) is is_equal
