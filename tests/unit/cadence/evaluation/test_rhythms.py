"""Which rhythm of a type stands, and how often: what the customer wishes, what the policy adjusts, what it guarantees."""

import pytest

from services.cadence.account import FactEvent
from services.cadence.evaluation import Decision
from services.cadence.evaluation.rhythms import climb
from services.cadence.expressions.parser import parse
from services.cadence.policy import Damping, Policy
from tests.unit.cadence.events import DAY, NOW, make_event
from tests.unit.cadence.events import rhythm as item
from tests.unit.cadence.policies import adjustment, evaluated, policy, rhythm, stop, stops

LADDER = (7, 14, 30, 60, 90, 180)


def condition_of(frequency: str, topic: str | None = "account", opted_in: bool | None = None) -> FactEvent:  # noqa: FBT001
    more = {} if opted_in is None else {"opted_in": opted_in}
    return make_event(
        "preference.changed", NOW - DAY, contact_id="ann", topic=topic, frequency=frequency, **more
    )


def every(decision: Decision, kind: str = "check_in") -> int:
    found = item(decision, kind)
    assert found is not None
    return found.every_days


def rule(decision: Decision, kind: str = "check_in") -> str:
    found = item(decision, kind)
    assert found is not None
    return found.reason.rule


@pytest.mark.parametrize(
    ("days", "steps", "ends"),
    [
        (14, 0, 14), (14, 1, 30), (14, 2, 60), (14, -1, 7), (7, -1, 7), (180, 1, None), (20, 1, 30), (20, -1, 14),
        (365, 1, None), (365, -1, 180), (3, -1, 3), (90, 3, None),
    ],
)  # fmt: skip
def test_a_step_goes_to_the_next_rung_of_the_ladder(days: int, steps: int, ends: int | None) -> None:
    assert climb(LADDER, days, steps) == ends


def test_the_shortest_default_stands_and_a_preference_comes_before_it() -> None:
    defaults = (rhythm("rare", "check_in", 30), rhythm("often", "check_in", 14))
    chosen = rhythm("chosen", "check_in", 60, precedence="preference")

    assert every(evaluated(policy(*defaults))) == 14
    decision = evaluated(policy(*defaults, chosen))
    assert every(decision) == 60
    assert stops(decision) == [("often", "preference"), ("rare", "preference")]


@pytest.mark.parametrize("precedence", ["floor", "escalation"])
def test_nothing_rarer_than_a_guarantee_stands_and_nothing_denser_gives_way_to_it(precedence: str) -> None:
    guard = rhythm("guard", "check_in", 14, precedence=precedence)

    assert rule(evaluated(policy(rhythm("base", "check_in", 30), guard))) == "guard"
    assert rule(evaluated(policy(rhythm("base", "check_in", 7), guard))) == "base"
    equal = evaluated(policy(rhythm("base", "check_in", 14), guard))
    assert rule(equal) == ("guard" if precedence == "escalation" else "base")


def test_a_wish_is_honoured_within_what_the_rule_allows_and_only_where_it_allows_any() -> None:
    loose = policy(rhythm("base", "check_in", 14, within=(7, 60)))
    firm = policy(rhythm("base", "check_in", 14))

    assert every(evaluated(loose, condition_of("monthly"))) == 30
    assert every(evaluated(loose, condition_of("quarterly"))) == 60
    assert every(evaluated(loose, condition_of("daily"))) == 7
    assert every(evaluated(loose, condition_of("monthly", None))) == 30
    assert every(evaluated(loose, condition_of("monthly", "education"))) == 14
    assert every(evaluated(firm, condition_of("monthly"))) == 14


def test_a_wish_says_in_the_reason_whose_word_it_was_and_how_far_it_could_go() -> None:
    asked = condition_of("quarterly")
    found = item(evaluated(policy(rhythm("base", "check_in", 14, within=(7, 60))), asked), "check_in")

    assert found is not None
    assert found.reason.text == (
        "Because of base. The customer wishes to hear from us every 90 days; "
        "the policy allows 60 days at the most."
    )
    (fact,) = [each for each in found.reason.facts if each.name == "preferred_days"]
    assert (fact.id, fact.value) == (asked.provenance.id, 90)


def test_a_guarantee_outdoes_a_wish_and_a_wish_outdoes_adjustments() -> None:
    base = rhythm("base", "check_in", 14, within=(7, 90))
    floor = rhythm("floor", "check_in", 30, precedence="floor")
    under = policy(base, floor, adjustment("denser", -1, "check_in"))

    assert (every(evaluated(under)), rule(evaluated(under))) == (7, "base")
    assert (
        every(evaluated(under, condition_of("biweekly"))),
        rule(evaluated(under, condition_of("biweekly"))),
    ) == (14, "base")
    assert (
        every(evaluated(under, condition_of("quarterly"))),
        rule(evaluated(under, condition_of("quarterly"))),
    ) == (30, "floor")


def test_adjustments_that_hold_add_up_and_are_named() -> None:
    base = rhythm("base", "check_in", 30, within=(7, 90))
    complex_one = adjustment(
        "complex", -1, "check_in", when=parse('complexity is not null and complexity == "complex"')
    )
    quiet = adjustment("quiet", -1, "check_in", "tips")
    told = make_event("account.described", NOW, complexity="complex")
    under = policy(base, complex_one, quiet)

    assert every(evaluated(under)) == 14
    decision = evaluated(under, told)
    assert every(decision) == 7
    found = item(decision, "check_in")
    assert found is not None
    assert found.reason.rule == "base"
    assert found.reason.text.startswith(
        "Because of base. Because of complex. Because of quiet. So it is every 7"
    )
    assert [fact.name for fact in found.reason.facts] == ["complexity"]
    assert every(evaluated(policy(rhythm("firm", "check_in", 30), quiet))) == 30


def test_a_fallback_stands_only_where_no_other_rhythm_reaches_the_customer_as_often() -> None:
    least = rhythm("least", "usage_report", 30, fallback=True, precedence="floor")
    internal = rhythm("internal", "risk_action_plan", 7)

    assert rule(evaluated(policy(least)), "usage_report") == "least"
    assert rule(evaluated(policy(least, rhythm("rare", "check_in", 90))), "usage_report") == "least"
    assert rule(evaluated(policy(least, internal)), "usage_report") == "least"
    held = evaluated(policy(least, rhythm("often", "check_in", 30)))
    assert item(held, "usage_report") is None
    assert stop(held, "least").cause == "fallback"
    assert "every 30 days already" in stop(held, "least").reason


def test_of_two_fallbacks_one_is_enough_and_it_replaces_a_rarer_rhythm_of_its_type() -> None:
    first = rhythm("first", "usage_report", 30, fallback=True, precedence="floor")
    second = rhythm("second", "tips", 30, fallback=True, precedence="floor")
    decision = evaluated(policy(first, second, rhythm("rare", "usage_report", 90)))

    assert [each.reason.rule for each in decision.plan.rhythms] == ["first"]
    assert stops(decision) == [("second", "fallback"), ("rare", "precedence")] or stops(decision) == [
        ("rare", "precedence"),
        ("second", "fallback"),
    ]


def test_a_fallback_never_replaces_what_is_denser() -> None:
    inner = rhythm("inner", "risk_action_plan", 1, precedence="floor")
    least = rhythm("least", "risk_action_plan", 7, fallback=True, precedence="floor")
    decision = evaluated(policy(inner, least))

    assert [each.reason.rule for each in decision.plan.rhythms] == ["inner"]
    assert stops(decision) == [("least", "fallback")]


def test_a_wish_that_makes_a_rhythm_too_rare_brings_the_fallback_in() -> None:
    least = rhythm("least", "usage_report", 30, fallback=True, precedence="floor")
    under = policy(least, rhythm("base", "check_in", 14, within=(7, 90)))

    assert item(evaluated(under), "usage_report") is None
    assert rule(evaluated(under, condition_of("quarterly")), "usage_report") == "least"


def test_the_key_follows_what_a_wish_changes_and_nothing_else() -> None:
    under = policy(rhythm("base", "check_in", 14, within=(7, 60)))

    assert evaluated(under).key != evaluated(under, condition_of("monthly")).key
    assert evaluated(under).key == evaluated(under, condition_of("biweekly")).key
    assert evaluated(under).key == evaluated(under, condition_of("monthly", "education")).key


def test_what_is_never_skipped_says_so() -> None:
    decision = evaluated(policy(rhythm("review", "business_review", 90), rhythm("base", "check_in", 14)))

    assert [each.never_skip for each in decision.plan.rhythms] == [True, False]


def test_a_policy_that_allows_no_move_asks_for_no_work() -> None:
    under: Policy = policy(rhythm("base", "check_in", 14), damping=Damping())

    assert not under.gives_way
    assert evaluated(under, condition_of("daily")).key == evaluated(under).key


@pytest.mark.parametrize(
    ("frequency", "review", "call"),
    [("daily", 30, 7), ("weekly", 30, 7), ("biweekly", 30, 14), ("monthly", 30, 14), ("quarterly", 90, 90)],
)
def test_a_wish_that_makes_one_talk_denser_makes_no_other_rarer_s7(
    frequency: str, review: int, call: int
) -> None:
    reviews = rhythm("reviews", "business_review", 90, within=(30, 90), precedence="floor")
    under = policy(reviews, rhythm("calls", "check_in", 14, within=(7, 90)))
    decision = evaluated(under, condition_of(frequency))

    assert (every(decision, "business_review"), every(decision)) == (review, call)


def test_what_a_wish_leaves_as_it_is_says_so_s7() -> None:
    reviews = rhythm("reviews", "business_review", 90, within=(30, 90), precedence="floor")
    under = policy(
        reviews, rhythm("calls", "check_in", 14, within=(7, 90)), adjustment("closer", -1, "check_in")
    )
    found = item(evaluated(under, condition_of("monthly")), "check_in")

    assert found is not None
    assert found.every_days == 7
    assert found.reason.text == (
        "Because of calls. The customer wishes to hear from us every 30 days; that makes others of this topic denser, "
        "and this one not rarer. Because of closer. So it is every 7 days instead of 14."
    )


def test_mails_follow_a_wish_both_ways_s180() -> None:
    tips = rhythm("tips", "tips", 7, within=(7, 90), owner="marketing")
    letters = rhythm("letters", "usage_report", 90, within=(7, 90), owner="automation")
    decision = evaluated(policy(tips, letters), condition_of("monthly", None))

    assert (every(decision, "tips"), every(decision, "usage_report")) == (30, 30)
