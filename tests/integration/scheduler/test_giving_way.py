"""What does not fit gives way before its week comes, what yields first first, and comes back when there is room."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
DAY = timedelta(days=1)
NEXT_MONDAY = MONDAY + 7 * DAY
FAR_MONDAY = MONDAY + 35 * DAY
MARK = "INSERT INTO csm_mark (csm_id, cause) VALUES ('ada', 'test')"
STATES = "SELECT id::text, status, sequence, due_at, verdict FROM touchpoint ORDER BY id"


def name_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def kickoff(number: int, monday: datetime = NEXT_MONDAY, **changed: object) -> dict[str, object]:
    """It can lie in the week of that Monday, and in no other."""
    return one_off(name_of(number), monday, monday + 3 * DAY, **{"minutes": 60, **changed})


async def plan(scheduler: Scheduler, item: dict[str, object], number: int, version: int = 1) -> None:
    await scheduler.consume(scheduler.plan(version, touchpoints=[item], account=f"acc-{number}"))


async def fill_week(scheduler: Scheduler, monday: datetime = NEXT_MONDAY) -> None:
    """Seven hours of kickoffs in a week that holds five: 5 and 6 go first, as those before them stand longer."""
    await scheduler.describe("ada", weekly_minutes=300)
    for number in range(7):
        await plan(scheduler, kickoff(number, monday, priority=1 if number < 5 else 0), number)
    await scheduler.level()


async def find_cancelled(scheduler: Scheduler) -> list[dict[str, Any]]:
    items = await scheduler.list_touchpoints(status="cancelled")
    return sorted(items, key=lambda item: item["id"])


async def find_conflicts(scheduler: Scheduler) -> list[dict[str, Any]]:
    answer = await scheduler.http.get("/v1/capacity")
    assert answer.status_code == 200, answer.text
    return answer.json()["conflicts"]


async def find_escalations(scheduler: Scheduler, **filters: object) -> list[dict[str, Any]]:
    return await scheduler.list_touchpoints(type="escalation", **filters)


async def test_what_yields_first_gives_way_before_its_week_and_says_why(scheduler: Scheduler) -> None:
    """S148: something is given up on purpose, by priority, and not by chance on the day."""
    await fill_week(scheduler)

    cancelled = await find_cancelled(scheduler)
    assert [item["id"] for item in cancelled] == [name_of(5), name_of(6)]
    reason = "no room in 2026-W11: 300 minutes, 300 of them needed by what goes before it, 60 by itself"
    assert {item["note"] for item in cancelled} == {f"withdrawn: gave way: {reason}"}
    (conflict,) = await find_conflicts(scheduler)
    assert (conflict["missing_minutes"], conflict["relief_touches"]) == (120, 2)
    assert [(each["touchpoint_id"], each["action"]) for each in conflict["relief"]] == [
        (name_of(5), "gave_way"),
        (name_of(6), "gave_way"),
    ]
    assert {each["reason"] for each in conflict["relief"]} == {reason}


async def test_readers_learn_of_it_as_of_any_other_cancellation(scheduler: Scheduler) -> None:
    await scheduler.describe("ada", weekly_minutes=600)
    for number in range(7):
        await plan(scheduler, kickoff(number), number)
    await scheduler.level()
    await scheduler.sent()

    await scheduler.describe("ada", version=2, weekly_minutes=360)
    await scheduler.level()

    events = [event for event in await scheduler.sent() if event["topic"] == "touchpoint.events"]
    (cancelled,) = [event["data"] for event in events if event["ce_type"].endswith(".cancelled.v1")]
    assert cancelled["note"].startswith("withdrawn: gave way: no room in 2026-W11: ")
    assert cancelled["changed_by"] == "plan"


async def test_neither_a_further_pass_nor_the_same_plan_changes_anything(scheduler: Scheduler) -> None:
    """Plan and leveller do not undo each other."""
    await fill_week(scheduler)
    before = await scheduler.database.pool.fetch(STATES)

    await scheduler.database.pool.execute(MARK)
    await scheduler.level()
    for number in range(7):
        await plan(scheduler, kickoff(number, priority=1 if number < 5 else 0, purpose="new"), number, 2)
    await scheduler.database.pool.execute("UPDATE account_calendar SET extend_at = '-infinity'")
    await scheduler.level()

    assert await scheduler.database.pool.fetch(STATES) == before


async def test_what_gave_way_comes_back_under_its_id_when_there_is_room(scheduler: Scheduler) -> None:
    await fill_week(scheduler)
    await scheduler.sent()

    await scheduler.describe("ada", version=2, weekly_minutes=360)
    await scheduler.level()

    (cancelled,) = await find_cancelled(scheduler)
    assert cancelled["id"] == name_of(6)
    (back,) = [
        item for item in await scheduler.list_touchpoints(status="planned") if item["id"] == name_of(5)
    ]
    assert back["sequence"] == 3
    assert back["note"] == "levelled: there is room for it again in the week 2026-W11"
    assert "scheduled" in await scheduler.event_kinds()
    before = await scheduler.database.pool.fetch(STATES)
    await scheduler.database.pool.execute(MARK)
    await scheduler.database.pool.execute("UPDATE account_calendar SET extend_at = '-infinity'")
    await scheduler.level()
    assert await scheduler.database.pool.fetch(STATES) == before


async def test_what_the_plan_drops_meanwhile_does_not_come_back(scheduler: Scheduler) -> None:
    await fill_week(scheduler)
    await scheduler.consume(scheduler.plan(2, account="acc-6"))

    await scheduler.describe("ada", version=2, weekly_minutes=2400)
    await scheduler.level()

    (cancelled,) = await find_cancelled(scheduler)
    assert cancelled["id"] == name_of(6)
    assert cancelled["note"] == "withdrawn: version 2 of the plan no longer contains it"


async def test_another_window_is_planned_and_judged_anew(scheduler: Scheduler) -> None:
    await fill_week(scheduler)

    await plan(scheduler, kickoff(6, NEXT_MONDAY + 7 * DAY, priority=0), 6, 2)
    await scheduler.level()

    assert [item["id"] for item in await find_cancelled(scheduler)] == [name_of(5)]


async def test_weeks_that_are_far_are_only_proposed_until_they_are_near(scheduler: Scheduler) -> None:
    """Hours and plans may change until then; nothing else has to happen for it to be carried out."""
    await fill_week(scheduler, FAR_MONDAY)
    assert await find_cancelled(scheduler) == []
    (conflict,) = await find_conflicts(scheduler)
    assert {each["action"] for each in conflict["relief"]} == {"proposed"}

    at(FAR_MONDAY - 15 * DAY)
    await scheduler.level()
    assert await find_cancelled(scheduler) == []

    at(FAR_MONDAY - 14 * DAY)
    await scheduler.level_next()
    await scheduler.level()
    assert [item["id"] for item in await find_cancelled(scheduler)] == [name_of(5), name_of(6)]


async def test_what_is_never_given_up_is_escalated_while_there_is_no_room(scheduler: Scheduler) -> None:
    """Protected last: it stays, and a person decides."""
    await scheduler.describe("ada", weekly_minutes=300)
    for number in range(6):
        protected = kickoff(number, never_skip=True) if number % 2 else kickoff(number, priority=3)
        await plan(scheduler, protected, number)
    await scheduler.level()

    assert await find_cancelled(scheduler) == []
    (escalation,) = await find_escalations(scheduler)
    assert escalation["reason"]["text"].startswith(
        "No room is left for 1 of type kickoff: the weeks of ada are full, and what is protected is not given up. "
        "The kickoff has no room in 2026-W11: 300 minutes, "
    )
    (conflict,) = await find_conflicts(scheduler)
    assert [each["action"] for each in conflict["relief"]] == ["escalated"]
    before = await scheduler.database.pool.fetch(STATES)
    await scheduler.database.pool.execute(MARK)
    await scheduler.level()
    assert await scheduler.database.pool.fetch(STATES) == before

    await scheduler.describe("ada", version=2, weekly_minutes=600)
    await scheduler.level()

    (escalation,) = await find_escalations(scheduler)
    assert (escalation["status"], escalation["note"]) == ("cancelled", "withdrawn: its cause is gone")


async def test_what_a_person_dated_stays_and_others_give_way_to_it(scheduler: Scheduler) -> None:
    await scheduler.describe("ada", weekly_minutes=600)
    for number in range(6):
        await plan(scheduler, kickoff(number), number)
    body = {"to": (NEXT_MONDAY + DAY).isoformat(), "version": 1}
    answer = await scheduler.http.post(f"/v1/touchpoints/{name_of(5)}/reschedule", json=body)
    assert answer.status_code == 200, answer.text

    await scheduler.describe("ada", version=2, weekly_minutes=240)
    await scheduler.level()

    assert [item["id"] for item in await find_cancelled(scheduler)] == [name_of(3), name_of(4)]


async def test_a_rhythm_keeps_its_numbers_around_what_gave_way(scheduler: Scheduler) -> None:
    await scheduler.describe("ada", weekly_minutes=60)
    talk = rhythm(7, minutes=60, last_touch_at=MONDAY - DAY)
    await scheduler.consume(scheduler.plan(1, [talk]))
    await scheduler.level()
    before = {item["occurrence"]: item["id"] for item in await scheduler.list_touchpoints(status="planned")}

    await plan(scheduler, kickoff(1), 1)
    await scheduler.level()
    (cancelled,) = await find_cancelled(scheduler)
    await scheduler.consume(scheduler.plan(2, [{**talk, "minutes": 59}]))
    await scheduler.consume(scheduler.plan(2, account="acc-1"))
    await scheduler.level()

    after = {item["occurrence"]: item["id"] for item in await scheduler.list_touchpoints(status="planned")}
    assert cancelled["type"] == "check_in"
    assert before == after


async def test_a_rhythm_that_stops_takes_along_what_gave_way(scheduler: Scheduler) -> None:
    await scheduler.describe("ada", weekly_minutes=60)
    await scheduler.consume(scheduler.plan(1, [rhythm(7, minutes=60, last_touch_at=MONDAY - DAY)]))
    await plan(scheduler, kickoff(1), 1)
    await scheduler.level()
    assert len(await find_cancelled(scheduler)) == 1

    await scheduler.consume(scheduler.plan(2))
    await scheduler.consume(scheduler.plan(2, account="acc-1"))
    await scheduler.level()

    assert await scheduler.list_touchpoints(status="planned") == []


async def test_a_colleague_of_the_pool_with_room_leads_what_is_bound_to_nobody_before_anything_gives_way(
    scheduler: Scheduler,
) -> None:
    """12.5, 12.6: the policy says what may be shared; who has no room for it, or no pool, is not asked."""
    for number in range(7):
        data = {"account_id": f"acc-{number}", "version": 1, "pool": "smb", "csm_id": "ada"}
        kind = "drumbeat.account.directory.v1"
        await scheduler.consume(scheduler.event("directory.accounts", kind, f"acc-{number}", data))
    await scheduler.describe("ada", weekly_minutes=240, pool="smb")
    await scheduler.describe("bob", weekly_minutes=60, pool="smb")
    for number in range(7):
        owner = "csm" if number == 6 else "pooled_csm"
        await plan(scheduler, kickoff(number, priority=1 if number < 4 else 0, owner=owner), number)
    await scheduler.level()

    (shared,) = await scheduler.list_touchpoints(csm_id="bob")
    reason = "no room in 2026-W11: 240 minutes, 240 of them needed by what goes before it, 60 by itself"
    assert (shared["id"], shared["note"]) == (name_of(4), f"shared with bob: {reason}")
    assert [item["id"] for item in await find_cancelled(scheduler)] == [name_of(5), name_of(6)]
    assert scheduler.counted["level_shared"] == scheduler.counted["level_covered"] == 1
    (conflict,) = await find_conflicts(scheduler)
    assert (conflict["missing_minutes"], conflict["relief_touches"]) == (120, 2)

    before = await scheduler.database.pool.fetch(STATES)
    await scheduler.database.pool.execute("UPDATE account_calendar SET extend_at = '-infinity', shape = NULL")
    await scheduler.extend()
    await scheduler.database.pool.execute(MARK)
    await scheduler.level()
    assert await scheduler.database.pool.fetch(STATES) == before
