"""Numbers as spreadsheets write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connectors.tables.numbers import DecimalMark, mark_of, read_number, strip_amount, write_number


@pytest.mark.parametrize(
    ("text", "mark", "number", "currency"),
    [
        ("1234.5", None, "1234.5", None),
        ("1.234,50 €", None, "1234.50", "EUR"),
        ("$1,234.50", None, "1234.50", None),
        ("US$ 12", None, "12", "USD"),
        ("12 000 zł", None, "12000", "PLN"),
        ("CHF 1'234.50", None, "1234.50", "CHF"),
        ("R$ 1.234.567", None, "1234567", "BRL"),
        ("1\u202f234,5", None, "1234.5", None),
        ("(12.50)", None, "-12.50", None),
        ("1.234", "comma", "1234", None),
        ("1.234", "point", "1.234", None),
        ("0,500", None, "0.500", None),
        ("12 Monate", None, "12", None),
        ("90 days", None, "90", None),
        ("1.5E+6", None, "1500000", None),
    ],
)
def test_a_number_is_read(text: str, mark: DecimalMark | None, number: str, currency: str | None) -> None:
    amount = strip_amount(text)
    assert (read_number(amount.digits, mark), amount.currency) == (Decimal(number), currency)


@pytest.mark.parametrize("text", ["12 %", "twelve", "1 year", "", "--1", "12a"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a number|is a percentage"):
        strip_amount(text)


def test_a_number_that_can_be_read_in_two_ways_is_refused_with_what_to_do() -> None:
    assert mark_of("1.234") is None
    with pytest.raises(ValueError, match="can be read in two ways; say whether decimals follow"):
        read_number("1.234", None)
    with pytest.raises(ValueError, match="does not have its decimals after a comma"):
        read_number("12.5", "comma")


@given(st.floats(min_value=0, max_value=1e15))
def test_a_written_number_can_be_read_in_one_way_only(number: float) -> None:
    written = write_number(number)
    assert float(read_number(written, None)) == number
