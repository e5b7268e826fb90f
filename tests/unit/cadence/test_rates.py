"""Row 24: exchange rates come from a file that says of which day they are; nothing is converted without one."""

from datetime import date
from pathlib import Path

import pytest

from services.cadence.rates import NO_RATES, Rates, RatesRefused, load_rates, read_rates

STATED = "date: 2026-06-01\nbase: USD\nrates: {EUR: 1.08, JPY: 0.0065, GBP: 1}\n"


@pytest.mark.parametrize(
    "text",
    [STATED, '{"date": "2026-06-01", "rates": {"EUR": 1.08, "JPY": 0.0065, "GBP": 1}}'],
)
def test_rates_are_read_from_yaml_and_json(text: str) -> None:
    """Row 24."""
    assert read_rates(text) == Rates(date(2026, 6, 1), "USD", {"EUR": 1.08, "JPY": 0.0065, "GBP": 1.0})


@pytest.mark.parametrize(
    ("currency", "to", "factor"),
    [
        ("JPY", "USD", 0.0065),
        ("USD", "EUR", 1 / 1.08),
        ("JPY", "EUR", 0.0065 / 1.08),
        ("CHF", "CHF", 1.0),
        ("CHF", "USD", None),
        ("USD", "CHF", None),
    ],
)
def test_a_unit_is_worth_what_the_rates_say(currency: str, to: str, factor: float | None) -> None:
    """Row 24."""
    assert read_rates(STATED).factor(currency, to) == factor


def test_without_rates_every_currency_is_worth_itself_alone() -> None:
    assert (NO_RATES.factor("USD", "USD"), NO_RATES.factor("EUR", "USD")) == (1.0, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "is not a JSON object"),
        ("{", "while parsing"),
        ("date: 2026-06-01\nrates: {}", "data.rates"),
        ("rates: {EUR: 1.08}", "data.date: is required"),
        ("date: 2026-06-01\nrates: {euro: 1.08}", "'euro' is not a currency code"),
        ("date: 2026-06-01\nrates: {EUR: 0}", "0 is not greater than 0"),
        ("date: 2026-06-01\nrates: {EUR: .inf}", "data.rates.EUR"),
        ("date: 2026-06-01\nrates: {EUR: many}", "data.rates.EUR"),
        ("date: 2026-06-01\nrate: {EUR: 1.08}\nrates: {EUR: 1.08}", "data.rate"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_name_and_an_example(text: str, message: str) -> None:
    with pytest.raises(RatesRefused) as refused:
        read_rates(text, "rates.yaml")
    assert message in str(refused.value)
    assert str(refused.value).startswith("rates.yaml: ")
    assert "write it like {date: 2026-06-01" in str(refused.value)


def test_a_file_that_cannot_be_read_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_text("#" * 200_000)
    for name, message in (("none.yaml", "DRUMBEAT_RATES"), ("big.yaml", "more than 100,000 characters")):
        with pytest.raises(RatesRefused, match=message):
            load_rates(tmp_path / name)
