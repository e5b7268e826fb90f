"""Weeks without a person, and people who leave: their work goes on before a deadline is hurt, and phases stay."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.scheduler.conftest import MONDAY, Scheduler, one_off, rhythm
from tests.integration.scheduler.test_owners import account, person

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
DAY = timedelta(days=1)
AWAY = (MONDAY + 7 * DAY, MONDAY + 34 * DAY)
"""Four weeks."""
KICKOFF = "00000000-0000-4000-8000-000000000001"
DEADLINE = MONDAY + 17 * DAY


async def plan_book(scheduler: Scheduler) -> None:
    await scheduler.consume(person(scheduler, "ada", pool="smb"), person(scheduler, "bob", pool="smb"))
    await scheduler.consume(account(scheduler, "acme", csm_id="ada", pool="smb"))
    kickoff = one_off(KICKOFF, MONDAY + 10 * DAY, MONDAY + 16 * DAY, deadline=DEADLINE)
    await scheduler.consume(scheduler.plan(1, [rhythm(14, last_touch_at=MONDAY - 7 * DAY)], [kickoff]))
    await scheduler.level()


async def go_away(scheduler: Scheduler, version: int = 2) -> None:
    off = {"from": AWAY[0].date().isoformat(), "to": (AWAY[1] - DAY).date().isoformat()}
    await scheduler.consume(person(scheduler, "ada", version, pool="smb", time_off=[off]))
    await scheduler.level()


async def planned(scheduler: Scheduler, **filters: object) -> list[dict[str, Any]]:
    return await scheduler.list_touchpoints(status="planned", **filters)


async def targets(scheduler: Scheduler) -> dict[int, datetime]:
    rows = await scheduler.database.pool.fetch(
        "SELECT number, start_at FROM touchpoint WHERE type = 'check_in' AND status = 'planned'"
    )
    return {row[0]: row[1] for row in rows}


async def test_a_deadline_within_an_absence_is_kept_by_a_colleague(scheduler: Scheduler) -> None:
    await plan_book(scheduler)

    await go_away(scheduler)

    (kickoff,) = await planned(scheduler, type="kickoff")
    assert datetime.fromisoformat(kickoff["due_at"]) <= DEADLINE
    assert kickoff["csm_id"] == "bob"
    assert await planned(scheduler, type="escalation") == []


async def test_a_deadline_that_nobody_can_keep_is_escalated_once(scheduler: Scheduler) -> None:
    await plan_book(scheduler)
    off = {"from": (MONDAY + 2 * DAY).date().isoformat(), "to": (MONDAY + 40 * DAY).date().isoformat()}
    await scheduler.consume(person(scheduler, "bob", 2, pool="smb", time_off=[off]))

    await go_away(scheduler)

    (escalation,) = [
        item for item in await planned(scheduler, type="escalation") if "kickoff" in item["reason"]["text"]
    ]
    assert escalation["reason"]["rule"] == "calendar_no_day"


async def test_the_rhythm_keeps_its_phase_and_nobody_is_to_work_while_away(scheduler: Scheduler) -> None:
    await plan_book(scheduler)
    before = await targets(scheduler)

    await go_away(scheduler)

    assert await targets(scheduler) == before
    for item in await planned(scheduler, csm_id="ada"):
        assert not AWAY[0] <= datetime.fromisoformat(item["due_at"]) < AWAY[1]
    assert await planned(scheduler, type="check_in", csm_id="bob")
    states = "SELECT id, due_at, csm_id, sequence FROM touchpoint ORDER BY id"
    rest = await scheduler.database.pool.fetch(states)
    await scheduler.database.pool.execute("UPDATE account_calendar SET extend_at = '-infinity', shape = NULL")
    await scheduler.database.pool.execute(
        "INSERT INTO csm_mark (csm_id, cause) VALUES ('ada', 'x'), ('bob', 'x')"
    )
    await scheduler.level()
    assert await scheduler.database.pool.fetch(states) == rest


async def test_whoever_is_back_earlier_leads_again(scheduler: Scheduler) -> None:
    await plan_book(scheduler)
    before = await targets(scheduler)
    await go_away(scheduler)

    await scheduler.consume(person(scheduler, "ada", 3, pool="smb"))
    await scheduler.level()

    assert await planned(scheduler, csm_id="bob") == []
    assert await targets(scheduler) == before


async def test_a_leavers_deadlines_and_phases_are_kept(scheduler: Scheduler) -> None:
    await plan_book(scheduler)
    before = await targets(scheduler)

    await scheduler.consume(scheduler.tombstone("directory.csms", "ada"))
    await scheduler.share_out()
    await scheduler.level()

    assert await targets(scheduler) == before
    assert {item["csm_id"] for item in await planned(scheduler)} == {"bob"}
    (kickoff,) = await planned(scheduler, type="kickoff")
    assert datetime.fromisoformat(kickoff["due_at"]) <= DEADLINE
