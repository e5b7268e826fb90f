"""What is due is said to be due: once, never early, and as its misfire rule says after an outage."""

import asyncio
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

import orjson
import pytest

from schemas.touchpoints import TouchpointData
from tests.integration.scheduler.conftest import MONDAY, House, at, one_off, rhythm, tips

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
STEP = str(uuid5(NAMESPACE_URL, "step"))


async def test_nothing_comes_due_early_and_everything_comes_due_once(house: House) -> None:
    await house.hear(house.plan(1, [rhythm(7)]))
    await house.told()
    at(MONDAY - timedelta(microseconds=1))
    await house.release()
    assert await house.told() == []

    at(MONDAY)
    await house.release()
    await house.release()

    (told,) = await house.told()
    data = TouchpointData.model_validate_json(orjson.dumps(told["data"]))
    assert told["ce_id"] == f"{data.touchpoint_id}:2:due"
    assert (data.status, data.released_at, data.sequence) == ("due", MONDAY, 2)
    assert data.reason.rule == "red"
    (item,) = await house.listed(status="due")
    assert item["reason"]["text"] == "because"


async def test_the_loop_is_told_how_long_it_may_rest(house: House) -> None:
    await house.hear(house.plan(1, [rhythm(7, last_touch_at=MONDAY - 6 * DAY)]))

    assert await house.release() == DAY.total_seconds()


async def test_replicas_share_what_is_due(house: House) -> None:
    plans = [house.plan(1, [rhythm(7)], account=f"a{n}") for n in range(700)]
    await house.hear(*plans)
    await house.told()

    await asyncio.gather(*(house.release() for _ in range(4)))
    await house.release()

    told = await house.told()
    assert len(told) == 700
    assert len({each["ce_id"] for each in told}) == 700


async def test_after_an_outage_people_get_all_and_customers_only_the_newest(house: House) -> None:
    await house.hear(house.plan(1, [rhythm(7), tips(7)]))
    await house.told()

    at(MONDAY + 22 * DAY)
    await house.release()

    told = await house.told()
    kinds = [(each["data"]["touchpoint_type"], each["ce_type"].split(".")[-2]) for each in told]
    assert sorted(kinds) == [
        *[("check_in", "due")] * 4,
        *[("tips", "cancelled")] * 3,
        ("tips", "due"),
    ]
    expired = [each["data"] for each in told if each["ce_type"].endswith("cancelled.v1")]
    assert all(each["reason"]["text"].startswith("expired: superseded") for each in expired)


async def test_a_one_off_past_its_time_expires_after_an_outage(house: House) -> None:
    await house.hear(house.plan(1, [], [one_off(STEP, MONDAY + DAY, MONDAY + 3 * DAY)]))

    at(MONDAY + 9 * DAY)
    await house.release()

    (item,) = await house.listed()
    assert item["status"] == "cancelled"
    assert item["note"].startswith("expired")


async def test_what_a_person_owes_becomes_overdue_at_its_deadline(house: House) -> None:
    await house.hear(house.plan(1, [rhythm(7)]))
    await house.release()
    await house.told()
    at(MONDAY + 7 * DAY - timedelta(seconds=1))
    await house.lapse()
    assert await house.told() == []

    at(MONDAY + 7 * DAY)
    await house.lapse()
    await house.lapse()

    (told,) = await house.told()
    assert told["ce_type"] == "drumbeat.touchpoint.overdue.v1"
    assert (told["data"]["status"], told["data"]["sequence"]) == ("overdue", 3)


async def test_the_plan_never_meets_what_has_come_due(house: House) -> None:
    await house.hear(house.plan(1, [rhythm(7)]))
    await house.release()
    (due,) = await house.listed(status="due")

    await house.hear(house.plan(2, []))

    assert await house.listed(status="due") == [due]


async def test_what_has_come_due_keeps_the_reason_it_came_due_for(house: House) -> None:
    await house.hear(house.plan(1, [rhythm(7)]))
    await house.release()
    fresh: dict[str, object] = {"rule": "green", "policy": "p2", "facts": [], "text": "all is well"}

    await house.hear(house.plan(2, [rhythm(7, reason=fresh)]))
    await house.hear(house.plan(3, [rhythm(28, reason=fresh)]))

    (item,) = await house.listed(status="due")
    assert item["reason"]["rule"] == "red"
    assert {each["reason"]["rule"] for each in await house.listed(status="planned")} == {"green"}


async def test_the_queues_hold_exactly_what_is_planned_or_owed(house: House) -> None:
    await house.hear(house.plan(1, [rhythm(7), tips(7)]))
    at(MONDAY + 8 * DAY)
    await house.release()
    await house.lapse()
    await house.hear(house.plan(2, [rhythm(14)]))
    items = await house.listed(status="due")
    await house.hear(
        *(
            house.outcome(
                {"touchpoint_id": each["id"], "touchpoint_type": each["type"], "outcome": "attended"}
            )
            for each in items
        )
    )

    agenda = await house.database.pool.fetch("SELECT id::text, at FROM agenda")
    planned = await house.database.pool.fetch(
        "SELECT id::text, due_at FROM touchpoint WHERE status = 'planned'"
    )
    lapsing = await house.database.pool.fetch("SELECT id::text FROM lapsing")
    owed = await house.database.pool.fetch(
        "SELECT id::text FROM touchpoint WHERE status IN ('planned', 'due') AND owner = 'csm'"
    )

    assert sorted(map(tuple, agenda)) == sorted(map(tuple, planned))
    assert sorted(map(tuple, lapsing)) == sorted(map(tuple, owed))


async def test_a_backlog_is_released_by_several_lanes_once_each(house: House) -> None:
    await house.hear(*(house.plan(1, [rhythm(90)], account=f"b{n}") for n in range(1300)))
    await house.told()

    await house.release()

    told = await house.told()
    assert len({each["ce_id"] for each in told}) == len(told) == 1300


async def test_a_touchpoint_in_another_hand_is_left_for_the_next_pass(house: House) -> None:
    await house.hear(house.plan(1, [rhythm(7)]), house.plan(1, [rhythm(7)], account="other"))
    await house.told()

    async with house.database.transaction() as connection:
        await connection.execute("SELECT 1 FROM touchpoint WHERE account_id = 'acme' FOR UPDATE")
        await house.release()
        (during,) = await house.told()
    await house.release()

    (after,) = await house.told()
    assert (during["ce_subject"], after["ce_subject"]) == ("other", "acme")
