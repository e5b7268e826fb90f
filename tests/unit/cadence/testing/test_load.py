"""Policy test files are refused with every mistake and its place."""

import pytest

from services.cadence.policy.load import PolicyRefused, load_policy_texts
from services.cadence.testing.load import read_tests
from tests.unit.cadence.policy_texts import SMALL


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyRefused) as refused:
        read_tests({"x_test.yaml": text}, load_policy_texts({"p.yaml": SMALL}))
    return list(refused.value.errors)


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
            "did you mean 'week'?",
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
