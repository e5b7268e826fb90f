"""What the people of the demo do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.console.sample.accounts import ACCOUNTS
from services.console.sample.history import sample_events
from services.devstack.demo import DAYS, DECLINING, EVENTS, LATE, NEGLECTED, RECOVERING, choose_outcome

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def touchpoint(account: str, **changes: object) -> dict[str, Any]:
    due = {"account_id": account, "status": "due", "channel": "call", "topic": "account"}
    return {**due, **changes, "owner": {"kind": changes.get("owner", "csm")}}


@pytest.mark.parametrize(
    ("item", "outcome"),
    [
        (touchpoint("northwind"), "completed"),
        (touchpoint("northwind", channel="meeting"), "attended"),
        (touchpoint("northwind", owner="sales", status="overdue"), "completed"),
        (touchpoint("northwind", owner="automation"), None),
        (touchpoint(LATE), None),
        (touchpoint(LATE, status="overdue"), "completed"),
        (touchpoint(DECLINING, channel="meeting"), "declined"),
        (touchpoint(DECLINING, topic=None), "completed"),
        (touchpoint(NEGLECTED, status="overdue"), None),
    ],
)
def test_people_complete_decline_or_neglect_what_is_due(item: dict[str, Any], outcome: str | None) -> None:
    assert choose_outcome(item) == outcome


def test_the_accounts_of_the_demo_are_in_the_sample() -> None:
    accounts = {account.id for account in ACCOUNTS}
    assert {NEGLECTED, DECLINING, LATE, RECOVERING} <= accounts
    assert {account for _, (account, _, _) in EVENTS} <= accounts


def test_events_happen_in_order_within_the_days_of_the_demo_and_after_those_of_the_sample() -> None:
    days = [day for day, _ in EVENTS]
    assert days == sorted(days)
    assert days[-1] < DAYS
    newest = max(str(event["time"]) for event in sample_events(NOW))
    assert f"{NOW + timedelta(days=days[0]):%Y-%m-%dT%H:%M:%SZ}" > newest
