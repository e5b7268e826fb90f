"""Feedback: what customers do moves a rhythm by a step at a time, damped and ageing; health acts at once."""

from datetime import datetime, timedelta

import pytest

from services.cadence.account import FactEvent
from services.cadence.evaluation import Decision
from services.cadence.expressions.parser import parse
from services.cadence.policy import Damping, Policy
from tests.unit.cadence.events import DAY, HOUR, NOW, make_event
from tests.unit.cadence.events import rhythm as item
from tests.unit.cadence.policies import adjustment, evaluated, feedback, policy, rhythm

DAMPING = Damping((7, 14, 30, 60, 90, 180), timedelta(days=60), timedelta(days=180), "email")
BASE = rhythm("base", "check_in", 14, within=(7, 30))
DECLINES = feedback("declines", "touchpoint.settled", "declines_in_row >= 3", 1, "check_in")
TOO_MUCH = feedback(
    "too-much", "survey.answered", 'survey_answer is not null and survey_answer == "too_much"', 1, "check_in"
)
TOO_LITTLE = feedback(
    "too-little",
    "survey.answered",
    'survey_answer is not null and survey_answer == "too_little"',
    -1,
    "check_in",
)
RED = rhythm(
    "red",
    "check_in",
    7,
    when=parse('color is not null and color == "red"'),
    precedence="escalation",
    channel="call",
)


def under(*more: object) -> Policy:
    return policy(BASE, DECLINES, TOO_MUCH, TOO_LITTLE, RED, *more, damping=DAMPING)  # pyright: ignore[reportArgumentType]


def meeting(days_ago: float, outcome: str = "declined", kind: str = "check_in") -> FactEvent:
    return make_event(
        "touchpoint.settled",
        NOW - days_ago * DAY,
        touchpoint_id=f"t{days_ago}{kind}",
        touchpoint_type=kind,
        outcome=outcome,
    )


def survey(days_ago: float, answer: str = "too_much") -> FactEvent:
    return make_event("survey.answered", NOW - days_ago * DAY, survey="rhythm", answer=answer)


def found(decision: Decision) -> tuple[int, str]:
    held = item(decision, "check_in")
    assert held is not None
    return held.every_days, held.channel


def every(*events: FactEvent, now: datetime = NOW) -> int:
    return found(evaluated(under(), *events, now=now))[0]


def test_three_declines_in_a_row_make_the_rhythm_rarer_by_one_step() -> None:
    assert every(meeting(3), meeting(2)) == 14
    assert every(meeting(3), meeting(2), meeting(1)) == 30
    assert every(meeting(3), meeting(2, "completed"), meeting(1)) == 14


def test_no_shows_count_as_declines_and_what_was_put_off_does_not() -> None:
    assert every(meeting(3, "missed"), meeting(2), meeting(1, "missed")) == 30
    assert every(meeting(3), meeting(2, "rescheduled"), meeting(1)) == 14


@pytest.mark.parametrize(("answer", "days"), [("too_much", 30), ("too_little", 7), ("about_right", 14)])
def test_the_word_on_our_rhythm_counts_as_a_step(answer: str, days: int) -> None:
    assert every(survey(1, answer)) == days


def test_a_second_step_counts_only_after_the_spacing_and_moves_to_mail_at_the_end() -> None:
    assert found(evaluated(under(), survey(60), survey(1))) == (30, "call")
    assert found(evaluated(under(), survey(61), survey(1))) == (30, "email")


def test_at_the_end_without_another_channel_the_longest_interval_stays() -> None:
    plain = policy(BASE, TOO_MUCH, damping=Damping(DAMPING.ladder))

    assert found(evaluated(plain, survey(61), survey(1))) == (30, "call")


def test_a_step_ages_out_when_it_is_due_and_the_engine_looks_again_right_then() -> None:
    event = survey(0)
    decision = evaluated(under(), event)

    assert decision.next_evaluation_at == NOW + 180 * DAY
    assert every(event, now=NOW + 180 * DAY - HOUR) == 30
    assert every(event, now=NOW + 180 * DAY) == 14


def test_a_step_that_aged_out_does_not_bring_back_one_it_had_damped() -> None:
    assert every(survey(181), survey(150)) == 14


def test_steps_in_both_directions_cancel_each_other() -> None:
    assert every(survey(90, "too_much"), survey(1, "too_little")) == 14


def test_what_happens_later_than_now_does_not_act_yet() -> None:
    ahead = make_event("survey.answered", NOW + 2 * DAY, survey="rhythm", answer="too_much")
    decision = evaluated(under(), ahead)

    assert found(decision)[0] == 14
    assert decision.next_evaluation_at == NOW + 2 * DAY
    assert every(ahead, now=NOW + 2 * DAY) == 30


def test_health_acts_at_once_and_is_never_damped() -> None:
    red = make_event("health.scored", NOW, color="red")
    green = make_event("health.scored", NOW + HOUR, color="green")
    events = (survey(61), survey(1))

    assert found(evaluated(under(), *events, red)) == (7, "call")
    assert found(evaluated(under(), *events, red, green, now=NOW + HOUR)) == (30, "email")


def test_feedback_and_adjustments_add_up() -> None:
    closer = adjustment("closer", -1, "check_in")

    assert found(evaluated(under(closer)))[0] == 7
    assert found(evaluated(under(closer), survey(1)))[0] == 14


def test_feedback_moves_only_the_types_it_names_and_rules_that_allow_it() -> None:
    firm = policy(rhythm("base", "check_in", 14), rhythm("tips", "tips", 14, within=(7, 90)), TOO_MUCH)
    decision = evaluated(firm, survey(1))

    assert [each.every_days for each in decision.plan.rhythms] == [14, 14]


def test_the_reason_names_the_step_and_the_fact_behind_it() -> None:
    event = survey(1)
    held = item(evaluated(under(), event), "check_in")

    assert held is not None
    assert held.reason.rule == "base"
    assert held.reason.text == ("Because of base. Because of too-much. So it is every 30 days instead of 14.")
    assert ("survey_answer", "too_much", event.provenance.id) in {
        (fact.name, fact.value, fact.id) for fact in held.reason.facts
    }


def test_feedback_that_acted_is_among_what_fired() -> None:
    policy_ = under()

    assert evaluated(policy_, survey(1)).fired >> policy_.bits["too-much"] & 1
    assert not evaluated(policy_).fired >> policy_.bits["too-much"] & 1
