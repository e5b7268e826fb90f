"""What was closed long ago leaves the calendar and is dropped by months; nothing that is answered changes before (A3)."""

from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from services.chassis.database import real_now
from services.chassis.partitions import drop_partitions
from services.scheduler.adapters.archive import ARCHIVE
from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
STEP = str(uuid5(NAMESPACE_URL, "step"))
LATER = str(uuid5(NAMESPACE_URL, "later"))


def settled(name: str, outcome: str = "completed") -> dict[str, object]:
    return {"touchpoint_id": name, "touchpoint_type": "kickoff", "outcome": outcome}


async def in_calendar(scheduler: Scheduler) -> set[str]:
    return {row[0] for row in await scheduler.database.pool.fetch("SELECT id::text FROM touchpoint")}


async def settle_two(scheduler: Scheduler) -> list[dict[str, Any]]:
    """Two that were settled ninety-one days ago, as they were listed then."""
    steps = [one_off(name, MONDAY, MONDAY + 2 * DAY) for name in (STEP, LATER)]
    await scheduler.consume(scheduler.plan(1, [], steps))
    at(MONDAY + timedelta(hours=10))
    await scheduler.release()
    await scheduler.consume(scheduler.outcome(settled(STEP)), scheduler.outcome(settled(LATER)))
    at(MONDAY + 91 * DAY)
    return await scheduler.list_touchpoints()


async def test_what_was_closed_long_ago_leaves_the_calendar_and_is_listed_as_before(
    scheduler: Scheduler,
) -> None:
    listed = await settle_two(scheduler)

    await scheduler.leave_feed()

    assert await in_calendar(scheduler) == set()
    for filters in (
        {},
        {"account_id": "acme"},
        {"csm_id": "ada"},
        {"type": "kickoff"},
        {"status": "settled"},
    ):
        assert await scheduler.list_touchpoints(**filters) == listed
    assert (await scheduler.http.get(f"/v1/touchpoints/{STEP}")).json() == listed[
        0 if listed[0]["id"] == STEP else 1
    ]
    week = {"from": "2026-03-01", "to": "2026-03-08", "csm_id": "ada"}
    weeks = (await scheduler.http.get("/v1/capacity", params=week)).json()["weeks"]
    assert sum(each["touches"] for each in weeks) == 2
    for table in ("due_touchpoint", "closed_touchpoint", "change", "agenda", "lapsing"):
        assert await scheduler.database.pool.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_what_is_open_or_may_be_planned_again_stays(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)], [one_off(STEP, MONDAY, MONDAY + 400 * DAY)]))
    await scheduler.release()
    await scheduler.http.post(f"/v1/touchpoints/{STEP}/cancel", json={"reason": "not needed", "version": 2})
    everything = await in_calendar(scheduler)
    at(MONDAY + 91 * DAY)

    await scheduler.leave_feed()

    assert await in_calendar(scheduler) == everything
    fed = await scheduler.list_touchpoints(updated_since="2026-01-01")
    assert [each["id"] for each in fed] == [STEP]
    at(MONDAY + 401 * DAY)
    await scheduler.leave_feed()
    assert everything - await in_calendar(scheduler) == {STEP}


async def test_an_archived_touchpoint_comes_back_for_a_late_outcome_and_for_a_plan_that_names_it(
    scheduler: Scheduler,
) -> None:
    """A3: it is not planned a second time, and the later outcome counts."""
    await settle_two(scheduler)
    await scheduler.leave_feed()

    await scheduler.consume(scheduler.outcome(settled(STEP, "missed")))
    await scheduler.consume(scheduler.plan(2, [], [one_off(LATER, MONDAY + 99 * DAY, MONDAY + 120 * DAY)]))

    items = {each["id"]: each for each in await scheduler.list_touchpoints()}
    assert (items[STEP]["outcome"]["outcome"], items[STEP]["sequence"]) == ("missed", 4)
    assert (items[LATER]["status"], items[LATER]["outcome"]["outcome"]) == ("settled", "completed")
    assert len(items) == 2
    assert await in_calendar(scheduler) == {STEP, LATER}


async def test_spacing_counts_from_what_is_archived(scheduler: Scheduler) -> None:
    await settle_two(scheduler)
    await scheduler.leave_feed()
    again = str(uuid5(NAMESPACE_URL, "again"))

    soon = one_off(again, MONDAY + 91 * DAY, MONDAY + 99 * DAY, spacing_days=120)
    await scheduler.consume(scheduler.plan(2, [], [soon]))

    (refused,) = await scheduler.list_touchpoints(status="cancelled")
    assert "less than 120 days before" in refused["note"]


async def test_months_are_dropped_and_a_late_outcome_changes_nothing_for_a_stored_reason(
    scheduler: Scheduler,
) -> None:
    """A3: numbers are not used again; the outcome of a dropped one becomes a dead letter that says why."""
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    await scheduler.release()
    (first,) = await scheduler.list_touchpoints(status="due")
    await scheduler.consume(scheduler.outcome({**settled(first["id"]), "touchpoint_type": "check_in"}))
    at(MONDAY + 91 * DAY)
    await scheduler.leave_feed()
    async with scheduler.database.transaction() as connection:
        await drop_partitions(connection, ARCHIVE, await real_now(connection) + 40 * DAY)

    assert (await scheduler.http.get(f"/v1/touchpoints/{first['id']}")).status_code == 404
    await scheduler.consume(scheduler.outcome(settled(first["id"], "missed")))
    await scheduler.consume(scheduler.plan(2, [rhythm(7), rhythm(9, touchpoint_type="other")]))
    numbers = [each["occurrence"] for each in await scheduler.list_touchpoints(type="check_in")]
    assert first["occurrence"] not in numbers

    await scheduler.prune(outcome_days=0)

    (letter,) = await scheduler.database.pool.fetch("SELECT * FROM dead_letter")
    assert "closed long ago and dropped" in letter["reason"]
    assert (letter["topic"], letter["key"]) == ("touchpoint.outcomes", b"acme")
    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM early_outcome") == 0


async def test_an_erased_or_merged_account_takes_its_archive_with_it(scheduler: Scheduler) -> None:
    listed = await settle_two(scheduler)
    await scheduler.leave_feed()

    await scheduler.consume(scheduler.plan(1, account="stays", merged_from=["acme"]))
    moved = await scheduler.list_touchpoints(account_id="stays")
    assert {each["id"] for each in moved} == {each["id"] for each in listed}

    await scheduler.consume(scheduler.tombstone("touchpoint.commands", "stays"))
    assert await scheduler.list_touchpoints() == []
    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM archived_contact") == 0
