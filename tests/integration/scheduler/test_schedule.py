"""The schedule of an account for its own people: a year of what contacts them, as exact as it is honest."""

from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm, tips
from tests.integration.scheduler.test_invitations import publish

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
INTERNAL = str(uuid5(NAMESPACE_URL, "internal"))
REVIEW = {"touchpoint_type": "business_review", "channel": "meeting", "minutes": 60, "precedence": "floor"}


async def schedule_of(scheduler: Scheduler, account_id: str = "acme", **more: int) -> dict[str, Any]:
    answer = await scheduler.http.get("/v1/schedule", params={"account_id": account_id, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_year_has_what_people_lead_and_what_is_sent_and_no_internal_work(
    scheduler: Scheduler,
) -> None:
    """F8: planned and projected together, with who leads it by name."""
    await scheduler.describe("ada", name="Ada")
    work = one_off(INTERNAL, MONDAY + DAY, MONDAY + 2 * DAY, touchpoint_type="escalation", topic=None)
    await scheduler.consume(scheduler.plan(1, [rhythm(90, **REVIEW), tips(7)], [work]))

    found = await schedule_of(scheduler)

    kinds = [one["touchpoint_type"] for one in found["touchpoints"]]
    assert set(kinds) == {"business_review", "tips"}
    assert kinds.count("business_review") in (4, 5)
    assert kinds.count("tips") in (51, 52, 53)
    moments = [datetime.fromisoformat(one["due_at"]) for one in found["touchpoints"]]
    assert moments == sorted(moments)
    assert MONDAY + 330 * DAY < moments[-1] < MONDAY + 366 * DAY
    people = {one["touchpoint_type"]: one["person"] for one in found["touchpoints"]}
    assert people == {"business_review": "Ada", "tips": None}
    near = await schedule_of(scheduler, days=20)
    assert all(datetime.fromisoformat(one["due_at"]) < MONDAY + 20 * DAY for one in near["touchpoints"])


async def test_what_levelling_may_still_move_has_a_time_only_when_it_is_near(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(14), rhythm(90, **REVIEW), tips(7)]))
    await scheduler.level()

    found = await schedule_of(scheduler)

    assert {(one["touchpoint_type"], one["exactness"]) for one in found["touchpoints"]} >= {
        ("check_in", "time"),
        ("check_in", "week"),
        ("business_review", "month"),
        ("tips", "time"),
    }
    for one in found["touchpoints"]:
        is_near = datetime.fromisoformat(one["due_at"]) < MONDAY + timedelta(weeks=6)
        is_exact = one["exactness"] == "time"
        assert is_exact == (is_near or one["touchpoint_type"] == "tips"), one


async def test_what_people_are_invited_to_is_exact(scheduler: Scheduler) -> None:
    """S188: half a year ahead it keeps its day, and their calendars have it."""
    await publish(scheduler, business_review=True)
    await scheduler.consume(scheduler.plan(1, [rhythm(90, **REVIEW)]))
    await scheduler.level()
    await scheduler.announce()

    shown = [
        (datetime.fromisoformat(one["due_at"]) < MONDAY + timedelta(days=183), one["exactness"])
        for one in (await schedule_of(scheduler))["touchpoints"]
    ]

    assert set(shown) == {(True, "time"), (False, "month")}


async def test_a_date_that_a_person_set_is_exact(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(90, **REVIEW)]))
    review = (await scheduler.list_touchpoints(account_id="acme"))[-1]
    to = datetime.fromisoformat(review["due_at"]) + DAY
    body = {"to": to.isoformat(), "version": review["sequence"]}
    moved = await scheduler.http.post(f"/v1/touchpoints/{review['id']}/reschedule", json=body)
    assert moved.status_code == 200, moved.text

    assert (await schedule_of(scheduler))["touchpoints"][-1]["exactness"] == "time"


async def test_rhythms_that_no_wish_makes_rarer_are_marked(scheduler: Scheduler) -> None:
    """S7, F8: the floors of the account's plan."""
    never = {"touchpoint_type": "executive_review", "never_skip": True}
    internal = rhythm(7, touchpoint_type="value_watch", topic=None)
    await scheduler.consume(
        scheduler.plan(1, [rhythm(14), rhythm(90, **REVIEW), rhythm(365, **never), internal])
    )

    rhythms = (await schedule_of(scheduler))["rhythms"]

    assert {one["touchpoint_type"]: (one["every_days"], one["is_guaranteed"]) for one in rhythms} == {
        "check_in": (14, False),
        "business_review": (90, True),
        "executive_review": (365, True),
    }


async def test_a_merged_account_has_the_schedule_of_the_other_and_an_unknown_one_has_none(
    scheduler: Scheduler,
) -> None:
    await scheduler.consume(
        scheduler.plan(1, [rhythm(7)], account="old"),
        scheduler.plan(5, [rhythm(7)], account="new", merged_from=["old"]),
    )

    old, new = [await schedule_of(scheduler, name) for name in ("old", "new")]

    assert old == {**new, "account_id": "old"}
    assert old["touchpoints"]
    nobody = await schedule_of(scheduler, "nobody")
    assert nobody == {"account_id": "nobody", "touchpoints": [], "rhythms": []}


async def test_what_is_over_or_came_due_is_not_to_come(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    at(MONDAY + 30 * DAY)
    await scheduler.release()

    assert all(
        datetime.fromisoformat(one["due_at"]) >= MONDAY + 30 * DAY
        for one in (await schedule_of(scheduler))["touchpoints"]
    )


@pytest.mark.parametrize(
    "query",
    [
        "",
        "account_id=",
        "account_id=a%00b",
        "account_id=a%16b",
        "account_id=a&days=0",
        "account_id=a&days=367",
    ],
)
async def test_what_cannot_be_asked_is_refused(scheduler: Scheduler, query: str) -> None:
    assert (await scheduler.http.get(f"/v1/schedule?{query}")).status_code == 422
    stranger = await scheduler.http.get("/v1/schedule?account_id=a", headers={"Authorization": ""})
    assert stranger.status_code == 401
