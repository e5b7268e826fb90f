"""Touchpoints of one cause for one CSM are shown and settled as one, each with its own outcome (C)."""

from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
PLAN, ESCALATION, CALL = sorted(str(uuid5(NAMESPACE_URL, name)) for name in ("plan", "escalation", "call"))
RED = {"source": "/crm", "id": "red-1"}


def internal(name: str, touchpoint_type: str) -> dict[str, object]:
    more = {"channel": "in_app", "topic": None, "cause": RED, "precedence": "escalation"}
    return one_off(name, MONDAY, MONDAY + 2 * DAY, touchpoint_type=touchpoint_type, **more)


async def act(scheduler: Scheduler, item: dict[str, Any], deed: str, **asked: object) -> dict[str, Any]:
    body = {"version": item["sequence"], **asked}
    answer = await scheduler.http.post(f"/v1/touchpoints/{item['id']}/{deed}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def two_due(scheduler: Scheduler) -> dict[str, dict[str, Any]]:
    """An escalation and its action plan, both due; their events are sent."""
    steps = [internal(PLAN, "risk_action_plan"), internal(ESCALATION, "escalation")]
    await scheduler.consume(scheduler.plan(1, [], steps))
    at(MONDAY + timedelta(hours=1))
    await scheduler.release()
    items = {each["id"]: each for each in await scheduler.list_touchpoints(status="due")}
    assert items.keys() == {PLAN, ESCALATION}
    return items


async def test_an_escalation_and_its_action_plan_are_told_and_settled_as_one(scheduler: Scheduler) -> None:
    items = await two_due(scheduler)
    assert items[PLAN]["group"] == items[ESCALATION]["group"] is not None
    assert (items[PLAN]["together_with"], items[ESCALATION]["together_with"]) == ([ESCALATION], [PLAN])
    assert {each["data"]["group"] for each in await scheduler.sent()} == {items[PLAN]["group"]}

    done = await act(scheduler, items[PLAN], "settle", outcome="completed", notes="met")

    assert done["together_with"] == [ESCALATION]
    settled = await scheduler.list_touchpoints(status="settled")
    assert {(each["id"], each["outcome"]["notes"]) for each in settled} == {
        (PLAN, "met"),
        (ESCALATION, "met"),
    }
    outcomes = [each for each in await scheduler.sent() if each["topic"] == "touchpoint.outcomes"]
    assert {each["data"]["touchpoint_id"] for each in outcomes} == {PLAN, ESCALATION}
    assert len({each["ce_id"] for each in outcomes}) == 2

    undone = await act(scheduler, done, "undo")
    assert undone["together_with"] == [ESCALATION]
    assert {each["id"] for each in await scheduler.list_touchpoints(status="due")} == {PLAN, ESCALATION}


async def test_only_the_one_is_settled_when_a_person_says_so(scheduler: Scheduler) -> None:
    items = await two_due(scheduler)

    done = await act(scheduler, items[PLAN], "settle", outcome="completed", only=True)

    assert done["together_with"] == []
    (other,) = await scheduler.list_touchpoints(status="due")
    assert (other["id"], other["together_with"]) == (ESCALATION, [])


@pytest.mark.parametrize("deed", ["reschedule", "cancel", "reassign"])
async def test_the_other_acts_are_done_on_all_of_them_and_undone_on_all(
    scheduler: Scheduler, deed: str
) -> None:
    await scheduler.describe("bob")
    items = await two_due(scheduler)
    asked = {
        "reschedule": {"to": "2026-03-03T09:00:00Z"},
        "cancel": {"reason": "not needed"},
        "reassign": {"csm_id": "bob"},
    }[deed]

    done = await act(scheduler, items[PLAN], deed, **asked)

    now = await scheduler.list_touchpoints()
    match deed:
        case "reschedule":
            planned = [each for each in now if each["status"] == "planned"]
            assert {each["follows"] for each in planned} == {PLAN, ESCALATION}
            assert planned[0]["together_with"] == [planned[1]["id"]]
        case "cancel":
            assert {each["status"] for each in now} == {"cancelled"}
        case _:
            assert {each["csm_id"] for each in now} == {"bob"}
    await act(scheduler, done, "undo")
    due = await scheduler.list_touchpoints(status="due")
    assert {(each["id"], each["csm_id"]) for each in due} == {(PLAN, "ada"), (ESCALATION, "ada")}


async def test_a_call_by_hand_in_the_week_of_the_weekly_call_is_one_with_it(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    weekly, following, *_ = await scheduler.list_touchpoints()
    asked = {"account_id": "acme", "type": "ad_hoc_call", "due_at": "2026-03-04T10:00:00Z", "csm_id": "ada"}

    made = (await scheduler.http.post("/v1/touchpoints", json=asked)).json()

    assert made["together_with"] == [weekly["id"]]
    one, call, other, *_ = await scheduler.list_touchpoints()
    assert (one["id"], one["together_with"], call["id"]) == (weekly["id"], [made["id"]], made["id"])
    assert (other["id"], other["group"]) == (following["id"], None)
    await scheduler.consume(
        scheduler.plan(2, [rhythm(7, purpose="talk"), rhythm(14, touchpoint_type="x", channel="meeting")])
    )
    assert (await scheduler.list_touchpoints())[0]["together_with"] == [made["id"]]
    await scheduler.consume(scheduler.plan(3, [rhythm(7, last_touch_at=MONDAY, channel="meeting")]))
    assert {each["group"] for each in await scheduler.list_touchpoints(status="planned")} == {None}


async def test_a_group_whose_plan_is_told_again_is_not_written_again(scheduler: Scheduler) -> None:
    steps = [internal(PLAN, "risk_action_plan"), internal(ESCALATION, "escalation")]
    await scheduler.consume(scheduler.plan(1, [rhythm(7)], steps))
    count = "SELECT count(*) FROM change"
    before = await scheduler.database.pool.fetchval(count)

    await scheduler.consume(scheduler.plan(2, [rhythm(7), rhythm(300, touchpoint_type="other")], steps))

    others = len(await scheduler.list_touchpoints(type="other"))
    assert await scheduler.database.pool.fetchval(count) - before == others
