"""What is due is released once, never early, and by the misfire rules after an outage."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
import pytest

from schemas.times import parse_instant
from schemas.touchpoints import TouchpointData
from services.scheduler.application.release_due import release_due
from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm, tips

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
STEP = str(uuid5(NAMESPACE_URL, "step"))


async def test_nothing_comes_due_early_and_everything_comes_due_once(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    await scheduler.sent()
    at(MONDAY - timedelta(microseconds=1))
    await scheduler.release()
    assert await scheduler.sent() == []

    at(MONDAY)
    await scheduler.release()
    await scheduler.release()

    (sent,) = await scheduler.sent()
    data = TouchpointData.model_validate_json(orjson.dumps(sent["data"]))
    assert sent["ce_id"] == f"{data.touchpoint_id}:2:due"
    assert (data.status, data.released_at, data.sequence) == ("due", MONDAY, 2)
    assert data.reason.rule == "red"
    (item,) = await scheduler.list_touchpoints(status="due")
    assert item["reason"]["text"] == "because"


async def test_events_name_the_account_and_the_owner_and_link_to_the_console(scheduler: Scheduler) -> None:
    """U6: a tool that receives the webhook shows people what it is about and where to look."""
    account = {"account_id": "acme", "name": "Acme Ltd", "csm_id": "ada", "version": 1}
    csm = {"csm_id": "ada", "name": "Ada King", "email": "ada@drumbeat.example", "version": 1}
    for record in (
        scheduler.event("directory.accounts", "drumbeat.account.directory.v1", "acme", account),
        scheduler.event("directory.csms", "drumbeat.csm.directory.v1", "ada", csm),
        scheduler.plan(1, [rhythm(7, csm_id="ada")]),
    ):
        await scheduler.consume(record)
    await scheduler.release()

    sent = await scheduler.sent()
    assert {each["ce_type"] for each in sent} >= {
        "drumbeat.touchpoint.scheduled.v1",
        "drumbeat.touchpoint.due.v1",
    }
    for each in sent:
        data = TouchpointData.model_validate_json(orjson.dumps(each["data"]))
        assert data.account_name == "Acme Ltd"
        assert (data.owner.name, data.owner.email) == ("Ada King", "ada@drumbeat.example")
        assert data.url == "https://drumbeat.example/?account=acme"


async def test_a_pass_returns_how_long_the_loop_may_rest(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7, last_touch_at=MONDAY - 6 * DAY)]))

    assert await scheduler.release() == DAY.total_seconds()


async def test_replicas_share_what_is_due(scheduler: Scheduler) -> None:
    plans = [scheduler.plan(1, [rhythm(7)], account=f"a{n}") for n in range(700)]
    await scheduler.consume(*plans)
    await scheduler.sent()

    await asyncio.gather(*(scheduler.release() for _ in range(4)))
    await scheduler.release()

    sent = await scheduler.sent()
    assert len(sent) == 700
    assert len({each["ce_id"] for each in sent}) == 700


async def test_after_an_outage_people_get_all_and_customers_only_the_newest(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7), tips(7)]))
    await scheduler.sent()

    at(MONDAY + 22 * DAY)
    await scheduler.release()

    sent = await scheduler.sent_at_once()
    event_kinds = [(each["data"]["touchpoint_type"], each["ce_type"].split(".")[-2]) for each in sent]
    assert sorted(event_kinds) == [
        *[("check_in", "due")] * 4,
        *[("tips", "cancelled")] * 3,
        ("tips", "due"),
    ]
    expired = [each["data"] for each in sent if each["ce_type"].endswith("cancelled.v1")]
    assert all(each["reason"]["text"].startswith("expired: superseded") for each in expired)


async def test_a_one_off_past_its_time_expires_after_an_outage(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [], [one_off(STEP, MONDAY + DAY, MONDAY + 3 * DAY)]))

    at(MONDAY + 9 * DAY)
    await scheduler.release()

    (item,) = await scheduler.list_touchpoints()
    assert item["status"] == "cancelled"
    assert item["note"].startswith("expired")


async def test_what_a_person_owes_becomes_overdue_at_its_deadline(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    await scheduler.release()
    await scheduler.sent()
    at(MONDAY + 7 * DAY - timedelta(seconds=1))
    await scheduler.mark_overdue()
    assert await scheduler.sent() == []

    at(MONDAY + 7 * DAY)
    await scheduler.mark_overdue()
    await scheduler.mark_overdue()

    (sent,) = await scheduler.sent_at_once()
    assert sent["ce_type"] == "drumbeat.touchpoint.overdue.v1"
    assert (sent["data"]["status"], sent["data"]["sequence"]) == ("overdue", 3)


async def test_a_plan_never_changes_what_has_come_due(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    await scheduler.release()
    (due,) = await scheduler.list_touchpoints(status="due")

    await scheduler.consume(scheduler.plan(2, []))

    assert await scheduler.list_touchpoints(status="due") == [due]


async def test_what_has_come_due_keeps_the_reason_it_came_due_for(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    await scheduler.release()
    fresh: dict[str, object] = {"rule": "green", "policy": "p2", "facts": [], "text": "all is well"}

    await scheduler.consume(scheduler.plan(2, [rhythm(7, reason=fresh)]))
    await scheduler.consume(scheduler.plan(3, [rhythm(28, reason=fresh)]))

    (item,) = await scheduler.list_touchpoints(status="due")
    assert item["reason"]["rule"] == "red"
    assert {each["reason"]["rule"] for each in await scheduler.list_touchpoints(status="planned")} == {
        "green"
    }


async def test_the_queues_hold_exactly_what_is_planned_or_owed(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7), tips(7)]))
    at(MONDAY + 8 * DAY)
    await scheduler.release()
    await scheduler.mark_overdue()
    await scheduler.consume(scheduler.plan(2, [rhythm(14)]))
    items = await scheduler.list_touchpoints(status="due")
    await scheduler.consume(
        *(
            scheduler.outcome(
                {"touchpoint_id": each["id"], "touchpoint_type": each["type"], "outcome": "attended"}
            )
            for each in items
        )
    )

    agenda = await scheduler.database.pool.fetch("SELECT id::text, at FROM agenda")
    planned = await scheduler.database.pool.fetch(
        "SELECT id::text, due_at FROM touchpoint WHERE status = 'planned'"
    )
    lapsing = await scheduler.database.pool.fetch("SELECT id::text FROM lapsing")
    owed = await scheduler.database.pool.fetch(
        "SELECT id::text FROM touchpoint WHERE status IN ('planned', 'due') AND owner = 'csm'"
    )

    assert sorted(map(tuple, agenda)) == sorted(map(tuple, planned))
    assert sorted(map(tuple, lapsing)) == sorted(map(tuple, owed))
    narrow = "SELECT id::text, due_at, type FROM"
    came_due = await scheduler.database.pool.fetch(f"{narrow} due_touchpoint ORDER BY id")
    closed = await scheduler.database.pool.fetch(f"{narrow} closed_touchpoint ORDER BY id")
    assert closed == await scheduler.database.pool.fetch(
        f"{narrow} touchpoint WHERE status IN ('settled', 'cancelled') ORDER BY id"
    )
    assert came_due == await scheduler.database.pool.fetch(
        f"{narrow} touchpoint WHERE status IN ('due', 'overdue') ORDER BY id"
    )
    assert closed


async def test_a_backlog_is_released_by_several_lanes_once_each(scheduler: Scheduler) -> None:
    await scheduler.consume(*(scheduler.plan(1, [rhythm(90)], account=f"b{n}") for n in range(1300)))
    await scheduler.sent()

    await scheduler.release()

    sent = await scheduler.sent()
    assert len({each["ce_id"] for each in sent}) == len(sent) == 1300


async def test_a_touchpoint_locked_elsewhere_is_left_for_the_next_pass(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]), scheduler.plan(1, [rhythm(7)], account="other"))
    await scheduler.sent()

    async with scheduler.database.transaction() as connection:
        await connection.execute("SELECT 1 FROM touchpoint WHERE account_id = 'acme' FOR UPDATE")
        await scheduler.release()
        (during,) = await scheduler.sent()
    await scheduler.release()

    (after,) = await scheduler.sent()
    assert (during["ce_subject"], after["ce_subject"]) == ("other", "acme")


async def test_a_release_changes_no_index_of_the_calendar(scheduler: Scheduler) -> None:
    """A1: every row is rewritten on its page (HOT), also with groups, types and lists by state."""
    await scheduler.consume(*(scheduler.plan(1, [rhythm(90)], account=f"h{n}") for n in range(300)))
    counts = "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'touchpoint'"
    async with scheduler.database.transaction() as connection:
        (before,) = await connection.fetch(counts)
        await release_due(scheduler.queue(connection), MONDAY, timedelta(hours=1))
        (after,) = await connection.fetch(counts)

    updated, hot = after[0] - before[0], after[1] - before[1]
    assert updated == 300
    assert hot >= 290


async def test_an_outage_does_to_each_type_what_its_policy_says(scheduler: Scheduler) -> None:
    """Nine days without a scheduler: each of what was missed is due or has its reason, and nothing is there twice."""
    catalogue = [
        {"touchpoint_type": name, "owner": owner, "channel": "email", "purpose": "news", **policy}
        for name, owner, policy in (
            ("tips", "marketing", {"misfire": "fire_all"}),
            ("check_in", "csm", {"misfire": "skip", "grace_minutes": 3 * 24 * 60}),
            ("newsletter", "marketing", {}),
            ("usage_report", "automation", {"misfire": "skip", "grace_minutes": 60}),
        )
    ]
    record = {"policy": "p1", "version": 1, "touchpoint_types": catalogue}
    await scheduler.consume(
        scheduler.event("directory.policy", "drumbeat.policy.directory.v1", "policy", record)
    )
    names = ("tips", "check_in", "newsletter", "usage_report")
    owners = ("marketing", "csm", "marketing", "automation")
    rhythms = [
        rhythm(
            2, touchpoint_type=name, owner=owner, csm_id="ada" if owner == "csm" else None, channel="email"
        )
        for name, owner in zip(names, owners, strict=True)
    ]
    await scheduler.consume(scheduler.plan(1, rhythms))
    planned = await scheduler.list_touchpoints(status="planned")
    await scheduler.sent()
    now = at(MONDAY + 9 * DAY)
    while await scheduler.release() == 0:
        continue
    missed = {name: [each for each in planned if each["type"] == name] for name in names}
    late = {
        name: [each["id"] for each in sorted(found, key=lambda each: each["due_at"]) if parse(each) <= now]
        for name, found in missed.items()
    }
    assert all(len(found) >= 3 for found in late.values())

    due = {each["id"] for each in await scheduler.list_touchpoints(status="due")}
    gone = {each["id"]: each for each in await scheduler.list_touchpoints(status="cancelled")}

    assert set(late["tips"]) <= due
    assert [each in due for each in late["newsletter"]] == [False] * (len(late["newsletter"]) - 1) + [True]
    assert due.isdisjoint(late["usage_report"])
    recent = [each["id"] for each in planned if each["type"] == "check_in" and parse(each) >= now - 3 * DAY]
    assert set(late["check_in"]) & due == set(recent) & set(late["check_in"])
    assert set(late["check_in"]) & due
    assert all(
        gone[each]["note"].startswith("expired: s")
        for ids in late.values()
        for each in ids
        if each not in due
    )
    events = [each for each in await scheduler.sent() if each["topic"] == "touchpoint.events"]
    kinds = [(each["data"]["touchpoint_id"], each["data"]["status"]) for each in events]
    assert len(kinds) == len(set(kinds))
    assert {each for each, status in kinds if status == "cancelled"} == set(gone)


def parse(item: dict[str, Any]) -> datetime:
    return parse_instant(item["due_at"])
