"""Policy tests as people write them: what passes, what fails and why, and every mistake with its place."""

import json
import random
from pathlib import Path

import pytest

from services.cadence.policy import Policy
from services.cadence.policy.load import PolicyRefused, load_policy_texts
from services.cadence.testing.load import read_tests
from services.cadence.testing.runner import Outcome, run
from services.console import policy_commands as cli

POLICY = """
health: {red_below: 40, yellow_below: 70}
segments:
  - {segment: enterprise, when: arr is not null and arr >= 1_000}
  - {segment: self_service, when: "true"}
stages:
  - {stage: onboarding, when: days_since_start is not null and days_since_start < 90}
  - {stage: growth, when: "true"}
touchpoints:
  check_in:
    purpose: Hear how it goes
    aim: solve_problem
    agenda: [How it goes]
    expects: Nothing is in the way
    topic: account
    owner: csm
    channel: call
    minutes: 20
  advocacy_ask:
    purpose: Ask for a word in our favour
    aim: open_opportunity
    agenda: [Would they say so in public]
    expects: A yes or a no
    topic: account
    owner: csm
    channel: email
    minutes: 10
rhythms:
  - rule: monthly
    touchpoint: check_in
    every: 30d
    within: 7d..60d
    because: Once a month.
  - rule: red-weekly
    touchpoint: check_in
    every: 7d
    precedence: escalation
    when: color is not null and color == "red"
    because: Health is red.
adjustments:
  - rule: complex
    touchpoints: check_in
    when: complexity is not null and complexity == "complex"
    denser: 1
    because: The product is complex.
triggers:
  - rule: promoter
    on: nps.answered
    touchpoint: advocacy_ask
    within: 48h
    cooldown: 90d
    when: nps_score >= 9
    because: They said {nps_score}.
blackouts:
  - blackout: summer
    from: 07-01
    to: 08-31
    when: industry is not null and industry == "school"
    because: Schools are closed.
"""


def policy() -> Policy:
    return load_policy_texts({"p.yaml": POLICY})


def outcomes(text: str) -> list[Outcome]:
    tested = policy()
    return [run(tested, case) for case in read_tests({"x_test.yaml": text}, tested)]


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyRefused) as refused:
        read_tests({"x_test.yaml": text}, policy())
    return list(refused.value.errors)


FULL = """
now: 2026-03-02T09:00:00Z
tests:
  - test: Everything that can be expected
    shows: [S1, X20]
    account: {arr: 5_000, complexity: complex, industry: school, starts: -10d, renews: 355d}
    contacts: [{contact_id: ann, role: champion, at: -3d}]
    facts:
      - nps.answered: {score: 10}
        at: -1h
    expect:
      segment: enterprise
      stage: onboarding
      color: none
      rhythms: {check_in: {every: 14d, owner: csm, channel: call, rule: monthly, never_skip: false}}
      touchpoints:
        advocacy_ask: {rule: promoter, from: -1h, to: 47h, deadline: 47h, count: 1}
      avoid: [summer]
      text: {check_in: complex}
    then:
      - at: 10d
        facts:
          - touchpoint.due: {touchpoint_type: advocacy_ask}
            at: 1d
          - nps.answered: {score: 9}
            at: 10d
          - health.scored: {score: 10}
        expect:
          color: red
          rhythms: {check_in: 7d}
          touchpoints: {advocacy_ask: absent}
          stopped: {promoter: cooldown}
"""


def test_a_test_with_every_kind_of_expectation_passes_and_names_the_rules_behind_it() -> None:
    (outcome,) = outcomes(FULL)
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
        "promoter does not fire: no nps.answered was ever heard. An event nps.answered would "
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
    assert failure.why.startswith('Once a month. red-weekly does not fire: `color == "red"` does not hold')


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


@pytest.mark.parametrize(
    ("text", "place", "expected"),
    [
        ("tests:\n  - test: A\n    acount: {}\n", "3:5", "did you mean 'account'?"),
        ("tests:\n  - test: A\n    account: {ar: 5}\n    expect: {}\n", "3:15", "did you mean 'arr'?"),
        ("tests:\n  - test: A\n    account: {arr: -5}\n    expect: {}\n", "3:20", "less than 0"),
        ("tests:\n  - test: A\n    account: {starts: soon}\n    expect: {}\n", "3:23", "a span from now"),
        (
            "tests:\n  - test: A\n    account: {}\n    facts:\n      - nps.answerd: {score: 3}\n    expect: {}\n",
            "5:9",
            "did you mean 'nps.answered'?",
        ),
        (
            "tests:\n  - test: A\n    account: {}\n    facts: [{nps.answered: {score: 30}}]\n    expect: {}\n",
            "4:36",
            "30 is greater than 10",
        ),
        (
            "tests:\n  - test: A\n    account: {}\n    facts: [{nps.answered: {score: 3}, at: 1d}]\n    expect: {}\n",
            "4:44",
            "after the moment of the plan",
        ),
        (
            "tests:\n  - test: A\n    account: {}\n    expect: {rhythms: {chek_in: 7d}}\n",
            "4:24",
            "did you mean 'check_in'?",
        ),
        (
            "tests:\n  - test: A\n    account: {}\n    expect: {rhythms: {check_in: weekly}}\n",
            "4:34",
            "did you mean '7d'?",
        ),
        (
            "tests:\n  - test: A\n    account: {}\n    expect: {stopped: {promotr: cooldown}}\n",
            "4:24",
            "did you mean 'promoter'?",
        ),
        (
            "tests:\n  - test: A\n    account: {}\n    expect: {stopped: {promoter: coldown}}\n",
            "4:34",
            "did you mean 'cooldown'?",
        ),
        (
            "tests:\n  - test: A\n    account: {}\n    expect: {avoid: [sumer]}\n",
            "4:22",
            "did you mean 'summer'?",
        ),
        (
            "tests:\n  - test: A\n    account: {}\n    expect: {touchpoints: {check_in: {rule: montly}}}\n",
            "4:45",
            "did you mean 'monthly'?",
        ),
        ("tests:\n  - test: A\n    account: {}\n", "2:5", "nothing is expected"),
        (
            "tests:\n  - test: A\n    shows: [seven]\n    account: {}\n    expect: {}\n",
            "3:13",
            "a number such as S24",
        ),
        (
            "tests:\n  - test: A\n    account: {}\n    then: [{at: -1d, expect: {}}]\n",
            "4:17",
            "before the moment above it",
        ),
    ],
)
def test_a_mistake_in_a_test_file_is_reported_with_its_place(text: str, place: str, expected: str) -> None:
    (mistake,) = mistakes(text)
    assert mistake.startswith(f"x_test.yaml:{place}: ")
    assert expected in mistake


def test_all_mistakes_are_reported_at_once() -> None:
    text = "tests:\n  - test: A\n    account: {ar: 5}\n    expect: {stage: growt, colour: red}\n"
    assert len(mistakes(text)) == 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "p.yaml").write_text(POLICY)
    (tmp_path / "good_test.yaml").write_text(FULL)
    return tmp_path


def test_the_command_returns_0_1_or_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.policy(["test", str(folder)]) == 0
    assert capsys.readouterr().out == "1 test passed\n"
    assert cli.policy(["test", str(folder / "p.yaml"), "--only", "X20"]) == 0
    assert cli.policy(["test", str(folder), "--only", "no such"]) == 2
    assert cli.policy(["test"]) == 2
    assert cli.policy(["tst", str(folder)]) == 2
    capsys.readouterr()
    bad = folder / "bad_test.yaml"
    bad.write_text("tests:\n  - test: Weekly\n    account: {}\n    expect: {rhythms: {check_in: 7d}}\n")
    assert cli.policy(["test", str(bad)]) == 1
    output = capsys.readouterr().out
    assert output.startswith(f"{bad}:2: Weekly\n")
    assert output.endswith("1 of 1 test failed\n")
    assert cli.policy(["test", str(folder), "--json"]) == 1
    assert [outcome["passed"] for outcome in json.loads(capsys.readouterr().out)] == [False, True]
    bad.write_text("tests:\n  - test: Weekly\n    acount: {}\n")
    assert cli.policy(["test", str(folder)]) == 1
    assert "bad_test.yaml:3:5: test: unknown key 'acount'" in capsys.readouterr().err
