"""A change of a part of a plan, and what it concerns of a calendar."""

from schemas.plans import PlanAdjusted
from services.calendar.escalation import Problem, escalation_id
from services.calendar.touchpoint import Origin
from services.simulation.plan_change import PlanChange, change_rhythms, join_folded, merge, select_stored
from tests.unit.calendar.plans import NOW, by_hand, calendar, one_off, plan, rhythm

CHECK_IN = rhythm(7, folds_into=("business_review",))
REVIEW = rhythm(90, touchpoint_type="business_review")
TIPS = rhythm(14, touchpoint_type="tips", owner="automation", csm_id=None)
KICKOFF, RENEWAL = one_off("kickoff", 3), one_off("renewal", 40)
WHOLE = plan([REVIEW, CHECK_IN, TIPS], [KICKOFF, RENEWAL])


def types_of(changed: PlanAdjusted) -> list[str]:
    return [each.touchpoint_type for each in changed.rhythms]


def test_a_rhythm_changes_with_all_that_it_folds_into_and_that_folds_into_it() -> None:
    assert join_folded(frozenset({"business_review"}), WHOLE.rhythms) == {"business_review", "check_in"}
    assert join_folded(frozenset({"check_in"}), WHOLE.rhythms) == {"business_review", "check_in"}
    assert join_folded(frozenset({"tips"}), WHOLE.rhythms) == {"tips"}
    assert types_of(change_rhythms(WHOLE, {"check_in"}).plan) == ["business_review", "check_in"]
    assert change_rhythms(WHOLE, {"check_in"}).plan.touchpoints == ()


def test_the_whole_plan_after_a_change_has_what_is_new_in_place_of_what_is_gone() -> None:
    rarer = rhythm(28, touchpoint_type="tips", owner="automation", csm_id=None)
    later = KICKOFF.model_copy(update={"minutes": 90})
    change = PlanChange(plan([rarer], [later]), (RENEWAL.id,), frozenset({"tips", "business_review"}))

    after = merge(WHOLE, change)

    assert [(each.touchpoint_type, each.every_days) for each in after.rhythms] == [
        ("check_in", 7),
        ("tips", 28),
    ]
    assert after.touchpoints == (later,)
    assert merge(WHOLE, PlanChange(change.plan)) is change.plan


def test_a_change_concerns_its_touchpoints_and_what_was_escalated_about_them() -> None:
    stored = calendar(WHOLE)
    account_id = WHOLE.account_id
    ids = (escalation_id(account_id, Problem.DEADLINE, each.id) for each in (KICKOFF, RENEWAL))
    escalations = [by_hand(NOW)._replace(id=each, origin=Origin.CALENDAR) for each in ids]
    everything = {each.id: each for each in (*stored.touchpoints, *escalations)}
    change = PlanChange(plan([TIPS], [KICKOFF]), (), frozenset({"tips"}))

    found = select_stored(account_id, everything, stored.series, stored.last_due_at, change)

    tips = {each.id for each in stored.touchpoints if each.type == "tips"}
    assert tips
    assert {each.id for each in found.touchpoints} == {KICKOFF.id, *tips, escalations[0].id}
    assert set(found.series) == {"tips"}
