"""What one-offs of a plan are about: the contract and its term, or the program, before and after they come due."""

from collections.abc import Sequence

from schemas.plans import About, OneOffItem
from services.cadence.account import FactEvent
from services.cadence.announcements import portfolio_of
from services.cadence.evaluation import evaluate_account
from tests.unit.cadence.contract_events import S, contract, on, plan_at
from tests.unit.cadence.events import DAY, NOW, came_due, facts_after, issued, make_event, shipped


def about_of(items: Sequence[OneOffItem], kind: str) -> list[About | None]:
    return [item.about for item in items if item.touchpoint_type == kind]


def test_steps_around_a_renewal_name_their_contract_and_the_end_of_its_term() -> None:
    """S85: of two contracts each message names its own date."""
    decision = plan_at(
        0,
        contract(0, "a", status="active", starts=-300, renews=65),
        contract(0, "b", status="active", starts=-295, renews=70),
    )

    assert about_of(decision.plan.touchpoints, "renewal_reminder") == [
        About(contract_id="a", renews_on=on(65)),
        About(contract_id="b", renews_on=on(70)),
    ]


def test_the_catalogue_says_what_is_given_up_first_and_what_folds_into_what() -> None:
    """Points 5 and 7: the order of relief and folding are matters of the policy."""
    described = make_event("account.described", NOW - DAY, arr=300_000, currency="USD", csm_id="dana")
    decision = plan_at(0, described, contract(0, "a", status="active", starts=-300, renews=65))
    rhythms = {item.touchpoint_type: item for item in decision.plan.rhythms}

    assert rhythms["check_in"].folds_into == ("business_review", "executive_review")
    assert (rhythms["value_watch"].priority, rhythms["check_in"].priority) == (0, None)
    discussions = [item for item in decision.plan.touchpoints if item.touchpoint_type == "renewal_discussion"]
    assert {item.priority for item in discussions} == {2}


def test_steps_before_the_last_day_for_notice_name_that_day() -> None:
    decision = plan_at(
        0, contract(0, "a", status="active", starts=-300, renews=65, auto_renew=True, notice_days=30)
    )

    about = [item.about for item in decision.plan.touchpoints if "notice" in item.reason.rule]
    assert about
    assert all(each == About(contract_id="a", renews_on=on(65), notice_on=on(35)) for each in about)


def test_what_a_signature_asks_for_names_its_contract() -> None:
    decision = plan_at(1, contract(0, "a", status="signed", starts=5, renews=370, signed_at=0))

    assert About(contract_id="a") in about_of(decision.plan.touchpoints, "kickoff")


def test_what_a_program_asks_for_names_the_program() -> None:
    program = make_event(
        "program.announced", NOW - DAY, program_id="spring", kind="webinar", at=NOW + 30 * DAY, title="Spring"
    )
    account = make_event("account.described", arr=50_000, csm_id="csm-1")
    portfolio = portfolio_of([program], [])

    plan = evaluate_account(shipped(), facts_after([account]), issued([]), portfolio, NOW).plan

    about = [item.about for item in plan.touchpoints if "webinar" in item.reason.rule]
    assert about
    assert all(each == About(program_id="spring") for each in about)


def test_what_came_due_keeps_what_it_is_about() -> None:
    events = (contract(0, "a", status="active", starts=-300, renews=65),)
    (item,) = [
        each for each in plan_at(0, *events).plan.touchpoints if each.touchpoint_type == "pre_renewal_review"
    ]
    at = item.window.from_
    due: FactEvent = came_due(item, at)
    assert item.about is not None
    due = due._replace(fields={**due.fields, "about": item.about.model_dump()})

    (kept,) = [
        each for each in plan_at((at - S).days, *events, came=[due]).plan.touchpoints if each.id == item.id
    ]

    assert kept.about == item.about


def test_a_plan_is_another_when_only_what_it_is_about_changed() -> None:
    """A message must not go on naming the earlier last day for notice."""
    one, other = (
        plan_at(
            0, contract(0, "a", status="active", starts=-300, renews=200, auto_renew=True, notice_days=days)
        )
        for days in (30, 31)
    )

    assert one.key != other.key
