"""People are reminded once of each touchpoint and date, so many hours before it, whatever moves it (S169, S190)."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
import pytest

from services.scheduler.adapters.reminder_repository import BY_KEYS, FIND_PLANNED
from services.scheduler.application import remind_of_touchpoints
from services.scheduler.domain.reminding import LAST_ID
from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm

pytestmark = pytest.mark.integration
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STEP = str(uuid5(NAMESPACE_URL, "step"))
FRIDAY = MONDAY + 4 * DAY
"""At ten, when the kickoff of these tests takes place."""


async def publish_policy(scheduler: Scheduler, hours: Mapping[str, Sequence[int]], version: int = 1) -> None:
    types = [
        {
            "touchpoint_type": name, "owner": "csm", "channel": "meeting", "purpose": "talk", "topic": "account",
            "agenda": ["What changed"], "remind_hours": own,
        }
        for name, own in hours.items()
    ]  # fmt: skip
    record = {
        "policy": "p1", "touchpoint_types": types, "quiet_hours": {"from": "21:00", "to": "07:00"},
        "version": version,
    }  # fmt: skip
    await scheduler.consume(
        scheduler.event("directory.policy", "drumbeat.policy.directory.v1", "policy", record)
    )


async def plan_kickoff(scheduler: Scheduler, version: int = 1, on: datetime = FRIDAY) -> None:
    await scheduler.consume(scheduler.plan(version, [], [one_off(STEP, on, on + DAY)]))


async def reminders(scheduler: Scheduler) -> list[dict[str, Any]]:
    """The reminders since the last look, once every account is quiet."""
    sent = await scheduler.sent()
    return [each for each in sent if each["ce_type"] == "drumbeat.touchpoint.reminder.v1"]


async def kinds_at_once(scheduler: Scheduler) -> list[str]:
    return [each["ce_type"].split(".")[-2] for each in await scheduler.sent_at_once()]


async def begin(scheduler: Scheduler, **hours: Sequence[int]) -> None:
    """A policy with these reminders, in force since long ago, and a kickoff on Friday that readers know."""
    await publish_policy(scheduler, hours or {"kickoff": [48]})
    await scheduler.remind()
    await plan_kickoff(scheduler)
    await scheduler.sent()


async def test_48_hours_before_people_are_reminded_once(scheduler: Scheduler) -> None:
    await begin(scheduler)
    at(FRIDAY - 48 * HOUR - timedelta(seconds=1))
    await scheduler.remind()
    assert await reminders(scheduler) == []

    at(FRIDAY - 48 * HOUR)
    await scheduler.remind()
    await scheduler.remind()

    (reminder,) = await reminders(scheduler)
    data = reminder["data"]
    assert (data["touchpoint_id"], data["status"], data["sequence"]) == (STEP, "planned", 1)
    assert data["agenda"] == ["What changed"]
    assert reminder["ce_id"] == f"{STEP}:1:reminder:48"
    assert scheduler.counted["reminded"] == 1
    at(FRIDAY)
    await scheduler.remind()
    assert await reminders(scheduler) == []


async def test_only_types_with_hours_have_reminders_and_each_of_theirs_goes_at_its_own(
    scheduler: Scheduler,
) -> None:
    await publish_policy(scheduler, {"kickoff": [48, 4], "check_in": [], "business_review": [24]})
    await scheduler.remind()
    weekly = [rhythm(7), rhythm(7, touchpoint_type="business_review")]
    await scheduler.consume(scheduler.plan(1, weekly, [one_off(STEP, FRIDAY, FRIDAY + DAY)]))
    found: list[tuple[str, float]] = []
    for hour in range(8 * 24):
        now = at(MONDAY + hour * HOUR)
        await scheduler.remind()
        for each in await reminders(scheduler):
            ahead = datetime.fromisoformat(each["data"]["due_at"]) - now
            found.append((each["data"]["touchpoint_type"], ahead / HOUR))
        await scheduler.release()

    assert sorted(found) == [("business_review", 24.0), ("kickoff", 4.0), ("kickoff", 48.0)]


async def test_what_moves_later_is_reminded_of_again_before_its_new_date(scheduler: Scheduler) -> None:
    await begin(scheduler)
    at(FRIDAY - 48 * HOUR)
    await scheduler.remind()
    assert len(await reminders(scheduler)) == 1

    await plan_kickoff(scheduler, 2, FRIDAY + 7 * DAY)
    assert await reminders(scheduler) == []
    at(FRIDAY + 7 * DAY - 48 * HOUR)
    await scheduler.remind()

    (again,) = await reminders(scheduler)
    assert datetime.fromisoformat(again["data"]["due_at"]) == FRIDAY + 7 * DAY


async def test_a_date_that_comes_back_after_a_move_has_a_reminder_of_its_own(scheduler: Scheduler) -> None:
    """What the move withdrew is not sent any more, so the date is said again, and not under the same id (A13 b)."""
    await begin(scheduler)
    at(FRIDAY - 48 * HOUR)
    await scheduler.remind()
    (first,) = await reminders(scheduler)
    await plan_kickoff(scheduler, 2, FRIDAY + 7 * DAY)
    assert await reminders(scheduler) == []
    at(FRIDAY - 47 * HOUR)
    await plan_kickoff(scheduler, 3, FRIDAY)

    (again,) = await reminders(scheduler)
    assert again["data"]["due_at"] == first["data"]["due_at"]
    assert (first["ce_id"], again["ce_id"]) == (f"{STEP}:1:reminder:48", f"{STEP}:3:reminder:48")


@pytest.mark.parametrize(("hours_left", "is_reminded"), [(47, True), (24, True), (23, False)])
async def test_what_is_planned_late_is_reminded_of_at_once_unless_half_of_the_time_is_over(
    scheduler: Scheduler, hours_left: int, *, is_reminded: bool
) -> None:
    await publish_policy(scheduler, {"kickoff": [48]})
    await scheduler.remind()
    at(FRIDAY - hours_left * HOUR)
    await scheduler.remind()
    await plan_kickoff(scheduler)

    assert [kind.rpartition(":")[0] for kind in await _ids(scheduler)] == (
        [f"{STEP}:1", f"{STEP}:1:reminder"] if is_reminded else [f"{STEP}:1"]
    )
    await scheduler.remind()
    assert await reminders(scheduler) == []


async def _ids(scheduler: Scheduler) -> list[str]:
    return [each["ce_id"] for each in await scheduler.sent()]


async def test_a_person_who_moves_it_near_has_everybody_reminded_with_the_move(scheduler: Scheduler) -> None:
    await begin(scheduler)
    await scheduler.remind()
    moved = await scheduler.http.post(
        f"/v1/touchpoints/{STEP}/reschedule", json={"to": "2026-03-04T09:00:00Z", "version": 1}
    )
    assert moved.status_code == 200, moved.text

    assert await kinds_at_once(scheduler) == ["moved", "reminder"]


async def test_a_change_of_owner_or_of_the_window_reminds_of_nothing(scheduler: Scheduler) -> None:
    await begin(scheduler)
    at(FRIDAY - 40 * HOUR)
    await scheduler.remind()
    assert len(await reminders(scheduler)) == 1

    await scheduler.describe("bob")
    given = await scheduler.http.post(
        f"/v1/touchpoints/{STEP}/reassign", json={"csm_id": "bob", "version": 1}
    )
    assert given.status_code == 200, given.text
    assert await kinds_at_once(scheduler) == ["moved"]


async def test_what_readers_do_not_know_yet_is_announced_before_its_reminder_and_not_reminded_of_twice(
    scheduler: Scheduler,
) -> None:
    await publish_policy(scheduler, {"kickoff": [48]})
    await scheduler.remind()
    await plan_kickoff(scheduler)
    at(FRIDAY - 48 * HOUR)

    await scheduler.remind()

    assert await kinds_at_once(scheduler) == ["scheduled", "reminder"]
    assert await scheduler.sent() == []


async def test_what_is_settled_or_cancelled_before_has_no_reminder(scheduler: Scheduler) -> None:
    other = str(uuid5(NAMESPACE_URL, "other"))
    await begin(scheduler)
    steps = [one_off(name, FRIDAY, FRIDAY + DAY) for name in (STEP, other)]
    await scheduler.consume(scheduler.plan(2, [], steps))
    settled = {"touchpoint_id": STEP, "touchpoint_type": "kickoff", "outcome": "completed"}
    await scheduler.consume(scheduler.outcome(settled))
    gone = await scheduler.http.post(f"/v1/touchpoints/{other}/cancel", json={"reason": "no", "version": 1})
    assert gone.status_code == 200, gone.text
    at(FRIDAY - 40 * HOUR)

    await scheduler.remind()

    assert await reminders(scheduler) == []


async def test_after_an_outage_what_has_begun_is_recorded_and_the_rest_is_reminded_of_late(
    scheduler: Scheduler,
) -> None:
    later = str(uuid5(NAMESPACE_URL, "later"))
    await begin(scheduler)
    steps = [one_off(STEP, FRIDAY, FRIDAY + DAY), one_off(later, FRIDAY + 4 * HOUR, FRIDAY + DAY)]
    await scheduler.consume(scheduler.plan(2, [], steps))
    at(FRIDAY + HOUR)
    await scheduler.release()
    await scheduler.remind()

    (reminder,) = await reminders(scheduler)
    assert reminder["data"]["touchpoint_id"] == later
    assert (scheduler.counted["reminded"], scheduler.counted["reminder_missed"]) == (1, 1)
    missed = await scheduler.database.pool.fetch("SELECT touchpoint_id::text, hours FROM missed_reminder")
    assert [tuple(row) for row in missed] == [(STEP, 48)]


async def test_of_two_reminders_that_are_late_the_last_one_goes(scheduler: Scheduler) -> None:
    await begin(scheduler, kickoff=[48, 24])
    at(FRIDAY - 20 * HOUR)

    await scheduler.remind()

    (reminder,) = await reminders(scheduler)
    assert reminder["ce_id"].endswith(":reminder:24")


async def test_reminders_that_are_new_begin_with_what_is_at_least_half_their_time_away(
    scheduler: Scheduler,
) -> None:
    soon = str(uuid5(NAMESPACE_URL, "soon"))
    steps = [one_off(STEP, MONDAY + 30 * HOUR, FRIDAY), one_off(soon, MONDAY + 20 * HOUR, FRIDAY)]
    await publish_policy(scheduler, {"kickoff": []})
    await scheduler.consume(scheduler.plan(1, [], steps))
    await publish_policy(scheduler, {"kickoff": [48]}, 2)

    await scheduler.remind()

    assert [each["data"]["touchpoint_id"] for each in await reminders(scheduler)] == [STEP]
    await publish_policy(scheduler, {"kickoff": []}, 3)
    await scheduler.remind()
    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM reminder_position") == 0


async def test_what_somebody_changes_at_this_moment_is_not_passed_over(scheduler: Scheduler) -> None:
    await begin(scheduler)
    at(FRIDAY - 48 * HOUR)
    async with scheduler.database.transaction() as connection:
        await connection.execute("SELECT FROM touchpoint WHERE id = $1 FOR UPDATE", STEP)
        await scheduler.remind()
        assert await kinds_at_once(scheduler) == []

    await scheduler.remind()

    assert await kinds_at_once(scheduler) == ["reminder"]


async def test_replicas_remind_once_and_batches_go_on_where_the_last_one_ended(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remind_of_touchpoints, "BATCH", 3)
    await publish_policy(scheduler, {"kickoff": [48]})
    await scheduler.remind()
    names = [str(uuid5(NAMESPACE_URL, f"step {number}")) for number in range(10)]
    await scheduler.consume(scheduler.plan(1, [], [one_off(name, FRIDAY, FRIDAY + DAY) for name in names]))
    await scheduler.sent()
    at(FRIDAY - 47 * HOUR)

    await asyncio.gather(*(scheduler.remind() for _ in range(4)))
    while await scheduler.remind() == 0:
        continue

    assert sorted(each["data"]["touchpoint_id"] for each in await reminders(scheduler)) == sorted(names)


async def test_a_pass_reads_only_what_has_come_nearer_since_the_last_one(scheduler: Scheduler) -> None:
    pool = scheduler.database.pool
    await pool.execute(
        """
        INSERT INTO touchpoint (id, account_id, type, origin, status, due_at, start_at, end_at, owner, minutes, pinned,
            sequence, changed_at)
        SELECT gen_random_uuid(), 'acme', 'kickoff', 'hand', 'planned', $1::timestamptz + n * interval '1 minute', $1, $1,
            'csm', 30, false, 1, $1
        FROM generate_series(1, 20000) n
        """,
        MONDAY,
    )
    await pool.execute("INSERT INTO agenda (at, id) SELECT due_at, id FROM touchpoint")
    await pool.execute("ANALYZE agenda")
    await pool.execute("ANALYZE touchpoint")
    async with scheduler.database.transaction() as connection:
        await connection.execute(BY_KEYS)
        position, until = MONDAY + 48 * HOUR, MONDAY + 49 * HOUR
        explained = await connection.fetchval(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {FIND_PLANNED}",
            position, LAST_ID, until, ["kickoff"], 500,
        )  # fmt: skip
    plan = orjson.loads(explained)[0]["Plan"]

    assert plan["Actual Rows"] == 60
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 60 * 5


async def test_a_reminder_that_reached_somebody_settles_nothing_that_is_still_to_come(
    scheduler: Scheduler,
) -> None:
    await publish_policy(scheduler, {"webinar": [48]})
    await scheduler.remind()
    webinar = one_off(STEP, FRIDAY, FRIDAY + DAY, touchpoint_type="webinar", owner="marketing", csm_id=None)
    await scheduler.consume(scheduler.plan(1, [], [webinar]))
    at(FRIDAY - 48 * HOUR)
    await scheduler.remind()
    assert len(await reminders(scheduler)) == 1
    data = {
        "delivery_id": "d1", "touchpoint_id": STEP, "touchpoint_type": "reminder", "channel": "email", "state": "sent",
        "recipient": {"kind": "contact", "id": "ann"}, "at": "2026-03-04T10:00:00Z",
    }  # fmt: skip
    await scheduler.consume(
        scheduler.event("touchpoint.outcomes", "drumbeat.delivery.finished.v1", "acme", data)
    )

    (item,) = await scheduler.list_touchpoints()
    assert item["status"] == "planned"
