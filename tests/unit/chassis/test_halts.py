"""The limit of dead letters: which offsets halt a partition."""

import pytest

from services.chassis.halts import goes_over
from services.chassis.settings import DeadLetters


@pytest.mark.parametrize(
    ("letters", "halts"),
    [
        ([], False),
        ([5, 6, 7], False),
        ([5, 6, 7, 8], True),
        ([0, 1, 2, 9], True),
        ([0, 1, 2, 10], False),
        ([0, 8, 9, 10, 11], True),
        (range(0, 100, 3), True),
        (range(0, 100, 4), False),
    ],
)
def test_more_than_three_among_ten_offsets_in_a_row_go_over(letters: list[int], halts: bool) -> None:  # noqa: FBT001
    assert goes_over(list(letters), DeadLetters(most=3, among=10)) is halts
