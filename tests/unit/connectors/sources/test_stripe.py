"""What is reckoned of Stripe's objects: revenue a year in whole units, and the period wherever it stands."""

from typing import Any

import pytest

from services.connectors.sources.stripe import split_stripe


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
