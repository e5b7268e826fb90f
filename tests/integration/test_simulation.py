"""A simulation of the deployment, and then the days themselves: what comes due is what was simulated."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.stack import Stack, event

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(300)]

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 30
BOOK = (
    ("large", 250_000, "red"),
    ("mid", 60_000, "green"),
    ("small", 12_000, "yellow"),
    ("tiny", 900, "green"),
)


def events() -> list[dict[str, object]]:
    """A person who is away for two weeks, a colleague, and accounts of four segments, each with another term."""
    hours = {
        "timezone": "Europe/Berlin",
        "weekly_minutes": 1200,
        "country": "DE",
        "region": "BE",
        "pool": "emea",
    }
    away = [{"from": "2026-03-12", "to": "2026-03-27"}]
    found = [
        event("csm.described", "kim", {"name": "Kim", "time_off": away, **hours}, id="kim", time=MONDAY),
        event("csm.described", "eve", {"name": "Eve", **hours}, id="eve", time=MONDAY),
    ]
    for number, (name, arr, color) in enumerate(BOOK):
        starts = MONDAY - timedelta(days=80 + number * 65)
        contract = {
            "contract_id": f"c-{name}",
            "status": "active",
            "starts_on": f"{starts:%Y-%m-%d}",
            "renews_on": f"{starts + timedelta(days=365):%Y-%m-%d}",
        }
        place = {"country": "US", "region": "NY", "timezone": "America/New_York"}
        described = {"name": name, "arr": arr, "csm_id": "kim", "pool": "emea", **place}
        found += [
            event("account.described", name, described, id=f"a-{name}", time=MONDAY),
            event("contract.changed", name, contract, id=f"k-{name}", time=MONDAY),
            event("health.scored", name, {"color": color}, id=f"h-{name}", time=MONDAY),
        ]
    return found


async def came_due(stack: Stack, since: datetime) -> dict[str, str]:
    """By id the moment of each touchpoint that came due after that one, whatever became of it."""
    found: dict[str, str] = {}
    for status in ("due", "overdue", "settled", "cancelled"):
        page: dict[str, Any] = await stack.get("scheduler", "/v1/touchpoints", status=status, limit=500)
        assert page["next_cursor"] is None
        for item in page["items"]:
            if item["released_at"] and datetime.fromisoformat(item["released_at"]) > since:
                found[item["id"]] = item["due_at"]
    return found


async def simulate(stack: Stack) -> dict[str, Any]:
    answer = await stack.client.post(
        f"{stack.processes['rules_engine'].url}/v1/policies/simulate",
        json={"days": DAYS, "schedule": True},
        timeout=120,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_with_no_new_events_the_days_that_come_are_exactly_the_simulated_ones() -> None:
    """F4, S157: with time off, a stand-in, holidays and folding, through the running services."""
    with tempfile.TemporaryDirectory(prefix="drumbeat-simulation-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, rate=0, start=MONDAY) as stack:
            await stack.run()
            await stack.tell(*events())
            now = await stack.advance(3 * DAY, step=DAY)

            simulated, again = await simulate(stack), await simulate(stack)
            await stack.advance(DAYS * DAY, step=DAY)

            expected = {touch["id"]: touch["due_at"] for touch in simulated["schedule"]}
            assert simulated == again
            assert simulated["accounts"] == len(BOOK)
            assert len(expected) > 20
            assert {"kim", "eve"} <= {touch["csm_id"] for touch in simulated["schedule"]}
            assert await came_due(stack, now) == expected
