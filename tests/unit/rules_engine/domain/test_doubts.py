"""What is not known of an account and has an effect is said on it, with what to do."""

from datetime import date

import pytest

from schemas.directory import CsmRecord
from services.cadence.rates import NO_RATES, Rates
from services.rules_engine.domain.doubts import find_doubts
from tests.unit.cadence.events import facts_after, make_event

ADA = CsmRecord(csm_id="ada", version=1)
IDLE = CsmRecord(csm_id="ada", working_days=(), version=1)
RATES = Rates(date(2026, 6, 1), "USD", {"JPY": 0.0065})


def doubts(
    described: dict[str, object], csm: CsmRecord | None = None, rates: Rates = NO_RATES
) -> dict[str, str]:
    facts = facts_after([make_event("account.described", **described)])
    return {doubt.about: f"{doubt.text}; {doubt.remedy}" for doubt in find_doubts(facts, csm, rates, "USD")}


@pytest.mark.parametrize(
    ("described", "about", "said"),
    [
        ({}, "timezone", "time zone unknown"),
        ({"country": "Atlantis"}, "country", "names no country"),
        ({"country": "ES"}, "timezone", "send account.described with a timezone"),
        ({"timezone": "UTC", "csm_id": "csm-typo"}, "csm_id", "send csm.described for 'csm-typo'"),
        (
            {"timezone": "UTC", "arr": 1.0, "currency": "JPY"},
            "currency",
            "add JPY to the file that DRUMBEAT_RATES",
        ),
    ],
)
def test_what_is_unknown_is_said_with_what_to_do(described: dict[str, object], about: str, said: str) -> None:
    """Rows 23, 24 and 31."""
    assert said in doubts(described)[about]


def test_what_is_known_is_not_doubted() -> None:
    known: dict[str, object] = {"country": "JP", "csm_id": "ada", "arr": 1.0, "currency": "JPY"}
    assert doubts(known, ADA, RATES) == {}


def test_a_csm_without_working_days_is_doubted() -> None:
    """Row 38."""
    assert "no working days" in doubts({"csm_id": "ada", "timezone": "UTC"}, IDLE)["csm_id"]


def test_the_contracts_of_an_account_are_looked_at_too() -> None:
    """Row 24."""
    contract = make_event("contract.changed", contract_id="k", status="active", arr=5.0, currency="CHF")
    facts = facts_after([make_event("account.described", timezone="UTC"), contract])
    (doubt,) = find_doubts(facts, None, RATES, "USD")
    assert "from CHF to USD" in doubt.text
