"""An audience is a condition, or a list of everything that is wrong with it."""

import pytest

from services.cadence.announcements import audience_of


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
