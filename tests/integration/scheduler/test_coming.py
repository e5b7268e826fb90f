"""What comes next with accounts, asked for when messages about them are written."""

from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

import pytest

from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
INTERNAL = str(uuid5(NAMESPACE_URL, "internal"))


async def test_the_next_touchpoints_with_the_customer_are_answered_by_account(scheduler: Scheduler) -> None:
    """Point 2: what comes next on the calendar; due and internal ones are not to come."""
    work = one_off(INTERNAL, MONDAY + DAY, MONDAY + 2 * DAY, touchpoint_type="escalation", topic=None)
    await scheduler.consume(
        scheduler.plan(1, [rhythm(7)], [work]),
        scheduler.plan(1, [rhythm(7)], account="old"),
        scheduler.plan(5, [rhythm(7)], account="new", merged_from=["old"]),
    )
    at(MONDAY + 8 * DAY)
    await scheduler.release()
    planned = await scheduler.list_touchpoints(account_id="acme", status="planned")

    answer = await scheduler.http.post(
        "/v1/coming", json={"account_ids": ["nobody", "acme", "old"], "days": 30, "limit": 2}
    )

    assert answer.status_code == 200, answer.text
    nobody, acme, old = answer.json()["items"]
    assert nobody == {"account_id": "nobody", "touchpoints": []}
    assert acme == {"account_id": "acme", "touchpoints": planned[:2]}
    assert old["account_id"] == "old"
    assert {each["account_id"] for each in old["touchpoints"]} == {"new"}
    near = await scheduler.http.post("/v1/coming", json={"account_ids": ["acme"], "days": 1})
    assert near.json()["items"][0]["touchpoints"] == []
    too_many = await scheduler.http.post("/v1/coming", json={"account_ids": ["a"] * 101})
    assert too_many.status_code == 422
