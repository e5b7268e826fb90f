"""Mistakes are split by their place."""

import pytest

from services.cadence.policy.load import PolicyRefused
from services.rules_engine.entrypoints.refusals import Mistake, invalid_policy, mistake


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            "a.yaml:3:7: enterprise-check-in.when: unknown field 'arrr'; did you mean 'arr'?",
            Mistake("a.yaml", 3, 7, "enterprise-check-in.when", "unknown field 'arrr'; did you mean 'arr'?"),
        ),
        ("/my: files/b.yaml:1:1: YAML: tabs: no", Mistake("/my: files/b.yaml", 1, 1, "", "YAML: tabs: no")),
        ("c.yaml:12:1: the file says nothing", Mistake("c.yaml", 12, 1, "", "the file says nothing")),
        ("a policy has 1 to 200 files", Mistake("", 1, 1, "", "a policy has 1 to 200 files")),
    ],
)
def test_a_mistake_is_split_by_its_place(error: str, expected: Mistake) -> None:
    assert mistake(error) == expected


def test_mistakes_are_listed_with_their_place_where_they_have_one() -> None:
    problem = invalid_policy(PolicyRefused(["a.yaml:3:7: x.when: no", "there may be more mistakes"]))
    assert problem.detail == "The policy has 2 mistakes:\na.yaml:3:7: no\nthere may be more mistakes"
