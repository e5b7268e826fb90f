"""A CSM's own calendar through all services, and what they make of weeks without a scheduler: on a clock that stands."""

import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.times import parse_instant
from tests.integration.requirements_history import MID_MARKET, SMALL, History
from tests.integration.scheduler.calendar_host import answer, calendar, calendar_host
from tests.stack import Stack, until

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(420)]

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OUTAGE = 63 * DAY
DIGITAL = ("automation", "marketing")
Item = dict[str, Any]


async def test_busy_time_is_kept_free_and_an_outage_of_nine_weeks_is_no_burst() -> None:
    with tempfile.TemporaryDirectory(prefix="drumbeat-busy-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = {"DRUMBEAT_BUSY_CALENDARS__EVERY_SECONDS": "1"}
        async with Stack(folder, rate=0, start=MONDAY, settings=settings) as stack, calendar_host() as host:
            await stack.run()
            history = History(MONDAY)
            history.add_event(
                "csm.described", "dana", -500, name="Dana", email="dana@drumbeat.example", timezone="UTC"
            )
            for account, arr in (("mid", MID_MARKET), ("small", SMALL)):
                history.add_account(account, arr)
                history.add_event("health.scored", account, -1 / 24, score=90)
            await stack.tell(*history.events)
            await stack.advance(HOUR, step=HOUR)
            await _keep_free(stack, host)
            await _survive_outage(stack)


async def _keep_free(stack: Stack, host: Any) -> None:
    """The next call gives way to a meeting, and comes back when the address is forgotten."""
    call = min(await _calls(stack), key=lambda item: item["due_at"])
    start = parse_instant(call["due_at"])
    host.says = answer("200 OK", calendar(_event(start - HOUR / 4, start + HOUR / 2)))
    address = f"{stack.processes['scheduler'].url}/v1/csms/dana/busy-calendar"
    made = await stack.client.put(address, json={"url": host.url})
    assert made.status_code == 200, made.text

    async def has_moved() -> bool:
        moved = await stack.get("scheduler", f"/v1/touchpoints/{call['id']}")
        return parse_instant(moved["due_at"]) == start + HOUR / 2 and "Dana is busy then" in moved["note"]

    await until(has_moved, 60, f"{call['id']} moved out of a meeting")
    host.says = answer("500 Internal Server Error")

    async def is_shown() -> bool:
        state = await stack.get("scheduler", "/v1/csms/dana/busy-calendar")
        return state["problem"] is not None and state["busy_times"] == 1

    await until(is_shown, 60, "the problem of the calendar is shown")
    assert (await stack.client.delete(address)).status_code == 204

    async def is_back() -> bool:
        return (await stack.get("scheduler", f"/v1/touchpoints/{call['id']}"))["due_at"] == call["due_at"]

    await until(is_back, 60, f"{call['id']} came back")


async def _survive_outage(stack: Stack) -> None:
    before = {item["id"]: item for item in await _list(stack)}
    stack.kill("scheduler")
    await stack.post("rules_engine", "/v1/clock/advance", {"by": f"{OUTAGE.days}d"})
    await stack.run("scheduler")
    now = await stack.advance(timedelta(hours=36), step=HOUR * 6)
    back_at = now - timedelta(hours=36)
    after = {item["id"]: item for item in await _list(stack)}
    missed = [after[each] for each, item in before.items() if _was_missed(item, back_at)]
    assert {item["owner"]["kind"] for item in missed} & set(DIGITAL)
    # Nothing that came due is still waiting, and whatever was not released says why.
    assert not [item for item in missed if item["status"] == "planned"]
    assert all(item["released_at"] or item["note"] for item in missed)
    assert all(parse_instant(item["released_at"]) >= back_at for item in missed if item["released_at"])
    kinds = Counter(
        (item["account_id"], item["type"])
        for item in missed
        if item["released_at"] and item["owner"]["kind"] in DIGITAL
    )
    assert kinds
    assert max(kinds.values()) == 1, kinds
    assert [item for item in missed if not item["released_at"] and "after an outage" in item["note"]]
    for account in ("mid", "small"):
        rows = (await stack.get("notifier", "/v1/deliveries", account_id=account, limit=500))["items"]
        sent = [
            row
            for row in rows
            if row["state"] == "sent" and row["channel"] == "email" and row["recipient"]["kind"] == "contact"
            and parse_instant(row["finished_at"]) >= back_at
        ]  # fmt: skip
        assert all(8 <= parse_instant(row["finished_at"]).hour < 20 for row in sent), sent
        types = {item["id"]: item["type"] for item in after.values()}
        copies = Counter(
            (row["recipient"]["id"], types.get(row["touchpoint_id"])) for row in sent if row["touchpoint_id"]
        )
        assert all(count == 1 for count in copies.values()), copies


def _was_missed(item: Item, back_at: datetime) -> bool:
    return item["status"] == "planned" and parse_instant(item["due_at"]) < back_at - DAY


async def _calls(stack: Stack) -> list[Item]:
    return [
        item
        for item in await _list(stack)
        if item["csm_id"] == "dana" and item["channel"] in ("call", "meeting") and item["topic"]
        and parse_instant(item["due_at"]) > MONDAY + 3 * DAY
    ]  # fmt: skip


async def _list(stack: Stack) -> list[Item]:
    found: list[Item] = []
    for account in ("mid", "small"):
        answer_ = await stack.get("scheduler", "/v1/touchpoints", account_id=account, limit=500)
        found += answer_["items"]
    return found


def _event(start: datetime, end: datetime) -> tuple[str, ...]:
    return ("UID:meeting", f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{end:%Y%m%dT%H%M%SZ}", "SUMMARY:Secret")
