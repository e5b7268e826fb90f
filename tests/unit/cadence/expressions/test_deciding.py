"""What is enough for the result of a condition."""

import pytest

from services.cadence.account import Plain
from services.cadence.expressions.deciding import deciding_names
from services.cadence.expressions.parser import parse
from services.cadence.expressions.trace import trace

VALUES: dict[str, Plain] = {"segment": "enterprise", "arr": 5, "nps_score": 3, "paused": False, "csat": None}


@pytest.mark.parametrize(
    ("condition", "enough"),
    [
        ('segment == "enterprise"', {"segment"}),
        ('segment == "enterprise" and arr > 1', {"segment", "arr"}),
        ('segment == "enterprise" and arr > 9', {"arr"}),
        ('segment == "enterprise" or arr > 1', {"arr"}),
        ('segment == "mid_market" or arr > 9', {"segment", "arr"}),
        ("csat is not null and csat > 3 and arr > 1", {"csat"}),
        ("not (paused or nps_score > 9) and arr > 1", {"paused", "nps_score", "arr"}),
        ("not (paused and arr > 1)", {"paused"}),
        ("csat > 3", {"csat"}),
    ],
)
def test_the_cheapest_part_that_decides_is_enough(condition: str, enough: set[str]) -> None:
    """`segment` costs two, every other feature one."""
    truth = trace(parse(condition), VALUES)

    assert deciding_names(truth, lambda names: sum(1 + (name == "segment") for name in names)) == enough
