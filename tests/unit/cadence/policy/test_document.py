"""A policy told section by section: where each rule can hold, what else it asks, and where it stands."""

from typing import Any, cast

import pytest

from services.cadence.policy.document import policy_document
from services.cadence.policy.load import SHIPPED, load_policy, policy_texts, read_content
from tests.unit.cadence.policy_texts import FULL

SAID = policy_document(read_content({"a.yaml": FULL}))


def rhythm(when: str) -> dict[str, Any]:
    """The document of one rhythm with this condition."""
    added = (
        f"rhythms:\n  - {{rule: looked-at, touchpoint: check_in, every: 14d, because: x, when: '{when}'}}\n"
    )
    told = policy_document(read_content({"a.yaml": FULL.replace("rhythms:\n", added, 1)}))
    return next(each for each in rules(told, "rhythms") if each["rule"] == "looked-at")


def rules(document: dict[str, object], section: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", document[section])


def test_every_section_is_told_with_the_place_of_each_rule() -> None:
    for section in (
        "segments",
        "stages",
        "rhythms",
        "triggers",
        "steps",
        "limits",
        "blackouts",
        "touchpoints",
    ):
        found = rules(SAID, section)
        assert found, section
        assert all(each["file"] == "a.yaml" and each["line"] > 0 for each in found), section


@pytest.mark.parametrize(
    ("when", "segments", "stages", "rest"),
    [
        ('segment == "enterprise"', ["enterprise"], ["onboarding", "growth"], None),
        ('segment != "enterprise" and stage in ["growth"]', ["self_service"], ["growth"], None),
        (
            'segment == "enterprise" and arr is not null and arr > 5',
            ["enterprise"],
            ["onboarding", "growth"],
            "arr is not null and arr > 5",
        ),
        (
            'not (segment == "enterprise" or stage == "growth")',
            ["self_service"],
            ["onboarding"],
            None,
        ),
    ],
)
def test_a_rule_tells_where_it_can_hold_and_apart_from_that_what_else_it_asks(
    when: str, segments: list[str], stages: list[str], rest: str | None
) -> None:
    told = rhythm(when)
    assert (told["segments"], told["stages"], told["when"]) == (segments, stages, rest)


@pytest.mark.parametrize(
    "when",
    [
        'segment == "enterprise" or stage == "growth"',
        'segment != "enterprise" or arr is null',
    ],
)
def test_what_segment_and_stage_do_not_tell_apart_stays_in_the_condition(when: str) -> None:
    assert rhythm(when)["when"] == when


def test_what_a_rule_leaves_out_comes_from_the_catalogue() -> None:
    told = rhythm("true")
    assert (told["owner"], told["channel"], told["when"]) == ("csm", "call", None)


def test_the_delivered_policy_is_told_completely() -> None:
    policy = load_policy(SHIPPED)
    told = policy_document(read_content(policy_texts(SHIPPED)))
    make_event = {
        each["rule"] for section in ("rhythms", "triggers", "steps") for each in rules(told, section)
    }
    assert make_event <= {each.rule for each in policy.rules}
    assert len(rules(told, "touchpoints")) == len(policy.catalogue)
    assert all(each["segments"] and each["stages"] for each in rules(told, "rhythms"))
