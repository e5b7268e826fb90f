"""Where people and customers are, their holidays and time off, and the releases of both in the database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from schemas.zones import ZONE_RELEASE, find_zone
from services.calendar.public_holidays import holidays_release
from services.calendar.rezoning import read_rules
from services.scheduler.main import follow_installed_releases
from tests.integration.scheduler.conftest import MONDAY, Scheduler, rhythm

pytestmark = pytest.mark.integration


async def items(scheduler: Scheduler, account: str = "acme") -> list[dict[str, Any]]:
    while await scheduler.extend() == 0:
        continue
    answer = await scheduler.http.get("/v1/touchpoints", params={"account_id": account, "limit": 100})
    return [item for item in answer.json()["items"] if item["status"] == "planned"]


def days(found: list[dict[str, Any]]) -> set[str]:
    return {item["due_at"][:10] for item in found}


async def account(scheduler: Scheduler, version: int, **described: object) -> None:
    record = {"account_id": "acme", "version": version, **described}
    await scheduler.consume(
        scheduler.event("directory.accounts", "drumbeat.account.directory.v1", "acme", record)
    )


async def test_holidays_of_both_time_off_and_added_days_move_calls_and_say_why(scheduler: Scheduler) -> None:
    """Rows 22 and 43 of the reported faults, S152: each of these arrives later than the plan."""
    weekly = {**rhythm(7), "csm_id": "ada"}
    await scheduler.consume(scheduler.plan(1, [weekly]))
    assert {"2026-04-06", "2026-05-25", "2026-06-01"} <= days(await items(scheduler))

    await scheduler.describe(
        "ada", name="Ada", country="DE", time_off=[{"from": "2026-06-01", "to": "2026-06-02"}]
    )
    planned = await items(scheduler)
    assert not {"2026-04-06", "2026-06-01", "2026-06-02"} & days(planned)

    await account(scheduler, 1, country="US", timezone="America/New_York")
    assert "2026-09-07" not in days(await items(scheduler))  # Labor Day

    policy = {
        "policy": "p", "version": 1, "holidays": [{"name": "Founding day", "on": "07-06", "country": "DE"}],
    }  # fmt: skip
    await scheduler.consume(
        scheduler.event("directory.policy", "drumbeat.policy.directory.v1", "policy", policy)
    )
    assert "2026-07-06" not in days(await items(scheduler))

    rows = await scheduler.database.pool.fetch(
        "SELECT DISTINCT verdict FROM touchpoint WHERE verdict IS NOT NULL"
    )
    reasons = {row[0] for row in rows}
    assert {
        "moved: public holiday Easter Monday",
        "moved: time off of Ada",
        "moved: public holiday Labor Day of the customer",
        "moved: public holiday Founding day",
    } <= reasons


async def test_a_newer_release_of_public_holidays_moves_what_it_changes_and_names_itself(
    scheduler: Scheduler,
) -> None:
    """The calendar is as a release had made it that had a holiday of its own and did not know Easter Monday."""
    await scheduler.describe("ada", name="Ada", country="DE")
    await scheduler.consume(scheduler.plan(1, [{**rhythm(7), "csm_id": "ada"}]))
    right = {item["id"]: item["due_at"] for item in await items(scheduler)}
    assert "2026-04-13T" in " ".join(right.values())
    pool = scheduler.database.pool
    await pool.execute("INSERT INTO data_release VALUES ('holidays', '0.1', '{}')")
    changed = await pool.fetch(
        "UPDATE touchpoint SET due_at = due_at + interval '1 day', verdict = 'moved: public holiday Wrong day'"
        " WHERE due_at::date = '2026-04-13' AND status = 'planned' RETURNING id"
    )
    changed += await pool.fetch(
        "UPDATE touchpoint SET due_at = start_at, verdict = NULL"
        " WHERE verdict = 'moved: public holiday Easter Monday' AND status = 'planned' RETURNING id"
    )
    assert len(changed) == 2
    await scheduler.announce()

    await follow_installed_releases(scheduler.database, scheduler.clock)

    assert {item["id"]: item["due_at"] for item in await items(scheduler)} == right
    notes = await pool.fetch(
        "SELECT note FROM announcement WHERE touchpoint_id = ANY($1)", [row[0] for row in changed]
    )
    assert {row[0] for row in notes} == {
        f"public holidays changed with holidays {holidays_release()}",
        "moved: public holiday Easter Monday",
    }
    assert (
        await pool.fetchval("SELECT count(*) FROM account_calendar WHERE holidays_changed IS NOT NULL") == 0
    )
    assert (
        await pool.fetchval("SELECT release FROM data_release WHERE name = 'holidays'") == holidays_release()
    )


async def test_a_newer_release_of_zone_rules_moves_what_is_planned_to_its_wall_time(
    scheduler: Scheduler,
) -> None:
    """Row 50: since 2026 Vancouver no longer goes back in autumn."""
    await scheduler.describe("ada", timezone="America/Vancouver")
    await scheduler.consume(scheduler.plan(1, [{**rhythm(7), "csm_id": "ada"}]))
    right = {item["id"]: item["due_at"] for item in await items(scheduler)}
    rules = {**read_rules(MONDAY)}
    start, end = rules["America/Vancouver"][0][0], rules["America/Vancouver"][-1][0]
    back = datetime(2026, 11, 1, 9, tzinfo=UTC)
    changes = [
        (start, -8),
        (int(datetime(2026, 3, 8, 10, tzinfo=UTC).timestamp()), -7),
        (int(back.timestamp()), -8),
    ]
    rules["America/Vancouver"] = [[at, hours * 3600] for at, hours in (*changes, (end, -8))]
    pool = scheduler.database.pool
    await pool.execute(
        "INSERT INTO data_release VALUES ('tzdata', '2025b', $1::text::jsonb)",
        orjson.dumps({"rules": rules}).decode(),
    )
    await pool.execute(
        "UPDATE touchpoint SET due_at = due_at + $1, start_at = start_at + $1, end_at = end_at + $1,"
        " deadline = deadline + $1 WHERE due_at > $2",
        timedelta(hours=1),
        back,
    )

    await follow_installed_releases(scheduler.database, scheduler.clock)

    after = {item["id"]: item["due_at"] for item in await items(scheduler)}
    assert {key: after[key] for key in right} == right
    vancouver = find_zone("America/Vancouver")
    assert {datetime.fromisoformat(due_at).astimezone(vancouver).hour for due_at in after.values()} == {9}
    assert await pool.fetchval("SELECT release FROM data_release WHERE name = 'tzdata'") == ZONE_RELEASE
    assert await pool.fetchval("SELECT count(*) FROM account_calendar WHERE rules_changed IS NOT NULL") == 0
    notes = {row[0] for row in await pool.fetch("SELECT note FROM announcement")}
    assert f"the rules of America/Vancouver changed with tzdata {ZONE_RELEASE}" in notes, notes
    await follow_installed_releases(scheduler.database, scheduler.clock)
    assert await pool.fetchval("SELECT count(*) FROM account_calendar WHERE extend_at = '-infinity'") == 0
