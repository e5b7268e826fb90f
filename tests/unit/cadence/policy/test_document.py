"""The document of a policy: every section, where each rule can hold, what else has to hold, and where it is."""

from typing import Any, cast

import pytest

from services.cadence.policy.document import policy_document
from services.cadence.policy.load import SHIPPED, load_policy, policy_texts, read_content
from tests.unit.cadence.policy_texts import FULL

DOCUMENT = policy_document(read_content({"a.yaml": FULL}))


def rhythm(when: str) -> dict[str, Any]:
    """The document of one rhythm with this condition."""
    added = (
        f"rhythms:\n  - {{rule: looked-at, touchpoint: check_in, every: 14d, because: x, when: '{when}'}}\n"
    )
    document = policy_document(read_content({"a.yaml": FULL.replace("rhythms:\n", added, 1)}))
    return next(rule for rule in rules(document, "rhythms") if rule["rule"] == "looked-at")


def rules(document: dict[str, object], section: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", document[section])


def test_every_section_has_the_place_of_each_rule() -> None:
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
        items = rules(DOCUMENT, section)
        assert items, section
        assert all(item["file"] == "a.yaml" and item["line"] > 0 for item in items), section


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
def test_a_rule_has_the_segments_and_stages_it_can_hold_in_and_the_rest_of_its_condition(
    when: str, segments: list[str], stages: list[str], rest: str | None
) -> None:
    document = rhythm(when)
    assert (document["segments"], document["stages"], document["when"]) == (segments, stages, rest)


@pytest.mark.parametrize(
    "when",
    [
        'segment == "enterprise" or stage == "growth"',
        'segment != "enterprise" or arr is null',
    ],
)
def test_a_condition_that_segment_and_stage_cannot_replace_stays_whole(when: str) -> None:
    assert rhythm(when)["when"] == when


def test_owner_and_channel_left_out_come_from_the_catalogue() -> None:
    document = rhythm("true")
    assert (document["owner"], document["channel"], document["when"]) == ("csm", "call", None)


def test_the_document_of_the_shipped_policy_is_complete() -> None:
    policy = load_policy(SHIPPED)
    document = policy_document(read_content(policy_texts(SHIPPED)))
    names = {
        rule["rule"] for section in ("rhythms", "triggers", "steps") for rule in rules(document, section)
    }
    assert names <= {rule.rule for rule in policy.rules}
    assert len(rules(document, "touchpoints")) == len(policy.catalogue)
    assert all(rule["segments"] and rule["stages"] for rule in rules(document, "rhythms"))
