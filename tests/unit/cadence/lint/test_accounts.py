"""What is known of all accounts of a policy."""

import pytest

from services.cadence.account import Plain
from services.cadence.lint.accounts import PossibleAccounts
from tests.unit.cadence.policies import policy


@pytest.mark.parametrize(
    ("values", "is_possible"),
    [
        ({"health_score": -2}, False),
        ({"health_score": 101}, False),
        ({"health_score": 50, "color": None}, False),
        ({"health_score": 50, "color": "red"}, True),
        ({"health_score": None, "color": None}, True),
        ({"health.scored:health_score": 0, "arr": None}, True),
        ({"arr": -1}, False),
    ],
)
def test_values_that_no_event_may_contain_are_of_no_account(
    values: dict[str, Plain],
    is_possible: bool,  # noqa: FBT001
) -> None:
    assert PossibleAccounts(policy()).may_have(values) is is_possible
