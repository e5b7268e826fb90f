"""Policy tests as people write them: what passes, what fails and why."""

import random

from services.cadence.policy import Policy
from services.cadence.policy.load import load_policy_texts
from services.cadence.testing.load import read_tests
from services.cadence.testing.runner import Outcome, run
from tests.unit.cadence.policy_texts import CASE, SMALL


def policy() -> Policy:
    return load_policy_texts({"p.yaml": SMALL})


def outcomes(text: str) -> list[Outcome]:
    tested = policy()
    return [run(tested, case) for case in read_tests({"x_test.yaml": text}, tested)]


def test_a_test_with_every_kind_of_expectation_passes_and_names_the_rules_behind_it() -> None:
    (outcome,) = outcomes(CASE)
    assert outcome.failures == ()
    places = {"segment/enterprise", "stage/onboarding", "color/none", "color/red"}
    assert outcome.rules == {"monthly", "complex", "promoter", "summer", "red-weekly"} | places
    assert (outcome.case.shows, outcome.case.place.line) == (("S1", "X20"), 4)


def test_a_failure_has_place_expectation_what_came_and_why() -> None:
    text = """
tests:
  - test: Weekly
    account: {arr: 5_000}
    expect:
      rhythms:
        check_in: 7d
      touchpoints:
        advocacy_ask: present
      stopped: {promoter: cap}
"""
    (outcome,) = outcomes(text)
    rhythm, ask, stopped = outcome.failures
    assert (rhythm.place.line, rhythm.expected) == (7, "rhythms: check_in: 7d")
    assert rhythm.came == "every 30 days by call, led by csm, rule monthly"
    assert rhythm.why == "Once a month."
    assert ask.came == "no advocacy_ask"
    assert ask.why.startswith(
        "promoter does not fire: there was no nps.answered event. An event nps.answered would "
    )
    assert stopped.came == "it does not hold, so nothing stopped it"


def test_a_touchpoint_that_was_stopped_is_explained() -> None:
    text = """
tests:
  - test: Twice
    account: {}
    facts:
      - touchpoint.due: {touchpoint_type: advocacy_ask}
        at: -5d
      - nps.answered: {score: 10}
    expect: {touchpoints: {advocacy_ask: present}}
"""
    (outcome,) = outcomes(text)
    assert outcome.failures[0].why.startswith(
        "promoter does not fire: cooling down until 2026-05-26 09:00 UTC. "
    )


def test_an_expected_rule_that_did_not_apply_is_explained() -> None:
    text = """
tests:
  - test: Red
    account: {}
    facts: [{health.scored: {score: 90}}]
    expect: {rhythms: {check_in: {rule: red-weekly}}}
"""
    (outcome,) = outcomes(text)
    (failure,) = outcome.failures
    assert failure.why.startswith('Once a month. red-weekly does not fire: `color == "red"` is not true')


def test_the_order_of_facts_in_a_file_does_not_matter() -> None:
    facts = [
        "      - health.scored: {score: 20}\n        at: -3d\n",
        "      - health.scored: {score: 90}\n        at: -2d\n",
        "      - nps.answered: {score: 10}\n        at: -1h\n",
        "      - nps.answered: {score: 9}\n        at: -2h\n",
    ]
    head = "tests:\n  - test: Any order\n    account: {arr: 5_000}\n    facts:\n"
    tail = "    expect: {color: green, touchpoints: {advocacy_ask: {from: -2h, count: 1}}}\n"
    for seed in range(12):
        random.Random(seed).shuffle(facts)
        (outcome,) = outcomes(head + "".join(facts) + tail)
        assert outcome.failures == ()


def test_a_test_may_have_percentiles_and_programs() -> None:
    text = """
tests:
  - test: Ranked
    account: {arr: 60_000}
    percentiles: {20: 1_000, 50: 10_000, 80: 50_000}
    programs: [{program_id: spring, kind: webinar, at: 20d, title: Spring, audience: 'segment == "enterprise"'}]
    expect: {segment: enterprise}
"""
    (case,) = read_tests({"x_test.yaml": text}, policy())
    assert (case.portfolio.arr_percentiles[18], case.portfolio.arr_percentiles[98]) == (0, 50_000)
    assert case.portfolio.programs[0].audience is not None
