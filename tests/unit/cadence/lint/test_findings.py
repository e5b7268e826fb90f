"""The linter finds every planted defect, and nothing in the shipped policy."""

import time
from pathlib import Path

import pytest

from services.cadence.lint import KINDS, Finding, lint
from services.cadence.policy import Location
from services.cadence.policy.load import SHIPPED, load_policy_texts, policy_texts
from tests.unit.cadence.events import shipped
from tests.unit.cadence.policy_defects import DEFECTS, Defect, line_of, planted

TEXTS = {Path(file).name: text for file, text in policy_texts(SHIPPED).items()}


def test_the_shipped_policy_has_no_findings_and_is_checked_within_three_seconds() -> None:
    began = time.process_time()
    found = lint(shipped())
    assert list(map(str, found)) == []
    assert time.process_time() - began < 3


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_is_found_at_its_place(defect: Defect) -> None:
    texts = planted(defect, TEXTS)
    found = lint(load_policy_texts(texts))
    places = [(finding.kind, finding.rule, *finding.place) for finding in found]
    assert (defect.kind, defect.rule, *line_of(defect, texts)) in places, "\n".join(map(str, found))


def test_every_kind_of_finding_is_planted_at_least_once() -> None:
    assert {defect.kind for defect in DEFECTS} | {"unfinished"} == set(KINDS)
    assert len(DEFECTS) >= 25


def test_a_policy_with_too_many_rules_is_reported_in_bounded_time() -> None:
    texts = dict(TEXTS)
    rules = (
        f"  - {{rule: nps-{index}, on: nps.answered, touchpoint: advocacy_ask, within: 48h,"
        f" when: nps_score >= {index % 11}, because: Of {index}.}}\n"
        for index in range(1_000)
    )
    texts["70-more.yaml"] = "triggers:\n" + "".join(rules)
    began = time.process_time()
    kinds = {finding.kind for finding in lint(load_policy_texts(texts))}
    assert kinds == {"unfinished"}
    assert time.process_time() - began < 10


def test_a_policy_with_conditions_too_complex_is_reported_in_bounded_time() -> None:
    rules = (
        f"  - {{rule: hard-{index}, touchpoint: tips, every: {index + 7}d, because: Of {index}.,"
        f" when: arr is not null and seats is not null and arr >= seats * {index}}}\n"
        for index in range(300)
    )
    hard = load_policy_texts({**TEXTS, "70-more.yaml": "rhythms:\n" + "".join(rules)})
    began = time.process_time()
    assert "unfinished" in {finding.kind for finding in lint(hard)}
    assert time.process_time() - began < 30


def test_what_analysis_cannot_decide_is_found_by_search() -> None:
    never = "arr is not null and seats is not null and arr * seats + 1 < arr * seats"
    new = (
        f"  - {{rule: odd, touchpoint: tips, segment: enterprise, every: 7d, because: Odd., when: {never}}}\n"
    )
    found = lint(load_policy_texts({**TEXTS, "70-more.yaml": "rhythms:\n" + new}))
    assert [(finding.kind, finding.rule, finding.proof) for finding in found] == [
        ("never-fires", "odd", "search")
    ]


def test_a_rhythm_that_follows_another_type_is_no_oscillation() -> None:
    after = "when: days_since_business_review is not null and days_since_business_review < 14"
    new = f"  - {{rule: after-review, touchpoint: tips, segment: enterprise, every: 7d, because: Then tips., {after}}}\n"
    texts = {**TEXTS, "70-more.yaml": "rhythms:\n" + new}
    assert list(map(str, lint(load_policy_texts(texts)))) == []


def test_a_rule_that_is_switched_off_has_no_finding() -> None:
    new = "  - {rule: off, touchpoint: tips, segment: enterprise, every: 7d, because: Later., when: false}\n"
    texts = {**TEXTS, "70-more.yaml": "rhythms:\n" + new}
    assert list(map(str, lint(load_policy_texts(texts)))) == []


def test_a_finding_has_its_place_its_message_and_its_proof() -> None:
    place, facts = Location("rhythms.yaml", 7), {"segment": "enterprise", "paused": False, "arr": None}
    found = Finding("oscillation", place, "silence-call", "it oscillates; use one interval", "search", facts)
    assert str(found) == (
        "rhythms.yaml:7: oscillation: silence-call: it oscillates; use one interval (found by search: segment enterprise)"
    )
    assert found.document() == {
        "kind": "oscillation",
        "file": "rhythms.yaml",
        "line": 7,
        "rule": "silence-call",
        "message": "it oscillates; use one interval",
        "proof": "search",
        "witness": facts,
    }
