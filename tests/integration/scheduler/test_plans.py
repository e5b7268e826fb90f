"""Plans become calendars, whatever arrives, and however often."""

from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import orjson
import pytest

from schemas.touchpoints import TouchpointData
from schemas.zones import find_zone
from services.calendar.announcing import ANNOUNCED_AHEAD
from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm, tips

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
STEP = str(uuid5(NAMESPACE_URL, "step"))


async def test_a_plan_is_planned_a_year_ahead_with_an_event_for_what_is_near(
    scheduler: Scheduler,
) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7), tips(7)]))

    items = await scheduler.list_touchpoints(account_id="acme", status="planned")
    sent = await scheduler.sent()

    assert sorted(each["type"] for each in items) == ["check_in"] * 53 + ["tips"] * 5
    near = [each for each in items if datetime.fromisoformat(each["due_at"]) <= MONDAY + ANNOUNCED_AHEAD]
    assert len(sent) == len(near) == 6 + 5
    assert {each["ce_id"] for each in sent} == {f"{each['id']}:1:scheduled" for each in near}
    for each in sent:
        TouchpointData.model_validate_json(orjson.dumps(each["data"]))
        assert each["topic"] == "touchpoint.events"
        assert each["ce_source"] == "/drumbeat/scheduler"


async def test_a_repeated_plan_changes_nothing(scheduler: Scheduler) -> None:
    event = scheduler.plan(1, [rhythm(7)], [one_off(STEP, MONDAY + DAY, MONDAY + 3 * DAY)])
    await scheduler.consume(event)
    await scheduler.sent()
    before = await scheduler.list_touchpoints()

    await scheduler.consume(event, event)

    assert await scheduler.sent() == []
    assert await scheduler.list_touchpoints() == before


async def test_a_stale_plan_is_ignored(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(5, [rhythm(7)]))
    await scheduler.sent()

    await scheduler.consume(scheduler.plan(4, []))

    assert await scheduler.sent() == []


async def test_a_new_interval_keeps_ids_and_publishes_what_moved(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(28, urgency="spread")]))
    before = await scheduler.list_touchpoints(status="planned")
    await scheduler.sent()

    await scheduler.consume(scheduler.plan(2, [rhythm(14, urgency="spread")]))

    after = await scheduler.list_touchpoints(status="planned")
    assert {each["id"] for each in before} <= {each["id"] for each in after}
    moved = [each for each in await scheduler.sent() if each["ce_type"].endswith("moved.v1")]
    assert moved
    assert all(each["data"]["previous_due_at"] for each in moved)


async def test_new_reasons_alone_move_nothing_and_are_read_at_once(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    await scheduler.sent()
    fresh: dict[str, object] = {"rule": "red", "policy": "p1", "facts": [], "text": "the score fell again"}

    await scheduler.consume(scheduler.plan(2, [rhythm(7, reason=fresh)]))

    assert await scheduler.sent() == []
    assert {each["reason"]["text"] for each in await scheduler.list_touchpoints()} == {"the score fell again"}


async def test_a_dropped_rhythm_is_cancelled_with_its_reason(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7, urgency="spread")]))
    await scheduler.sent()

    await scheduler.consume(scheduler.plan(2, []))

    sent = await scheduler.sent()
    assert {each["ce_type"] for each in sent} == {"drumbeat.touchpoint.cancelled.v1"}
    assert all(each["data"]["reason"]["text"].startswith("withdrawn") for each in sent)
    assert all(
        each["reason"]["rule"] == "red" for each in await scheduler.list_touchpoints(status="cancelled")
    )


async def test_a_withdrawn_one_off_comes_back_under_its_own_id(scheduler: Scheduler) -> None:
    step = one_off(STEP, MONDAY + 10 * DAY, MONDAY + 12 * DAY)
    await scheduler.consume(scheduler.plan(1, [], [step]))
    await scheduler.consume(scheduler.plan(2, [], []))
    await scheduler.consume(scheduler.plan(3, [], [step]))

    (item,) = await scheduler.list_touchpoints()

    assert (item["id"], item["status"], item["sequence"]) == (STEP, "planned", 3)
    assert await scheduler.event_kinds() == ["scheduled"]


async def test_what_came_due_for_an_answer_that_was_revised_is_cancelled_unless_somebody_acted(
    scheduler: Scheduler,
) -> None:
    """Issue 9, point 1: the plan names it in `withdrawn`; what it only leaves out stays."""
    steps = [one_off(name, MONDAY, MONDAY + 2 * DAY) for name in (STEP, str(uuid5(NAMESPACE_URL, "other")))]
    await scheduler.consume(scheduler.plan(1, [], steps))
    at(MONDAY + timedelta(hours=10))
    await scheduler.release()
    assert {item["status"] for item in await scheduler.list_touchpoints()} == {"due"}
    await scheduler.sent()

    await scheduler.consume(scheduler.plan(2, [], [], withdrawn=[STEP]))

    assert {item["id"]: item["status"] for item in await scheduler.list_touchpoints()} == {
        STEP: "cancelled",
        str(uuid5(NAMESPACE_URL, "other")): "due",
    }
    assert await scheduler.event_kinds() == ["cancelled"]


ROWS = """
SELECT (SELECT count(*) FROM touchpoint) + (SELECT count(*) FROM rhythm) + (SELECT count(*) FROM agenda)
    + (SELECT count(*) FROM lapsing) + (SELECT count(*) FROM change) + (SELECT count(*) FROM account_calendar)
"""


async def test_an_erased_account_leaves_no_row_and_its_cancellations_are_announced(
    scheduler: Scheduler,
) -> None:
    """Point 6."""
    await scheduler.consume(scheduler.plan(1, [rhythm(7)], [one_off(STEP, MONDAY + DAY, MONDAY + 3 * DAY)]))
    await scheduler.announce()
    planned = await scheduler.database.pool.fetchval("SELECT count(*) FROM outbox")

    await scheduler.consume(scheduler.tombstone("touchpoint.commands", "acme"))
    await scheduler.consume(scheduler.tombstone("directory.accounts", "acme"))

    assert await scheduler.database.pool.fetchval(ROWS) == 0
    sent = await scheduler.database.pool.fetch("SELECT headers, payload FROM outbox ORDER BY id")
    assert ["cancelled" in row["headers"] for row in sent[planned:]] == [*[True] * planned, False]
    assert sent[-1]["payload"] is None
    late = {"touchpoint_id": STEP, "touchpoint_type": "check_in", "outcome": "completed"}
    await scheduler.consume(scheduler.outcome(late))
    assert await scheduler.database.pool.fetchval(ROWS) == 0
    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM early_outcome") == 0
    assert await scheduler.extend() is None


async def test_an_account_that_comes_back_in_the_batch_of_its_tombstone_is_planned(
    scheduler: Scheduler,
) -> None:
    await scheduler.consume(scheduler.plan(5, [rhythm(7)]))

    step = one_off(STEP, MONDAY + DAY, MONDAY + 3 * DAY)
    await scheduler.consume(
        scheduler.plan(6, [rhythm(7)]),
        scheduler.tombstone("touchpoint.commands", "acme"),
        scheduler.plan(7, [], [step]),
    )

    assert [each["id"] for each in await scheduler.list_touchpoints()] == [STEP]


async def test_what_cannot_be_read_becomes_a_dead_letter_and_the_rest_is_handled(
    scheduler: Scheduler,
) -> None:
    bad = [
        scheduler.record("touchpoint.commands", "acme", (), b"{"),
        scheduler.event("touchpoint.commands", "drumbeat.plan.adjusted.v1", "acme", {"version": "many"}),
        scheduler.event("touchpoint.commands", "drumbeat.health.scored.v1", "acme", {}),
        scheduler.plan(1, [], [one_off("not-an-id", MONDAY, MONDAY)]),
        scheduler.tombstone("touchpoint.commands", ""),
    ]

    await scheduler.consume(*bad, scheduler.plan(2, [rhythm(7)]))

    assert len(await scheduler.list_touchpoints()) == 53
    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM dead_letter") == len(bad)


async def test_new_hours_of_a_csm_move_what_is_planned_in_the_next_pass(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7, urgency="spread")]))
    record = {
        "csm_id": "ada", "name": "Ada", "email": "ada@example.com", "timezone": "Asia/Tokyo", "version": 1,
        "working_days": ["mon", "tue"], "working_hours": {"from": "10:00", "to": "12:00"},
        "time_off": [{"from": "2026-03-02", "to": "2026-03-04"}],
    }  # fmt: skip
    await scheduler.consume(scheduler.event("directory.csms", "drumbeat.csm.directory.v1", "ada", record))
    await scheduler.sent()

    assert await scheduler.extend() == 0

    items = await scheduler.list_touchpoints()
    assert {each["due_at"][11:13] for each in items} <= {"01", "02"}
    sent = await scheduler.sent()
    assert {each["data"]["owner"]["email"] for each in sent} == {"ada@example.com"}
    assert await scheduler.extend() is None


async def test_an_unknown_zone_of_an_account_is_noted_and_stops_nothing(scheduler: Scheduler) -> None:
    record = {"account_id": "acme", "name": "Acme", "timezone": "Mars/Olympus", "version": 1}
    await scheduler.consume(
        scheduler.event("directory.accounts", "drumbeat.account.directory.v1", "acme", record)
    )

    await scheduler.consume(scheduler.plan(1, [tips(7)]))

    assert len(await scheduler.list_touchpoints()) == 5
    assert "Mars" in await scheduler.database.pool.fetchval("SELECT doubt FROM account_calendar")


async def test_a_message_lies_where_no_zone_of_the_country_has_quiet_hours(scheduler: Scheduler) -> None:
    """Row 23: what is planned already moves when the zones become known."""
    await scheduler.consume(scheduler.plan(1, [tips(7)]))
    zones = ["America/New_York", "America/Los_Angeles", "Pacific/Honolulu"]
    record = {"account_id": "acme", "name": "Acme", "zones": zones, "version": 1}
    await scheduler.consume(
        scheduler.event("directory.accounts", "drumbeat.account.directory.v1", "acme", record)
    )
    await scheduler.extend()

    first, *moments = [datetime.fromisoformat(each["due_at"]) for each in await scheduler.list_touchpoints()]
    assert first == MONDAY, "it has come due"
    assert moments
    for zone in zones:
        assert all(8 <= moment.astimezone(find_zone(zone)).hour < 20 for moment in moments)


async def test_the_horizon_moves_on_with_time(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    await scheduler.sent()
    assert await scheduler.extend() is None

    at(MONDAY + 8 * DAY)

    assert await scheduler.extend() == 0
    assert await scheduler.event_kinds() == ["scheduled"]
    assert await scheduler.extend() is None


async def test_a_digital_rhythm_is_projected_beyond_its_month_with_the_ids_it_will_have(
    scheduler: Scheduler,
) -> None:
    await scheduler.consume(scheduler.plan(1, [tips(7)]))
    end = (MONDAY + 90 * DAY).isoformat()

    items = await scheduler.list_touchpoints(account_id="acme", to=end)

    assert [each["projected"] for each in items] == [False] * 5 + [True] * 8
    for days in (25, 50, 75):
        at(MONDAY + days * DAY)
        await scheduler.extend()
    planned = {each["id"]: each["due_at"] for each in await scheduler.list_touchpoints(account_id="acme")}
    for each in items:
        assert planned.get(each["id"], each["due_at"]) == each["due_at"]
    assert {each["id"] for each in items} <= set(planned)


WRITTEN = """
SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_xact_user_tables
"""


async def test_a_plan_that_is_told_again_writes_nothing(scheduler: Scheduler) -> None:
    """A3: it locks nothing either; a new version that changes nothing writes the row of its account alone."""
    rhythms, steps = [rhythm(7), tips(7)], [one_off(STEP, MONDAY + DAY, MONDAY + 3 * DAY)]
    await scheduler.consume(scheduler.plan(1, rhythms, steps))
    written: list[int] = []
    for version in (1, 2):
        async with scheduler.database.transaction() as connection:
            before = await connection.fetchval(WRITTEN)
            await scheduler.handler(connection, [scheduler.plan(version, rhythms, steps)], MONDAY)
            locks = "SELECT count(*) FROM account_calendar WHERE xmax = pg_current_xact_id()::xid"
            written += [await connection.fetchval(WRITTEN) - before, await connection.fetchval(locks)]

    assert written[:3] == [0, 0, 1]
