"""A touchpoint type that the policy lacks is refused with what was probably meant (row 39)."""

import pytest

from schemas.directory import PolicyRecord, TouchpointTypeRecord
from services.scheduler.domain.catalogue import UnknownType, find_type

TYPES = tuple(
    TouchpointTypeRecord(touchpoint_type=name, owner="csm", channel="call", purpose="talk")
    for name in ("business_review", "check_in", "tips")
)
POLICY = PolicyRecord(policy="p1", touchpoint_types=TYPES, version=1)


def test_a_type_of_the_policy_is_found() -> None:
    assert find_type(POLICY, "check_in") is TYPES[1]


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("chekin", "check_in"),
        ("Check_In", "check_in"),
        ("check in", "check_in"),
        ("bussines_review", "business_review"),
        ("tip", "tips"),
    ],
)
def test_a_misspelt_type_is_refused_with_the_one_that_was_meant(wanted: str, meant: str) -> None:
    with pytest.raises(UnknownType, match=f"no touchpoint type '{wanted}'; did you mean '{meant}'"):
        find_type(POLICY, wanted)


def test_a_type_that_is_like_none_is_refused_with_all_there_are() -> None:
    with pytest.raises(UnknownType, match="it has business_review, check_in, tips"):
        find_type(POLICY, "nonsense")
