"""Telephone numbers: only international ones are used, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.phone_number import international_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+49 151 12345678", "+4915112345678"),
        ("+49 (0)151 123-456.78", "+4915112345678"),
        ("0049/151/12345678", "+4915112345678"),
        ("+1 (555) 010-0123", "+15550100123"),
        ("0151 12345678", None),  # of which country?
        ("+0151 12345678", None),
        ("+49", None),
        ("+4915112345678901", None),  # E.164 ends after 15 digits
        ("+49 151 CALL ME", None),
        ("+\u0664\u0669151123456", None),  # digits of another script
        ("", None),
        (None, None),
    ],
)
def test_a_number_is_international_or_none(text: str | None, number: str | None) -> None:
    assert international_number(text) == number


@given(st.from_regex(r"\A\+[1-9][0-9]{6,14}\Z"), st.text(" ()./-", max_size=3))
def test_marks_between_digits_change_nothing(number: str, between: str) -> None:
    written = number[0] + between.join(number[1:])

    assert international_number(written) in (number, international_number(written.replace("(0)", "")))
    assert international_number(number) == number


@given(st.text(max_size=40))
def test_what_comes_out_is_e164(text: str) -> None:
    number = international_number(text)

    assert number is None or (number[0] == "+" and number[1:].isascii() and 7 <= len(number[1:]) <= 15)
    assert number is None or international_number(number) == number
