"""A simulation of the deployment, and then the days themselves: what comes due is what was simulated."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from tests.integration.scheduler.calendar_host import CalendarHost, answer, calendar, calendar_host
from tests.stack import Stack, event, until

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(600)]

MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 30
BUSY_HOURS = range(6, 15)
APPOINTMENTS = frozenset({"call", "meeting"})
BOOK = (
    ("large", 250_000, "red", 80),
    ("big", 250_000, "green", 120),
    ("vast", 250_000, "green", 150),
    ("mid", 60_000, "green", 145),
    ("small", 12_000, "yellow", 210),
    ("tiny", 900, "green", 275),
    ("calm", 60_000, "green", 340),
    ("even", 60_000, "green", 405),
    ("left", 250_000, "green", 120),
)
"""By name: revenue, health, and for how many days the contract has run. Each day is looked at at 14:00 UTC, so that what
comes due at noon is not found after the end of its person's day, which would be an outage.
"""


def events() -> list[dict[str, object]]:
    """A person who is away for two weeks and has full weeks, two colleagues, and accounts of four segments, each with
    another term; one of the colleagues leaves.
    """
    hours = {
        "timezone": "Europe/Berlin",
        "weekly_minutes": 90,
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
    for name, arr, color, age_days in BOOK:
        starts = MONDAY - age_days * DAY
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


async def came_due(stack: Stack, since: datetime) -> dict[str, dict[str, Any]]:
    """By id each touchpoint that came due after that moment, whatever became of it."""
    found: dict[str, dict[str, Any]] = {}
    for status in ("due", "overdue", "settled", "cancelled"):
        for item in await list_touchpoints(stack, status=status):
            if item["released_at"] and datetime.fromisoformat(item["released_at"]) > since:
                found[item["id"]] = item
    return found


async def list_touchpoints(stack: Stack, **asked: str) -> list[dict[str, Any]]:
    page: dict[str, Any] = await stack.get("scheduler", "/v1/touchpoints", **asked, limit=500)
    assert page["next_cursor"] is None
    return page["items"]


async def simulate(stack: Stack) -> dict[str, Any]:
    answer = await stack.client.post(
        f"{stack.processes['rules_engine'].url}/v1/policies/simulate",
        json={"days": DAYS, "schedule": True},
        timeout=240,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def find_busy_days(stack: Stack) -> list[datetime]:
    """The days of the appointments with the account that eve took over, from the second week on, as far as simulated."""
    found = [
        datetime.fromisoformat(item["due_at"])
        for item in await list_touchpoints(stack, csm_id="eve", status="planned")
        if item["account_id"] == "left" and item["channel"] in APPOINTMENTS
    ]
    return sorted(
        {
            at.replace(hour=0, minute=0, second=0, microsecond=0)
            for at in found
            if 7 < (at - MONDAY).days < DAYS
        }
    )


async def make_busy(stack: Stack, host: CalendarHost, days: list[datetime]) -> None:
    """Eve has something else on these days."""
    lines = [
        (
            f"UID:busy-{day:%m%d}",
            f"DTSTART:{day:%Y%m%d}T{BUSY_HOURS.start:02}0000Z",
            f"DTEND:{day:%Y%m%d}T{BUSY_HOURS.stop:02}0000Z",
            "SUMMARY:Away",
        )
        for day in days
    ]
    host.says = answer("200 OK", calendar(*lines))
    address = f"{stack.processes['scheduler'].url}/v1/csms/eve/busy-calendar"
    made = await stack.client.put(address, json={"url": host.url})
    assert made.status_code == 200, made.text

    async def is_read() -> bool:
        return (await stack.get("scheduler", "/v1/csms/eve/busy-calendar"))["busy_times"] == len(days)

    await until(is_read, 120, "the calendar of eve is read")


def is_in_busy_time(touch: dict[str, Any], days: list[datetime]) -> bool:
    """Whether eve would meet a customer of hers then; what she took from a colleague before stays where it was put."""
    at = datetime.fromisoformat(touch["due_at"])
    is_appointment = (
        touch["account_id"] == "left" and touch["csm_id"] == "eve" and touch["channel"] in APPOINTMENTS
    )
    return is_appointment and at.hour in BUSY_HOURS and at.date() in {day.date() for day in days}


def leave(stack: Stack, csm_id: str) -> None:
    """Take somebody out of the directory."""
    producer = Producer({"bootstrap.servers": stack.kafka.bootstrap})
    producer.produce("directory.csms", None, key=csm_id)
    assert producer.flush(20) == 0


async def has_left(stack: Stack, csm_id: str) -> bool:
    return not (await stack.get("scheduler", "/v1/touchpoints", csm_id=csm_id, status="planned"))["items"]


def is_shared(touch: dict[str, Any]) -> bool:
    return (touch["shift"] or "").startswith("shared with Eve: no room")


def what_is_due(touches: dict[str, dict[str, Any]]) -> set[tuple[str, ...]]:
    return {(touch["due_at"], touch["account_id"], touch["type"], key) for key, touch in touches.items()}


def check_causes(simulated: dict[str, Any], busy_days: list[datetime]) -> None:
    """What the days are held against has each of the causes in it, so that none of them is left out unseen."""
    schedule = simulated["schedule"]
    assert simulated["accounts"] == len(BOOK)
    assert simulated["notes"] == []
    assert len(schedule) > 20
    people = {touch["csm_id"] for touch in schedule}
    assert {"kim", "eve"} <= people
    assert "gus" not in people
    assert busy_days
    assert not [touch for touch in schedule if is_in_busy_time(touch, busy_days)]
    shifts = {touch["shift"] or "" for touch in schedule}
    for part in ("covered by Eve: Kim is away", "shared with Eve: no room"):
        assert any(part in shift for shift in shifts), (part, sorted(shifts))


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
            assert not await has_left(stack, "gus")
            leave(stack, "gus")
            await until(lambda: has_left(stack, "gus"), 120, "the book of gus is shared out")
            await stack.advance(timedelta())  # all is levelled again
            busy_days = await find_busy_days(stack)
            await make_busy(stack, host, busy_days)
            now = await stack.advance(DAY, step=DAY)
            had = {item["id"] for item in await list_touchpoints(stack, csm_id="eve", status="planned")}

            simulated, again = await simulate(stack), await simulate(stack)
            await stack.advance(DAYS * DAY, step=DAY)

            schedule = {touch["id"]: touch for touch in simulated["schedule"]}
            came = await came_due(stack, now)
            assert simulated == again
            check_causes(simulated, busy_days)
            assert what_is_due(came) == what_is_due(schedule)
            shared = {key for key, touch in schedule.items() if is_shared(touch) and key not in had}
            assert shared, "a colleague takes something over within the simulated days"
            assert {key: (came[key]["csm_id"], came[key]["note"]) for key in shared} == {
                key: ("eve", schedule[key]["shift"]) for key in shared
            }
