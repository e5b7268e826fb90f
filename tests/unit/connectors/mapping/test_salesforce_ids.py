"""Ids of Salesforce with 15 and with 18 characters are one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connectors.mapping.salesforce_ids import long_id

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("short", "whole"),
    [("001D000000IqhSL", "001D000000IqhSLIAZ"), ("00D000000000062", "00D000000000062EAA")],
)
def test_published_pairs(short: str, whole: str) -> None:
    assert long_id(short) == long_id(whole) == long_id(whole.lower()) == whole


@given(st.text(LETTERS, min_size=15, max_size=15))
def test_the_long_form_is_the_same_whatever_the_letter_case(short: str) -> None:
    whole = long_id(short)
    assert whole.startswith(short)
    assert long_id(whole) == long_id(whole.lower()) == long_id(whole.upper()) == whole


@pytest.mark.parametrize(
    "text", ["", "001", "001D000000IqhSL!", "001D000000IqhSLIAZZ", "001D000000IqhSLAAA", "ü" * 15]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no id of Salesforce"):
        long_id(text)
