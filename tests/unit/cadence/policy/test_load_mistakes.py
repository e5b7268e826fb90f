"""Each kind of mistake is reported once, with its line and column and what to do about it."""

from pathlib import Path
from typing import TypedDict, cast

import pytest
import yaml

from services.cadence.policy.load import PolicyRefused, read_content
from tests.unit.cadence.policy_texts import FULL


class Mistake(TypedDict):
    mistake: str
    instead_of: str
    text: str
    errors: list[str]


def mistakes() -> list[Mistake]:
    text = (Path(__file__).parent / "policy_mistakes.yaml").read_text(encoding="utf-8")
    return cast("list[Mistake]", yaml.safe_load(text))


def refused(text: str) -> list[str]:
    with pytest.raises(PolicyRefused) as caught:
        read_content({"p.yaml": text})
    return [error.removeprefix("p.yaml:") for error in caught.value.errors]


@pytest.mark.parametrize("mistake", mistakes(), ids=lambda mistake: cast("Mistake", mistake)["mistake"])
def test_a_mistake_is_reported_with_its_place_and_what_to_do(mistake: Mistake) -> None:
    assert mistake["instead_of"] in FULL

    assert refused(FULL.replace(mistake["instead_of"], mistake["text"], 1)) == mistake["errors"]


def test_mistakes_of_all_sections_are_reported_at_once() -> None:
    text = FULL
    for old, new in {
        "yellow_below: 70": "yellow_below: seventy",
        "aim: share_insight": "aim: none",
        "every: 30d": "every: monthly",
        "denser: 2": "denser: two",
        "spacing: 45d": "spacing: long",
        "within: 48h": "within: soon",
        "at: -60d": "at: early",
        "day: 3": "day: 0",
        "at_most: 3 per 30d": "at_most: few",
        "from: 12-20": "from: 02-30",
    }.items():
        text = text.replace(old, new, 1)

    assert [error.split(":")[0] for error in refused(text)] == [
        "1", "26", "63", "70", "74", "88", "103", "120", "125", "130",
    ]  # fmt: skip


def test_a_text_is_not_too_long_to_be_sent() -> None:
    text = FULL.replace("because: Nobody is there.", "because: " + "long " * 201)

    assert refused(text) == [
        "133:14: turn-of-the-year.because: a text has at most 1,000 characters, this has 1,004"
    ]


def test_a_mistake_in_one_file_of_a_folder_names_that_file() -> None:
    head, rest = FULL.split("rhythms:\n", 1)

    with pytest.raises(PolicyRefused) as caught:
        read_content({"a.yaml": head, "b.yaml": "rhythms:\n" + rest.replace("day: 3", "day: 0")})

    assert [error.split(": ")[0] for error in caught.value.errors] == ["b.yaml:80:14"]


def test_a_second_definition_in_another_file_is_refused() -> None:
    twice = "health: {red_below: 1, yellow_below: 2}\nfeedback: {spacing: 10d}\ntouchpoints: {plan: {}}\n"

    with pytest.raises(PolicyRefused) as caught:
        read_content({"p.yaml": FULL, "q.yaml": twice})

    assert "q.yaml:1:9: health: 'health' is already defined at p.yaml:1" in caught.value.errors
    assert "q.yaml:2:21: feedback.spacing: 'spacing' is already defined at p.yaml:74" in caught.value.errors
    assert "q.yaml:3:15: touchpoints: 'plan' is already defined at p.yaml:32" in caught.value.errors


def test_the_last_of_very_many_mistakes_are_left_out() -> None:
    rules = "".join(f"  - {{limit: l{number}, of: 3}}\n" for number in range(300))

    errors = refused(FULL.replace("limits:\n", "limits:\n" + rules))

    assert len(errors) == 201
    assert errors[-1] == "there may be more mistakes; these come first"
