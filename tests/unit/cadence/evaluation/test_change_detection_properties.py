"""Where no reevaluation is needed, the key of the plan is the same to the byte."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Facts, apply_fact
from services.cadence.account.issued import Issued
from services.cadence.evaluation import (
    SNAPSHOT_EVENT_TYPES,
    Decision,
    evaluate_account,
    health_snapshot,
    needs_reevaluation,
)
from services.cadence.expressions.parser import parse
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.evaluation.test_evaluate_properties import posts
from tests.unit.cadence.events import DAY, HOUR, NOW, facts_after, make_event, shipped
from tests.unit.cadence.policies import feedback, policy, rhythm, trigger

WATCHFUL = policy(
    rhythm("check-in", "check_in", 30, within=(7, 90)),
    rhythm("low", "usage_report", 30, parse("health_score is not null and health_score < 50")),
    trigger("fell", "health.scored", "advocacy_ask", 3, parse("score_drop is not null and score_drop > 10")),
    trigger("rich-fell", "health.scored", "business_review", 2, parse(
        "arr is not null and arr > 5000 and score_drop is not null and score_drop > 0"
    )),
    feedback("fell-often", "health.scored", "score_drop is not null and score_drop > 30", -1, "check_in"),
)  # fmt: skip
POLICIES = st.sampled_from([shipped(), WATCHFUL])
stamps = st.integers(-300, 1).map(lambda hours: NOW + hours * HOUR)
values = st.integers(70, 100) | st.integers(0, 100) | st.none()
colors = st.sampled_from([None, "red", "green"])


@st.composite
def scored(draw: st.DrawFn) -> FactEvent:
    fields: dict[str, object] = {"score": draw(values)}
    if draw(st.booleans()):
        fields["color"] = draw(colors)
    return make_event("health.scored", draw(stamps), **fields)


scores = st.lists(scored(), max_size=20)
quiet = st.lists(scored(), min_size=1, max_size=4)


def evaluated(under: Policy, facts: Facts, hours: float = 0) -> tuple[object, ...]:
    found: Decision = evaluate_account(under, facts, Issued(), Portfolio(), NOW + timedelta(hours=hours))
    return found.key, found.next_evaluation_at, found.segment, found.stage, found.color


@settings(suppress_health_check=[HealthCheck.filter_too_much])  # most news may change a plan
@given(POLICIES, posts, scores, quiet, st.floats(0, 2000))
def test_without_a_need_to_reevaluate_the_decision_is_the_same_now_and_later(
    under: Policy, post: list[FactEvent], before: list[FactEvent], news: Sequence[FactEvent], hours: float
) -> None:
    facts, known = facts_after([*post, *before, *news]), facts_after([*post, *before])
    assume(not needs_reevaluation(under, Portfolio(), health_snapshot(known), health_snapshot(facts), NOW))

    assert {each.type for each in news} <= SNAPSHOT_EVENT_TYPES
    assert evaluated(under, facts) == evaluated(under, known)
    assert evaluated(under, facts, hours) == evaluated(under, known, hours)


def test_a_score_of_the_same_colour_needs_no_reevaluation() -> None:
    facts = facts_after(
        make_event("health.scored", NOW - day * DAY, score=80 + day) for day in range(20, 0, -1)
    )
    before = health_snapshot(facts)

    apply_fact(facts, make_event("health.scored", NOW, score=90))

    assert not needs_reevaluation(shipped(), Portfolio(), before, health_snapshot(facts), NOW)


@given(st.sampled_from([{"score": 20}, {"score": 71}, {"score": 95, "color": "red"}, {"score": None}]))
@example({"score": 55})
def test_another_colour_and_a_score_that_fell_need_a_reevaluation(fields: dict[str, object]) -> None:
    facts = facts_after([make_event("health.scored", NOW - DAY, score=95)])
    before = health_snapshot(facts)

    apply_fact(facts, make_event("health.scored", NOW, **fields))

    assert needs_reevaluation(shipped(), Portfolio(), before, health_snapshot(facts), NOW)


def test_a_score_older_than_all_other_events_needs_a_reevaluation() -> None:
    facts = facts_after([make_event("health.scored", NOW - DAY, score=95)])
    before = health_snapshot(facts)

    apply_fact(facts, make_event("health.scored", NOW - 30 * DAY, score=95))

    assert needs_reevaluation(shipped(), Portfolio(), before, health_snapshot(facts), NOW)
