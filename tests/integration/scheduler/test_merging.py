"""Point 6: the calendar of an account that ended moves to the one that stays, once, and ids of touchpoints stay."""

from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm, tips

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
STEP = str(uuid5(NAMESPACE_URL, "step"))


async def ids_of(scheduler: Scheduler, account: str, *statuses: str) -> set[str]:
    items = await scheduler.list_touchpoints(account_id=account, status=list(statuses))
    return {each["id"] for each in items}


async def due_touchpoints(scheduler: Scheduler) -> set[str]:
    """An old account with a rhythm and a one-off that have come due; returns their ids."""
    await scheduler.consume(
        scheduler.plan(1, [rhythm(7)], [one_off(STEP, MONDAY, MONDAY + 9 * DAY)], account="old")
    )
    at(MONDAY + 8 * DAY)
    await scheduler.release()
    due = await ids_of(scheduler, "old", "due", "overdue")
    assert STEP in due
    assert len(due) > 1
    return due


async def test_everything_of_an_account_that_was_renamed_keeps_its_ids(scheduler: Scheduler) -> None:
    due = await due_touchpoints(scheduler)
    planned = await ids_of(scheduler, "old", "planned")
    await scheduler.sent()

    item = one_off(STEP, MONDAY, MONDAY + 9 * DAY)
    merge = scheduler.plan(5, [rhythm(7)], [item], account="new", merged_from=["old"])
    await scheduler.consume(merge, merge)

    assert await ids_of(scheduler, "new", "due", "overdue") == due
    assert await ids_of(scheduler, "new", "planned") >= planned
    assert await scheduler.list_touchpoints(account_id="old") == []
    assert "cancelled" not in await scheduler.event_kinds()
    changed = await scheduler.list_touchpoints(updated_since=(MONDAY + 8 * DAY).isoformat())
    assert {each["account_id"] for each in changed} == {"new"}


async def test_a_rhythm_of_both_accounts_goes_on_once(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7), tips(14)], account="new"))
    due = await due_touchpoints(scheduler)
    kept = {
        each["id"]
        for each in await scheduler.list_touchpoints(account_id="new", status="planned")
        if each["type"] == "check_in"
    }
    doubles = await ids_of(scheduler, "old", "planned")
    announced = {each["data"]["touchpoint_id"] for each in await scheduler.sent()}

    await scheduler.consume(scheduler.plan(5, [rhythm(7), tips(14)], account="new", merged_from=["old"]))

    assert await ids_of(scheduler, "new", "due", "overdue") >= due
    check_ins: list[dict[str, Any]] = await scheduler.list_touchpoints(account_id="new", type="check_in")
    planned = sorted(each["due_at"] for each in check_ins if each["status"] == "planned")
    assert len(planned) == len(set(planned))
    assert {each["id"] for each in check_ins if each["status"] == "planned"} >= kept
    assert await ids_of(scheduler, "new", "cancelled") >= doubles
    kinds = await scheduler.event_kinds()
    assert (kinds.count("cancelled"), kinds.count("moved")) == (len(doubles & announced), 0)


async def test_what_arrives_late_about_the_ended_account_is_the_others(scheduler: Scheduler) -> None:
    due = await due_touchpoints(scheduler)
    await scheduler.consume(scheduler.plan(5, [rhythm(7)], account="new", merged_from=["old"]))

    await scheduler.consume(scheduler.plan(3, [rhythm(3)], account="old"))
    record = {"account_id": "old", "name": "Old", "version": 9}
    await scheduler.consume(
        scheduler.event("directory.accounts", "drumbeat.account.directory.v1", "old", record)
    )
    settled = {"touchpoint_type": "kickoff", "outcome": "completed"}
    await scheduler.consume(scheduler.outcome(settled, account="old"))

    assert await scheduler.list_touchpoints(account_id="old") == []
    assert await ids_of(scheduler, "new", "settled") == {STEP}
    assert await ids_of(scheduler, "new", "due", "overdue") == due - {STEP}
    accounts = await scheduler.database.pool.fetch("SELECT account_id FROM account_calendar")
    assert [row[0] for row in accounts] == ["new"]


async def test_a_chain_of_merges_ends_in_the_last_account(scheduler: Scheduler) -> None:
    due = await due_touchpoints(scheduler)
    await scheduler.consume(scheduler.plan(5, [rhythm(7)], account="new", merged_from=["old"]))
    await scheduler.consume(scheduler.plan(6, [rhythm(7)], account="last", merged_from=["new", "old"]))

    assert await ids_of(scheduler, "last", "due", "overdue") == due
    stays = await scheduler.database.pool.fetch("SELECT DISTINCT stays FROM account_alias")
    assert [row[0] for row in stays] == ["last"]
    await scheduler.consume(scheduler.tombstone("touchpoint.commands", "last"))
    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM account_alias") == 0
