"""A simulation of the deployment, and then the days themselves: what comes due is what was simulated."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.integration.scheduler.calendar_host import CalendarHost, answer, calendar, calendar_host
from tests.stack import Stack, event, until

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(420)]

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 30
BOOK = (
    ("large", 250_000, "red"),
    ("mid", 60_000, "green"),
    ("small", 12_000, "yellow"),
    ("tiny", 900, "green"),
    ("calm", 60_000, "green"),
    ("even", 60_000, "green"),
    ("left", 250_000, "green"),
)


def events() -> list[dict[str, object]]:
    """A person who is away for two weeks and has full weeks, two colleagues, and accounts of four segments, each with
    another term; one of the colleagues leaves.
    """
    hours = {
        "timezone": "Europe/Berlin",
        "weekly_minutes": 150,
        "country": "DE",
        "region": "BE",
        "pool": "emea",
    }
    away = [{"from": "2026-03-12", "to": "2026-03-27"}]
    found = [
        event("csm.described", "kim", {"name": "Kim", "time_off": away, **hours}, id="kim", time=MONDAY),
        event(
            "csm.described", "eve", {"name": "Eve", **hours, "weekly_minutes": 1200}, id="eve", time=MONDAY
        ),
        event("csm.described", "gus", {"name": "Gus", **hours}, id="gus", time=MONDAY),
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
        csm_id = "gus" if name == "left" else "kim"
        described = {"name": name, "arr": arr, "csm_id": csm_id, "pool": "emea", **place}
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
        timeout=240,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def make_busy(stack: Stack, host: CalendarHost) -> None:
    """Eve has something else on four days; the calendar keeps it free before it is simulated."""
    days = [MONDAY + number * DAY for number in (8, 9, 16, 23)]
    lines = [
        (f"UID:busy-{day:%d}", f"DTSTART:{day:%Y%m%dT060000Z}", f"DTEND:{day:%Y%m%dT150000Z}", "SUMMARY:Away")
        for day in days
    ]
    host.says = answer("200 OK", calendar(*lines))
    address = f"{stack.processes['scheduler'].url}/v1/csms/eve/busy-calendar"
    made = await stack.client.put(address, json={"url": host.url})
    assert made.status_code == 200, made.text

    async def is_read() -> bool:
        return (await stack.get("scheduler", "/v1/csms/eve/busy-calendar"))["busy_times"] == len(days)

    await until(is_read, 120, "the calendar of eve is read")


def leave(stack: Stack, csm_id: str) -> None:
    """Take somebody out of the directory."""
    producer = Producer({"bootstrap.servers": stack.kafka.bootstrap})
    producer.produce("directory.csms", None, key=csm_id)
    assert producer.flush(20) == 0


async def has_left(stack: Stack, csm_id: str) -> bool:
    return not (await stack.get("scheduler", "/v1/touchpoints", csm_id=csm_id, status="planned"))["items"]


async def test_with_no_new_events_the_days_that_come_are_exactly_the_simulated_ones() -> None:
    """F4, S157, 12.9: with time off, full weeks that are shared, busy time, somebody who has left, holidays and folding,
    through the running services.
    """
    with tempfile.TemporaryDirectory(prefix="drumbeat-simulation-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, rate=0, start=MONDAY) as stack, calendar_host() as host:
            await stack.run()
            await stack.tell(*events())
            await stack.advance(2 * DAY, step=DAY)
            await make_busy(stack, host)
            leave(stack, "gus")
            await until(lambda: has_left(stack, "gus"), 120, "the book of gus is shared out")
            now = await stack.advance(DAY, step=DAY)

            simulated, again = await simulate(stack), await simulate(stack)
            await stack.advance(DAYS * DAY, step=DAY)

            expected = {touch["id"]: touch["due_at"] for touch in simulated["schedule"]}
            assert simulated == again
            assert simulated["accounts"] == len(BOOK)
            assert len(expected) > 20
            assert {"kim", "eve"} <= {touch["csm_id"] for touch in simulated["schedule"]}
            assert "gus" not in {touch["csm_id"] for touch in simulated["schedule"]}
            assert simulated["notes"] == []
            shifts = {touch["shift"] or "" for touch in simulated["schedule"]}
            for part in ("covered by Eve: Kim is away", "shared with Eve: no room", "is busy then"):
                assert any(part in shift for shift in shifts), (part, sorted(shifts))
            assert await came_due(stack, now) == expected
