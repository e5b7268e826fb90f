"""The page of requirements names every requirement, and a passing test for each that a policy can meet."""

import re
from pathlib import Path

from services.cadence.policy import Location
from services.cadence.policy.load import SHIPPED
from services.cadence.testing.load import read_tests, texts_of_tests
from services.cadence.testing.runner import Failure, Outcome, run
from services.console.policy_pages.requirements import read_requirements, requirements_page
from tests.unit.cadence.events import NOW, shipped

ROOT = Path(__file__).parents[4]


def outcomes() -> list[Outcome]:
    return [run(shipped(), case) for case in read_tests(texts_of_tests(SHIPPED), shipped())]


def test_every_requirement_that_a_policy_can_meet_is_shown_by_a_test_of_the_shipped_policy() -> None:
    requirements, elsewhere = read_requirements()["requirements"], read_requirements()["elsewhere"]
    shown = {number for outcome in outcomes() if not outcome.failures for number in outcome.case.shows}

    assert [number for number in requirements if number not in shown and number not in elsewhere] == []
    assert set(elsewhere) <= set(requirements)
    assert [number for number in elsewhere if number in shown] == []


def test_a_test_that_is_named_for_what_is_shown_elsewhere_names_the_requirement() -> None:
    """By its number in a docstring, a name or `covers`."""
    named = {
        (number, path)
        for number, why in read_requirements()["elsewhere"].items()
        for path in re.findall(r"tests/[a-z_/0-9]+\.py", why)
    }
    assert len(named) > 20
    texts = {path: (ROOT / path).read_text() for _, path in named}
    missing = [
        f"{number}: {path}"
        for number, path in sorted(named)
        if re.search(rf"(?<![a-z0-9]){number}(?![0-9])", texts[path], re.IGNORECASE) is None
    ]
    assert missing == []


def test_the_page_has_a_row_for_each_requirement_with_links_to_rules_and_tests() -> None:
    page = requirements_page(shipped(), outcomes())

    assert [number for number in read_requirements()["requirements"] if f"\n| {number} | " not in page] == []
    assert "[red-check-in](../services/cadence/policy/shipped/20-rhythms.yaml#L" in page
    assert "_test.yaml#L" in page


def test_a_test_that_fails_shows_no_requirement() -> None:
    failure = Failure(Location(), NOW, "color: red", "color: green", "")
    failed = [outcome._replace(failures=(failure,)) for outcome in outcomes()]

    assert "_test.yaml#L" not in requirements_page(shipped(), failed)
