"""Rows 1-6 and 15-19 of the reported faults: what the plan asks for follows from where a contract stands."""

from datetime import timedelta
from typing import Any

import pytest

from services.cadence.account import FactEvent, stamp_of, who
from services.cadence.account.contracts import upgrade_contract
from services.cadence.account.relation import relate
from services.cadence.evaluation.contract_entries import contract_entries
from tests.unit.cadence.contract_events import ASKS, S, contract, on, plan_at, types
from tests.unit.cadence.events import DAY, came_due, decided, one_offs, settled
from tests.unit.cadence.policies import evaluated, policy, step

FIRST = contract(-270, status="active", starts=-270, renews=95)
MINUTE = 1 / 1440


def steps(decision_types: list[str]) -> frozenset[str]:
    return ASKS & set(decision_types)


def test_row_1_a_new_term_has_its_own_steps_whichever_fields_are_repeated() -> None:
    before = plan_at(0, FIRST)
    came = [event for item in before.plan.touchpoints for event in (came_due(item, S), settled(item, S))]
    renewed: dict[str, Any] = {"status": "signed", "signed_at": 90, "renews": 460}
    whole = plan_at(91, FIRST, contract(90, starts=-270, **renewed), came=came)
    partial = plan_at(91, FIRST, contract(90, **renewed), came=came)

    assert steps(types(whole)) == ASKS - {"renewal_negotiation"}
    assert [item.id for item in whole.plan.touchpoints] == [item.id for item in partial.plan.touchpoints]
    assert len(one_offs(whole, "post_renewal_check_in")) == 1
    assert one_offs(whole, "kickoff") == []


def test_row_2_a_date_that_moves_by_about_a_term_is_a_new_term_and_a_small_move_a_correction() -> None:
    done = [
        event
        for item in plan_at(0, FIRST).plan.touchpoints
        for event in (came_due(item, S), settled(item, S))
    ]
    moved = plan_at(81, FIRST, contract(80, status="active", renews=460), came=done)
    corrected = plan_at(1, FIRST, contract(0.5, status="active", renews=109))
    corrected_late = plan_at(98, FIRST, contract(97, status="active", renews=102), came=done)

    assert steps(types(moved)) == ASKS - {"renewal_negotiation"}
    assert {item.id for item in corrected.plan.touchpoints} == {
        item.id for item in plan_at(1, FIRST).plan.touchpoints
    }
    assert steps(types(corrected_late)) == set()


def test_row_3_a_first_signature_from_two_tools_is_one() -> None:
    tools = (
        contract(0, status="signed", signed_at=-MINUTE, starts=0, renews=365),
        contract(MINUTE, "k", "/billing", status="signed", signed_at=0, starts=0, renews=365),
    )
    decision = plan_at(1, *tools)

    assert len(one_offs(decision, "kickoff")) == 1
    assert one_offs(decision, "post_renewal_check_in") == []
    assert {"renewal_urgency", "renewal_escalation"} <= set(types(decision))


def test_row_4_a_renewal_signature_stated_twice_is_one() -> None:
    first = contract(0, status="signed", signed_at=-MINUTE)
    second = contract(MINUTE, "k", "/billing", status="signed", signed_at=0)
    before = plan_at(0, FIRST, first)
    (check_in,) = one_offs(before, "post_renewal_check_in")
    came = [came_due(check_in, S), settled(check_in, S)]

    assert len(one_offs(plan_at(1, FIRST, first, second), "post_renewal_check_in")) == 1
    assert one_offs(plan_at(1, FIRST, first, second, came=came), "post_renewal_check_in") == []


def test_row_5_the_running_term_leads_and_the_old_is_history() -> None:
    records = (
        contract(-430, "t-2024", status="active", starts=-430, renews=-65),
        contract(-65, "t-2025", status="active", starts=-65, renews=300),
    )
    decision = plan_at(0, *records)

    assert decision.stage == "growth"
    assert decision.state.view.values["days_to_renewal"] == 300
    assert steps(types(decision)) == ASKS - {"renewal_negotiation"}
    assert all(item.window.from_ > S for item in decision.plan.touchpoints)


def test_row_5_a_term_that_was_never_closed_has_ended_after_a_month() -> None:
    old = contract(-430, status="active", starts=-430, renews=-65)

    assert plan_at(-60, old).stage == "renewal"
    assert plan_at(0, old).stage == "churned"


def test_row_6_two_contracts_that_renew_on_one_day_are_asked_about_once() -> None:
    other = contract(-200, "k2", status="active", starts=-200, renews=95)
    alone, both = plan_at(0, FIRST), plan_at(0, FIRST, other)

    assert [item.id for item in both.plan.touchpoints] == [item.id for item in alone.plan.touchpoints]
    assert alone.key != both.key
    assert "k and k2" in both.plan.touchpoints[0].reason.text
    facts = {fact.name: fact.value for fact in both.plan.touchpoints[0].reason.facts}
    assert facts["contract_ids"] == ["k", "k2"]


def test_row_6_what_was_done_for_both_is_not_asked_again_when_one_of_them_is_signed() -> None:
    other = contract(-200, "k2", status="active", starts=-200, renews=95)
    summary = plan_at(6, FIRST, other).plan.touchpoints[0]
    came = [came_due(summary, S + 6 * DAY), settled(summary, S + 6 * DAY)]
    left = plan_at(8, FIRST, other, contract(7, status="signed", signed_at=7), came=came)

    assert "renewal_value_summary" not in types(left)
    assert "renewal_discussion" in types(left)


def test_row_15_a_contract_that_renews_by_itself_is_not_urged() -> None:
    renewing = contract(-345, status="active", starts=-345, renews=20, auto_renew=True)
    decision = plan_at(0, renewing)

    assert steps(types(decision)) <= {"renewal_value_summary"}
    (check_in,) = one_offs(decision, "check_in")
    assert check_in.window.to <= S + 20 * DAY
    later = plan_at(60, renewing)
    (check_in,) = one_offs(later, "check_in")
    assert check_in.window.from_.date() == on(20 + 365 - 30)
    assert "assumed" in check_in.reason.text
    assert later.state.view.values["days_to_renewal"] == 325


def test_row_15_the_touch_comes_before_the_last_day_for_notice() -> None:
    renewing = contract(-200, status="active", starts=-200, renews=165, auto_renew=True, notice_days=60)
    decision = plan_at(0, renewing)

    (check_in,) = one_offs(decision, "check_in")
    assert check_in.window.from_.date() == on(165 - 60 - 30)
    assert decision.state.view.values["days_to_notice"] == 105


@pytest.mark.parametrize("at", [0, 40, 95, 120])
def test_row_16_a_signed_renewal_stops_its_asks(at: int) -> None:
    running = contract(-265, status="active", starts=-265, renews=100)
    decision = plan_at(at, running, contract(0, status="signed", signed_at=0))

    asks = [item for item in decision.plan.touchpoints if item.touchpoint_type in ASKS]
    assert all(item.window.from_ > S + 200 * DAY for item in asks)
    assert decision.stage != "renewal"


def test_row_17_who_churned_is_served_until_the_term_ends_and_gets_a_chance_to_come_back() -> None:
    events = (
        contract(-185, status="active", starts=-185, renews=180),
        contract(0, status="churned"),
    )
    for at in (0, 100, 179):
        decision = plan_at(at, *events)
        assert decision.stage != "churned"
        assert decision.plan.rhythms != ()
        assert steps(types(decision)) == set()
    ended = plan_at(181, *events)
    assert ended.stage == "churned"
    assert ended.plan.rhythms == ()
    (win_back,) = one_offs(ended, "win_back")
    assert win_back.window.from_.date() == on(210)


@pytest.mark.parametrize("status", ["notice", "churned"])
def test_row_17_notice_is_a_state_and_can_be_withdrawn(status: str) -> None:
    events = (contract(-185, status="active", starts=-185, renews=180), contract(0, status=status))

    assert steps(types(plan_at(1, *events))) == set()
    assert steps(types(plan_at(6, *events, contract(5, status="active")))) != set()


def test_row_18_who_was_won_back_gets_an_onboarding_from_the_new_start() -> None:
    gone = (
        contract(-800, status="active", starts=-800, renews=-435),
        contract(-500, status="churned"),
    )
    for again in (
        contract(0, "k2", status="signed", signed_at=0, starts=0, renews=365),
        contract(0, status="signed", signed_at=0, starts=0, renews=365),
    ):
        decision = plan_at(0, *gone, again)
        assert decision.stage == "onboarding"
        assert len(one_offs(decision, "kickoff")) == 1
        assert len(one_offs(decision, "welcome")) == 1
        assert one_offs(decision, "post_renewal_check_in") == []
        assert one_offs(decision, "win_back") == []


def test_row_18_a_second_onboarding_has_ids_of_its_own() -> None:
    first = contract(0, status="signed", signed_at=0, starts=0, renews=365)
    (welcome,) = one_offs(plan_at(0, first), "welcome")
    later = contract(800, "k2", status="signed", signed_at=800, starts=800, renews=1165)
    (again,) = one_offs(plan_at(800, first, later), "welcome")

    assert welcome.id != again.id


def test_row_19_the_first_start_counts_as_a_signature_unless_one_is_stated() -> None:
    active = contract(0, status="active", starts=0, renews=365)
    (kickoff,) = one_offs(plan_at(0, active), "kickoff")
    came = [came_due(kickoff, S), settled(kickoff, S)]
    signed = contract(1, status="signed", signed_at=1)

    assert one_offs(plan_at(1, active, signed, came=came), "kickoff") == []
    assert one_offs(plan_at(1, active, signed, came=came), "post_renewal_check_in") == []
    assert [item.id for item in one_offs(plan_at(1, active, signed), "kickoff")] == [kickoff.id]


def test_row_19_a_start_of_long_ago_is_no_news() -> None:
    assert one_offs(plan_at(0, contract(0, status="active", starts=-345, renews=20)), "kickoff") == []


def test_row_14_an_old_signature_stated_now_counts_by_its_own_date() -> None:
    old = contract(0, status="signed", signed_at=-70)

    assert one_offs(plan_at(0, FIRST, old), "post_renewal_check_in") == []
    assert steps(types(plan_at(0, FIRST, old))) == set()


def test_a_contract_a_record_per_term_renews_under_a_new_id() -> None:
    old = contract(-345, "t1", status="active", starts=-345, renews=20)
    new = contract(0, "t2", status="signed", signed_at=0, starts=20, renews=385)
    decision = plan_at(0, old, new)

    assert one_offs(decision, "kickoff") == []
    assert len(one_offs(decision, "post_renewal_check_in")) == 1
    asks = [item for item in decision.plan.touchpoints if item.touchpoint_type in ASKS]
    assert asks
    assert all(item.window.from_ > S + 200 * DAY for item in asks)


def test_thirty_nights_of_whole_records_change_nothing() -> None:
    record: dict[str, Any] = {
        "status": "signed", "signed_at": 0, "starts": -265, "renews": 100, "arr": 50_000, "auto_renew": False,
    }  # fmt: skip
    events: list[FactEvent] = [
        contract(-265, status="active", starts=-265, renews=100),
        contract(0, **record),
    ]
    keys = set[bytes]()
    for night in range(1, 31):
        events += [contract(night / 100, source=f"/sync-{night}", **record)]
        keys.add(plan_at(0.5, *events).key)

    assert len(keys) == 1


def test_row_3_a_signature_on_the_day_of_the_start_is_the_first_one() -> None:
    signed = contract(0, status="signed", signed_at=0.2, starts=0, renews=365)
    decision = plan_at(0.3, signed, contract(0.2, "k", "/b", status="active", starts=0, renews=365))

    (kickoff,) = one_offs(decision, "kickoff")
    assert kickoff.window.to == S + timedelta(days=2.2)
    assert one_offs(decision, "post_renewal_check_in") == []


def test_row_5_a_record_for_each_term_counts_its_revenue_once() -> None:
    old = contract(-430, "t-2024", status="active", starts=-430, renews=-65, arr=8_000)
    new = contract(-65, "t-2025", status="active", starts=-65, renews=300, arr=9_000)

    assert decided(old, new, now=S).segment == "small_business"


def test_row_17_who_churned_keeps_the_segment_until_the_term_ends() -> None:
    running = contract(-185, status="active", starts=-185, renews=180, arr=250_000)

    assert decided(running, contract(0, status="churned"), now=S).segment == "enterprise"


def test_a_policy_without_the_gate_asks_nobody_who_leaves() -> None:
    under = policy(step("urge", "check_in", -30, 30))
    running = contract(-185, status="active", starts=-185, renews=180)

    assert types(evaluated(under, running, now=S)) == ["check_in"]
    assert types(evaluated(under, running, contract(0, status="churned"), now=S)) == []


def test_what_was_planned_before_the_upgrade_keeps_its_key() -> None:
    stamp = stamp_of(contract(0, status="signed").provenance)
    stored = upgrade_contract({stamp: {"status": "signed"}}, {stamp: {"status": "signed"}})

    (entry,) = contract_entries(relate({"k": stored}, 0), 0)
    assert entry.key == who(stamp)
    assert ("signature", "k", "") in entry.aliases
