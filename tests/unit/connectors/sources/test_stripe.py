"""What is reckoned of Stripe's objects: revenue a year in whole units, and the period wherever it stands."""

from typing import Any

import orjson
import pytest

from services.connectors.sources.stripe import split_stripe
from tests.unit.connectors.mapping.samples import map_body


def computed(about: dict[str, Any]) -> Any:
    event: Any = split_stripe({"id": "evt_1", "object": "event", "data": {"object": about}})
    return event["computed"]


def line(
    amount: object,
    currency: str = "usd",
    interval: str = "month",
    count: int = 1,
    quantity: object = 1,
    **more: object,
) -> dict[str, object]:
    recurring = {"interval": interval, "interval_count": count, **more}
    return {
        "quantity": quantity,
        "price": {"unit_amount": amount, "currency": currency, "recurring": recurring},
    }


@pytest.mark.parametrize(
    ("lines", "arr"),
    [
        ([line(1000)], 120.0),
        ([line(1000, quantity=3)], 360.0),
        ([line(120_000, interval="year")], 1200.0),
        ([line(1000, "JPY")], 12_000.0),
        ([line(1000, "kwd")], 12.0),
        ([line(1000, "isk")], 120.0),
        ([line(3000, count=3)], 120.0),
        ([line(100, interval="week")], 52.0),
        ([line(1000), line(999)], 239.88),
        ([line(1000), line(None)], None),
        ([line(1000, usage_type="metered")], None),
        ([line(1000, interval="century")], None),
        ([line(amount=True)], None),
        ([line(1000, count=0)], None),
        ([], None),
    ],
)
def test_revenue_a_year(lines: list[dict[str, object]], arr: float | None) -> None:
    assert computed({"items": {"data": lines}}).get("arr") == arr


def test_the_period_is_found_on_the_subscription_and_on_its_items() -> None:
    assert computed({"current_period_end": 5})["current_period_end"] == 5
    newer = {"items": {"data": [{"current_period_end": 5}, {"current_period_end": 7}]}}
    assert computed(newer)["current_period_end"] == 7
    invoice = {"lines": {"data": [{"period": {"start": 1, "end": 9}}]}}
    assert computed(invoice) == {"period_start": 1, "period_end": 9}


def test_a_thin_event_of_a_resource_of_version_1_has_its_plain_type() -> None:
    thin = {"id": "evt_1", "object": "v2.core.event", "type": "v1.customer.subscription.updated"}
    event: Any = split_stripe(thin)
    assert (event["type"], "computed" in event) == ("customer.subscription.updated", False)


@pytest.mark.parametrize(
    "document", [[], None, 5, {"data": []}, {"data": {"object": {"items": {"data": [5, None]}}}}]
)
def test_other_shapes_do_no_harm(document: object) -> None:
    event: Any = split_stripe(document)
    assert event == document or event["computed"] == {}


CREATED, START, END = 1_790_000_000, 1_788_220_800, 1_819_756_800
"""Seconds: an event of September 2026 about a year from 1 September 2026."""
MONTHLY = {"interval": "month", "interval_count": 1, "usage_type": "licensed"}
PRICE: dict[str, Any] = {"unit_amount": 500_000, "currency": "eur", "recurring": MONTHLY}


def facts(type_: str, about: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(type, external account, data) of what the shipped mapping makes of an event."""
    event = {"id": "evt_1", "object": "event", "type": type_, "created": CREATED, "data": {"object": about}}
    (item,) = map_body("stripe", orjson.dumps(event))
    assert not item.problems, item.problems
    return [
        (fact.type.removeprefix("drumbeat.").removesuffix(".v1"), str(fact.account), dict(fact.data))
        for fact in item.facts
    ]


def subscription(**more: Any) -> dict[str, Any]:
    """As newer API versions state it: the period stands on the items."""
    line = {"quantity": 2, "price": PRICE, "current_period_start": START, "current_period_end": END}
    return {
        "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active", "currency": "eur",
        "cancel_at_period_end": False, "items": {"object": "list", "data": [line]}, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "more", "status", "auto_renew"),
    [
        ("created", {}, "active", True),
        ("created", {"status": "trialing"}, "draft", True),
        ("updated", {"cancel_at_period_end": True}, "notice", False),
        ("updated", {"status": "past_due"}, "active", True),
        ("paused", {"status": "paused"}, "active", True),
        ("deleted", {"status": "canceled"}, "ended", False),
    ],
)
def test_a_subscription_is_a_contract_through_its_life(
    type_: str, more: dict[str, Any], status: str, *, auto_renew: bool
) -> None:
    ((kind, account, data),) = facts(f"customer.subscription.{type_}", subscription(**more))
    assert kind == "contract.changed"
    assert "cus_1" in account
    assert data == {
        "contract_id": "sub_1", "status": status, "starts_on": "2026-09-01", "renews_on": "2027-09-01", "arr": 120_000.0,
        "currency": "eur", "auto_renew": auto_renew,
    }  # fmt: skip


@pytest.mark.parametrize(
    "names",
    [
        {"subscription": "sub_1"},
        {"parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}}},
    ],
)
def test_a_paid_invoice_states_the_period_of_its_subscription_in_both_forms(names: dict[str, Any]) -> None:
    lines = {"object": "list", "data": [{"period": {"start": START, "end": END}}]}
    invoice = {
        "id": "in_1",
        "object": "invoice",
        "customer": "cus_1",
        "status": "paid",
        "lines": lines,
        **names,
    }
    ((kind, account, data),) = facts("invoice.paid", invoice)
    assert (kind, "cus_1" in account) == ("contract.changed", True)
    assert data == {"contract_id": "sub_1", "starts_on": "2026-09-01", "renews_on": "2027-09-01"}
    assert facts("invoice.payment_failed", invoice) == []
    assert facts("invoice.paid", {"id": "in_2", "object": "invoice", "customer": "cus_1"}) == [], (
        "of no subscription"
    )


@pytest.mark.parametrize("type_", ["customer.created", "customer.updated"])
def test_a_customer_is_an_account(type_: str) -> None:
    customer = {
        "id": "cus_1", "object": "customer", "name": "Acme Ltd", "address": {"country": "DE"},
        "preferred_locales": ["de-DE"], "metadata": {},
    }  # fmt: skip
    ((kind, account, data),) = facts(type_, customer)
    assert (kind, "cus_1" in account) == ("account.described", True)
    assert data == {"name": "Acme Ltd", "country": "DE", "language": "de-DE"}
    assert facts("customer.deleted", customer) == []
    named = {**customer, "metadata": {"drumbeat_account_id": "acme"}}
    assert "id='acme', external_system=None" in facts(type_, named)[0][1]
