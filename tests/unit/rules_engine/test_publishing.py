"""What publishing leans on: mistakes taken apart, ranks that moved, audiences read."""

import pytest

from services.rules_engine.adapters.policies import mistake
from services.rules_engine.adapters.programs import audience_of
from services.rules_engine.adapters.ranking import moved
from services.rules_engine.application.publishing import Mistake


@pytest.mark.parametrize(
    ("error", "told"),
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
def test_a_mistake_is_taken_apart_by_its_place(error: str, told: Mistake) -> None:
    assert mistake(error) == told


def test_ranks_move_when_there_were_none_or_one_changed_by_half_a_percent() -> None:
    held = [1_000.0, 2_000.0]
    assert moved([], held)
    assert moved(held, [])
    assert not moved(held, [1_001.0, 1_999.0])
    assert moved(held, [1_000.0, 2_020.0])
    assert moved([0.0, 0.0], [0.0, 1.0])
    assert not moved([0.0, 0.0], [0.0, 0.0])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("arr is not null and arr >= 1", None),
        ("arr >= 1", "character 1: arr can be null here"),
        ("true and", "character"),
        ("arrr is null or industri is null", "character 17: unknown field"),
        ("(" * 2_000, "character"),
    ],
)
def test_an_audience_is_a_condition_or_everything_that_is_wrong_with_it(text: str, error: str | None) -> None:
    tree, found = audience_of(text)
    assert (tree is None) == (error is not None)
    assert found is None if error is None else error in str(found)
