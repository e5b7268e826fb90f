"""Row 24: revenue in the policy's currency."""

from datetime import date

import pytest

from services.cadence.account import FactEvent
from services.cadence.features.compute import view_account
from services.cadence.features.contracts import revenue_of
from services.cadence.features.view import FeatureSettings
from services.cadence.portfolio import Portfolio
from services.cadence.rates import NO_RATES, Rates
from tests.unit.cadence.events import NOW, facts_after, make_event

RATES = Rates(date(2026, 6, 1), "USD", {"EUR": 1.08, "JPY": 0.0065})


def described(**fields: object) -> FactEvent:
    return make_event("account.described", **fields)


def contract(contract_id: str, **fields: object) -> FactEvent:
    return make_event("contract.changed", contract_id=contract_id, **{"status": "active", **fields})


@pytest.mark.parametrize(
    ("events", "currency", "revenue"),
    [
        ([described(arr=1_500_000.0, currency="JPY")], "USD", 9750.0),
        ([described(arr=1_500_000.0, currency="JPY")], "EUR", 1_500_000 * (0.0065 / 1.08)),
        ([described(arr=1_500_000.0, currency="JPY")], "JPY", 1_500_000.0),
        ([described(arr=50_000.0)], "EUR", 50_000.0),
        ([described(arr=50_000.0, currency=None)], "USD", 50_000.0),
        ([described(arr=50_000.0, currency="CHF")], "USD", None),
        ([contract("a", arr=100.0, currency="EUR"), contract("b", arr=100.0)], "USD", 208.0),
        ([described(currency="JPY"), contract("a", arr=1000.0)], "USD", 6.5),
        ([described(currency="JPY"), contract("a", arr=1000.0, currency="EUR")], "USD", 1080.0),
        ([contract("a", arr=100.0), contract("b", arr=100.0, currency="CHF")], "USD", None),
        ([contract("a", status="churned", arr=100.0, currency="CHF"), contract("b", arr=9.0)], "USD", 9.0),
        ([described(name="Acme")], "USD", None),
        ([contract("a")], "USD", None),
    ],
)
def test_revenue_is_in_the_policys_currency_and_unknown_without_a_rate(
    events: list[FactEvent], currency: str, revenue: float | None
) -> None:
    """Row 24: a contract's own currency counts, then the account's, then the policy's."""
    facts = facts_after(events)
    view = view_account(facts, Portfolio(rates=RATES), NOW, settings=FeatureSettings(currency=currency))

    assert revenue_of(facts, RATES, currency) == revenue
    assert view.values["arr"] == revenue


def test_without_rates_an_amount_in_another_currency_has_no_rank() -> None:
    """Row 24: 1.5 million yen were more than nearly every account has in dollars."""
    facts = facts_after([described(arr=1_500_000.0, currency="JPY")])
    ranked = Portfolio(arr_percentiles=tuple(float(cut) for cut in range(1000, 100_000, 1000)))

    assert revenue_of(facts, NO_RATES, "USD") is None
    assert view_account(facts, ranked, NOW).values["arr_percentile"] is None
    in_yen = view_account(facts, Portfolio(0, ranked.arr_percentiles, rates=RATES), NOW)
    assert in_yen.values["arr_percentile"] == 9
