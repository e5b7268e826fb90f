"""Nothing is released in a season or a pause, and events say why something moved."""

from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

import orjson
import pytest

from schemas.touchpoints import TouchpointData
from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm, season, tips

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
STEP = str(uuid5(NAMESPACE_URL, "step"))


def day_of(item: dict[str, str]) -> int:
    return (datetime.fromisoformat(item["due_at"]) - MONDAY).days


async def test_a_season_that_is_announced_moves_what_is_in_it_with_the_reason(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(30, urgency="soon", never_skip=True)]))
    await scheduler.sent()

    await scheduler.consume(
        scheduler.plan(2, [rhythm(30, never_skip=True)], avoid=[season(MONDAY + 27 * DAY, MONDAY + 50 * DAY)])
    )

    (sent,) = await scheduler.sent()
    data = TouchpointData.model_validate_json(orjson.dumps(sent["data"]))
    assert sent["ce_type"] == "drumbeat.touchpoint.moved.v1"
    assert data.note == "moved before season: it is not the time"
    assert data.previous_due_at == MONDAY + 30 * DAY
    assert data.due_at == MONDAY + 25 * DAY
    assert data.window.from_ <= data.due_at <= data.window.to
    (item,) = [each for each in await scheduler.list_touchpoints() if each["id"] == data.touchpoint_id]
    assert item["note"] == data.note
    assert item["sequence"] == 2


async def test_what_a_season_leaves_out_is_recorded_and_counted_and_comes_back(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    plain = [day_of(each) for each in await scheduler.list_touchpoints(status="planned")]
    await scheduler.sent()

    await scheduler.consume(
        scheduler.plan(2, [rhythm(7)], avoid=[season(MONDAY + 12 * DAY, MONDAY + 40 * DAY)])
    )

    gone = await scheduler.list_touchpoints(status="cancelled")
    assert [day_of(each) for each in gone] == [21, 28, 35]
    assert {each["note"] for each in gone} == {"suppressed: season leaves it no room: it is not the time"}
    assert scheduler.counted["left_out"] == 3
    assert await scheduler.event_kinds() == ["moved", "cancelled", "cancelled", "cancelled"]

    await scheduler.consume(scheduler.plan(3, [rhythm(7)]))

    items = await scheduler.list_touchpoints(status="planned")
    assert [day_of(each) for each in items] == plain
    assert [each["occurrence"] for each in items] == sorted(each["occurrence"] for each in items)
    assert {each["id"] for each in gone}.isdisjoint({each["id"] for each in items})
    await scheduler.sent()
    await scheduler.consume(
        scheduler.plan(4, [rhythm(7)], [one_off(STEP, MONDAY + 3 * DAY, MONDAY + 4 * DAY)])
    )
    assert await scheduler.event_kinds() == ["scheduled"]


async def test_a_gap_that_grows_too_long_is_counted(scheduler: Scheduler) -> None:
    review = rhythm(91, touchpoint_type="business_review", never_skip=True)

    await scheduler.consume(scheduler.plan(1, [review], avoid=[season(MONDAY + DAY, MONDAY + 150 * DAY)]))

    notes = [each["note"] for each in await scheduler.list_touchpoints(status="planned") if each["note"]]
    assert "150 days since the one before" in notes[0]
    assert scheduler.counted["stretched"] == 1


async def test_a_pause_that_arrives_seconds_before_something_is_due_holds_it(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7, last_touch_at=MONDAY - 6 * DAY), tips(7)]))
    await scheduler.sent()
    due = MONDAY + DAY
    at(due - timedelta(seconds=2))
    await scheduler.release()
    before = await scheduler.list_touchpoints(status="due")
    pause = season(due - timedelta(seconds=3), due + 10 * DAY, name="pause")

    await scheduler.consume(scheduler.plan(2, [rhythm(7), tips(7)], avoid=[pause]))
    for hours in range(0, 240, 12):
        at(due + timedelta(hours=hours))
        await scheduler.release()
        assert await scheduler.list_touchpoints(status="due") == before
    at(due + 12 * DAY)
    await scheduler.release()

    caught_up = [each for each in await scheduler.list_touchpoints(status="due") if each not in before]
    assert sorted(each["type"] for each in caught_up) == ["check_in", "tips"]
    assert all(each["note"].startswith("moved after pause") for each in caught_up)


async def test_a_pause_stops_what_is_due_but_not_yet_released(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7, last_touch_at=MONDAY - 6 * DAY)]))
    due = MONDAY + DAY
    at(due + timedelta(seconds=1))

    await scheduler.consume(
        scheduler.plan(2, [rhythm(7)], avoid=[season(due - timedelta(seconds=1), None, name="pause")])
    )
    await scheduler.release()

    assert await scheduler.list_touchpoints(status="due") == []


async def test_a_pause_without_an_end_holds_until_the_plan_changes(scheduler: Scheduler) -> None:
    await scheduler.consume(
        scheduler.plan(1, [rhythm(7), rhythm(7, touchpoint_type="escalation", topic=None)])
    )
    pause = season(MONDAY - DAY, None, name="pause")
    await scheduler.consume(
        scheduler.plan(2, [rhythm(7), rhythm(7, touchpoint_type="escalation", topic=None)], avoid=[pause])
    )
    at(MONDAY + 30 * DAY)

    for _ in range(3):
        await scheduler.release()
        await scheduler.extend()

    assert {each["type"] for each in await scheduler.list_touchpoints(status="due")} == {"escalation"}
    locked = await scheduler.list_touchpoints(type="check_in", status="planned")
    assert {each["due_at"] for each in locked} == {"9999-01-01T00:00:00Z"}
    assert {each["note"] for each in locked} == {"held until further notice: pause: it is not the time"}
    assert {each["deadline"] for each in locked} == {None}
    capacity = await scheduler.http.get(
        "/v1/capacity", params={"from": "2026-03-30", "to": "2026-04-12", "csm_id": "ada"}
    )
    assert [each["planned_minutes"] for each in capacity.json()["weeks"]] == [60 // 2, 60 // 2]

    await scheduler.consume(scheduler.plan(3, [rhythm(7)]))
    await scheduler.release()

    (caught_up,) = await scheduler.list_touchpoints(type="check_in", status="due")
    assert caught_up["due_at"] == "2026-04-01T10:00:00Z"
    assert day_of((await scheduler.list_touchpoints(type="check_in", status="planned"))[0]) == 35


async def test_extended_horizons_avoid_seasons_as_projected(scheduler: Scheduler) -> None:
    avoid = [season(MONDAY + 33 * DAY, MONDAY + 60 * DAY)]
    await scheduler.consume(scheduler.plan(1, [tips(7)], avoid=avoid))
    end = (MONDAY + 90 * DAY).isoformat()

    items = await scheduler.list_touchpoints(account_id="acme", to=end)

    assert [day_of(each) for each in items if each["projected"]] == [32, 60, 63, 70, 77, 84]
    for days in (10, 25, 40, 50, 61, 75):
        at(MONDAY + days * DAY)
        await scheduler.extend()
    planned = {
        each["id"]: each["due_at"]
        for each in await scheduler.list_touchpoints(account_id="acme", status="planned")
    }
    assert {each["id"]: each["due_at"] for each in items}.items() <= planned.items()
