"""The shipped policy does what its own tests say, each of them a test here."""

import re
from functools import cache

import pytest

from services.cadence.account.events import read_event
from services.cadence.features.registry import TOUCHPOINT_TYPES
from services.cadence.pages.reference import policy_reference
from services.cadence.pages.requirements import asked, elsewhere
from services.cadence.policy import Touchpoint
from services.cadence.policy.load import SHIPPED, load_policy_texts
from services.cadence.testing.load import read_tests, texts_of_tests
from services.cadence.testing.runner import Case, Outcome, run
from tests.unit.cadence.events import shipped, shipped_text


@cache
def cases() -> tuple[Case, ...]:
    return read_tests(texts_of_tests(SHIPPED), shipped(), read_event)


@cache
def outcomes() -> tuple[Outcome, ...]:
    return tuple(run(shipped(), case) for case in cases())


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_shipped_policy(case: Case) -> None:
    assert run(shipped(), case).failures == ()


def test_no_two_policy_tests_have_the_same_sentence() -> None:
    names = [case.name for case in cases()]
    assert len(names) == len(set(names))


def test_the_catalogue_has_every_touchpoint_of_the_contract_each_with_an_aim_and_an_outcome() -> None:
    held = shipped().catalogue
    assert set(TOUCHPOINT_TYPES) <= set(held)

    def empty(each: Touchpoint) -> bool:
        return not (each.purpose and each.aim and each.expects)

    assert [each.type for each in held.values() if empty(each)] == []


def test_every_requirement_that_a_policy_can_express_is_shown_by_a_test_of_the_shipped_policy() -> None:
    shown = {number for each in outcomes() if not each.failures for number in each.case.shows}
    unshown = [number for number in asked() if number not in shown and number not in elsewhere()]

    assert unshown == []
    assert set(elsewhere()) <= set(asked())
    assert [number for number in elsewhere() if number in shown] == []


def test_every_rule_is_behind_what_some_test_of_the_shipped_policy_expects() -> None:
    named = {rule for each in outcomes() for rule in each.rules}
    unnamed = sorted(rule.rule for rule in shipped().rules if rule.rule not in named)

    assert unnamed == []


def test_accounts_can_be_led_by_rank_of_revenue_instead() -> None:
    head, _, rest = shipped_text().partition("segments:\n")
    ranked = """segments:
  - {segment: enterprise, when: arr_percentile is not null and arr_percentile >= 80}
  - {segment: mid_market, when: arr_percentile is not null and arr_percentile >= 50}
  - {segment: small_business, when: "true"}
"""
    policy = load_policy_texts(
        {"ranked.yaml": head + ranked + "\nstages:\n" + rest.partition("\nstages:\n")[2]}
    )
    test = """
tests:
  - test: By rank
    account: {arr: %d}
    percentiles: {50: 10_000, 80: 100_000}
    expect: {segment: %s}
"""
    for arr, segment in ((100_001, "enterprise"), (50_000, "mid_market"), (9_000, "small_business")):
        (case,) = read_tests({"ranked_test.yaml": test % (arr, segment)}, policy, read_event)
        assert run(policy, case).failures == ()


def test_the_example_on_the_reference_page_is_a_test_that_passes() -> None:
    (example,) = re.findall(r"```yaml\n(now:.*?)```", policy_reference(), re.DOTALL)
    (case,) = read_tests({"page_test.yaml": example}, shipped(), read_event)

    assert run(shipped(), case).failures == ()
    assert sum(len(phase.expected) for phase in case.phases) == 9
