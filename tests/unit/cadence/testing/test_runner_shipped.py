"""The shipped policy passes its own tests, each of them a test here."""

from functools import cache

import pytest

from services.cadence.features.feature import TOUCHPOINT_TYPES
from services.cadence.policy import Touchpoint
from services.cadence.policy.load import SHIPPED, load_policy_texts
from services.cadence.testing.load import read_tests, texts_of_tests
from services.cadence.testing.runner import Case, Outcome, run
from tests.unit.cadence.events import shipped, shipped_text


@cache
def cases() -> tuple[Case, ...]:
    return read_tests(texts_of_tests(SHIPPED), shipped())


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
    catalogue = shipped().catalogue
    assert set(TOUCHPOINT_TYPES) <= set(catalogue)

    def is_incomplete(touchpoint: Touchpoint) -> bool:
        return not (touchpoint.purpose and touchpoint.aim and touchpoint.expects)

    assert [touchpoint.type for touchpoint in catalogue.values() if is_incomplete(touchpoint)] == []


def test_every_rule_is_behind_what_some_test_of_the_shipped_policy_expects() -> None:
    named = {rule for outcome in outcomes() for rule in outcome.rules}
    unnamed = sorted(rule.rule for rule in shipped().rules if rule.rule not in named)

    assert unnamed == []


def test_segments_can_follow_the_rank_of_revenue_instead() -> None:
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
        (case,) = read_tests({"ranked_test.yaml": test % (arr, segment)}, policy)
        assert run(policy, case).failures == ()
