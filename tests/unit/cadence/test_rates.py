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
        ("[1]", "line 1: expected an object"),
        ("", "line 1: expected an object"),
        ("\n{", "line 2: is neither YAML nor JSON"),
        ("date: 2026-06-01\nrates: {}", "line 2: expected `rates`: 1 to 500 currency codes"),
        ("rates: {EUR: 1.08}", "line 1: expected `date`: a day"),
        ("date: someday\nrates: {EUR: 1.08}", "line 1: expected `date`: a day"),
        ("date: 2026-06-01\nbase: usd\nrates: {EUR: 1.08}", "line 2: expected `base`: a currency code"),
        ("date: 2026-06-01\nrates: {euro: 1.08}", "line 2: expected `rates`"),
        ("date: 2026-06-01\nrates:\n  USD: 1\n  EUR: 0", "line 4: expected `rates`"),
        ("date: 2026-06-01\nrates: {EUR: .inf}", "line 2: expected `rates`"),
        ("date: 2026-06-01\nrates: {EUR: many}", "line 2: expected `rates`"),
        ("date: 2026-06-01\nrate: {EUR: 1.08}\nrates: {EUR: 1.08}", "line 2: expected an object"),
        ("date: 2026-06-01\nrates: {EUR: 99999999999999999999999}", "expected an object"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_name_and_an_example(text: str, message: str) -> None:
    with pytest.raises(RatesRefused) as refused:
        read_rates(text, "rates.yaml")
    assert message in str(refused.value)
    assert str(refused.value).startswith("rates.yaml: ")
    assert "write it like {date: 2026-06-01" in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "db_k_{}",
        "KEY={}\nOTHER={}",
        "key: {}",
        "{}: {}",
        "date: {}\nbase: {}\nrates: {}",
        "rates: {{EUR: {}, {}: 1}}",
        "a: *{}",
        "@{}: x",
        "- {}",
        "a: !{} x",
        "a: b: {}",
        "? [{}]\n: 1",
        "{{2026-06-01: {}}}",
    ],
)
def test_a_file_that_is_none_is_never_quoted(text: str) -> None:
    """B: the setting may name a file of keys by mistake."""
    with pytest.raises(RatesRefused) as refused:
        read_rates(text.format(*["m4rk3rs3cr3t"] * 3), "rates.yaml")
    assert "m4rk3rs3cr3t" not in str(refused.value)


def test_a_file_that_cannot_be_read_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / "big.yaml").write_text("#" * 200_000)
    for name, message in (("none.yaml", "DRUMBEAT_RATES"), ("big.yaml", "more than 100,000 characters")):
        with pytest.raises(RatesRefused, match=message):
            load_rates(tmp_path / name)
