"""Fields of forms, as no browser sends them."""

import pytest

from services.console.pages.forms import read_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("0", 0),
        ("", 0),
        ("-1", 0),
        ("1.5", 0),
        ("²", 0),
        ("٣", 0),
        ("9" * 15, 10**15 - 1),
        ("9" * 5_000, 0),
    ],
)
def test_a_number_of_a_form_is_read_or_is_none(text: str, number: int) -> None:
    assert read_number(text) == number
