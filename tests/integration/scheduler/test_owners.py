"""Owners are people: pools, sales, who joins and leaves, and work that nobody has."""

from datetime import timedelta
from typing import Any

import pytest

from services.chassis.dead_letters import Record
from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


def account(scheduler: Scheduler, name: str, version: int = 1, **more: object) -> Record:
    data = {"account_id": name, "version": version, **more}
    return scheduler.event("directory.accounts", "drumbeat.account.directory.v1", name, data)


def person(scheduler: Scheduler, name: str, version: int = 1, **more: object) -> Record:
    data = {"csm_id": name, "version": version, "name": name.title(), "email": f"{name}@us.example", **more}
    return scheduler.event("directory.csms", "drumbeat.csm.directory.v1", name, data)


def pooled(**more: object) -> dict[str, object]:
    contact = MONDAY - 4 * DAY
    return rhythm(7, owner="pooled_csm", csm_id=None, last_touch_at=contact, **more)


async def owners(scheduler: Scheduler, **filters: object) -> dict[str, set[str | None]]:
    by_account: dict[str, set[str | None]] = {}
    for item in await scheduler.list_touchpoints(**filters):
        by_account.setdefault(item["account_id"], set()).add(item["csm_id"])
    return by_account


async def post(scheduler: Scheduler, item: dict[str, Any], deed: str, **asked: object) -> Any:
    body = {"version": item["sequence"], **asked}
    return await scheduler.http.post(f"/v1/touchpoints/{item['id']}/{deed}", json=body)


async def test_work_of_a_pool_goes_to_its_members_and_stays_with_them(scheduler: Scheduler) -> None:
    """Row 30, S162."""
    await scheduler.consume(person(scheduler, "bob", pool="smb"), person(scheduler, "cyd", pool="smb"))
    names = [f"a{n}" for n in range(4)]
    await scheduler.consume(*(account(scheduler, name, pool="smb") for name in names))

    await scheduler.consume(*(scheduler.plan(1, [pooled()], account=name) for name in names))

    first = await owners(scheduler)
    assert sorted(len([1 for each in first.values() if each == {name}]) for name in ("bob", "cyd")) == [2, 2]
    (event, *_) = await scheduler.sent()
    assert event["data"]["owner"]["csm_id"] in ("bob", "cyd")
    assert event["data"]["owner"]["email"].endswith("@us.example")
    await scheduler.consume(*(scheduler.plan(2, [pooled(minutes=45)], account=name) for name in names))
    assert await owners(scheduler) == first


async def test_a_new_account_goes_to_whom_its_year_fits_and_not_to_whom_has_the_least_now(
    scheduler: Scheduler,
) -> None:
    """S162: bob has nothing planned, and is away from April on; who has an account keeps it when he is back."""
    away = [{"from": "2026-04-06", "to": "2027-02-20"}]
    names = ("first", "second", "third")
    await scheduler.consume(*(account(scheduler, name, pool="smb") for name in names))
    await scheduler.consume(person(scheduler, "cyd", pool="smb"))
    await scheduler.consume(scheduler.plan(1, [pooled()], account="first"))
    await scheduler.consume(person(scheduler, "bob", pool="smb", time_off=away))

    await scheduler.consume(scheduler.plan(1, [pooled()], account="second"))
    assert await owners(scheduler) == {"first": {"cyd"}, "second": {"cyd"}}

    await scheduler.consume(person(scheduler, "bob", 2, pool="smb"))
    await scheduler.consume(scheduler.plan(1, [pooled()], account="third"))
    await scheduler.extend()
    assert await owners(scheduler) == {"first": {"cyd"}, "second": {"cyd"}, "third": {"bob"}}


async def test_who_joins_a_pool_gets_what_nobody_has_also_what_is_due(scheduler: Scheduler) -> None:
    """S165: nothing falls through the gaps."""
    await scheduler.consume(account(scheduler, "acme", pool="smb"))
    await scheduler.consume(scheduler.plan(1, [pooled()]))
    at(MONDAY + 7 * DAY)
    await scheduler.release()
    assert await owners(scheduler, unowned="true") == {"acme": {None}}
    await scheduler.sent()

    await scheduler.consume(person(scheduler, "bob", pool="smb"))
    await scheduler.extend()

    assert await owners(scheduler) == {"acme": {"bob"}}
    assert await owners(scheduler, unowned="true") == {}
    moved = [each["data"] for each in await scheduler.sent() if "moved" in each["ce_type"]]
    assert {each["status"] for each in moved} == {"due", "planned"}
    assert {each["changed_by"] for each in moved} == {"plan"}
    assert moved[0]["previous_owner"] == {"kind": "pooled_csm", "csm_id": None, "name": None, "email": None}


async def test_who_leaves_a_pool_or_is_deleted_hands_over_what_is_planned(scheduler: Scheduler) -> None:
    await scheduler.consume(person(scheduler, "bob", pool="smb"))
    await scheduler.consume(account(scheduler, "acme", pool="smb"))
    await scheduler.consume(scheduler.plan(1, [pooled()]))
    await scheduler.consume(person(scheduler, "cyd", pool="smb"))
    await scheduler.extend()
    assert await owners(scheduler) == {"acme": {"bob"}}

    await scheduler.consume(person(scheduler, "bob", 2, pool="emea"))
    await scheduler.extend()
    assert await owners(scheduler) == {"acme": {"cyd"}}

    at(MONDAY + 7 * DAY)
    await scheduler.release()
    await scheduler.consume(scheduler.tombstone("directory.csms", "cyd"))
    await scheduler.extend()
    assert await owners(scheduler, unowned="true") == {"acme": {None, "cyd"}}
    await scheduler.consume(person(scheduler, "bob", 3, pool="smb"))
    await scheduler.extend()
    assert await owners(scheduler) == {"acme": {"bob"}}


async def test_an_account_that_moves_to_another_pool_gets_a_person_of_that_pool(scheduler: Scheduler) -> None:
    await scheduler.consume(person(scheduler, "bob", pool="smb"), person(scheduler, "eve", pool="emea"))
    await scheduler.consume(account(scheduler, "acme", pool="smb"))
    await scheduler.consume(scheduler.plan(1, [pooled()]))
    await scheduler.sent()

    await scheduler.consume(account(scheduler, "acme", 2, pool="emea"))
    await scheduler.extend()

    assert await owners(scheduler) == {"acme": {"eve"}}
    event = (await scheduler.sent())[0]["data"]
    assert (event["previous_owner"]["csm_id"], event["previous_owner"]["name"]) == ("bob", "Bob")
    assert event["changed_by"] == "plan"


async def test_sales_work_goes_to_the_person_of_the_account_else_to_anybody_of_sales(
    scheduler: Scheduler,
) -> None:
    """S166."""
    proposal = one_off(
        "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01",
        MONDAY + DAY,
        MONDAY + 5 * DAY,
        touchpoint_type="expansion_proposal",
        owner="sales",
        csm_id=None,
    )
    await scheduler.consume(account(scheduler, "acme"))
    await scheduler.consume(scheduler.plan(1, (), [proposal]))
    assert await owners(scheduler, unowned="true") == {"acme": {None}}

    await scheduler.consume(person(scheduler, "sam", role="sales"))
    await scheduler.extend()
    assert await owners(scheduler) == {"acme": {"sam"}}

    await scheduler.consume(account(scheduler, "acme", 2, sales_id="zoe"))
    await scheduler.extend()
    assert await owners(scheduler) == {"acme": {"zoe"}}


async def test_a_person_whom_nobody_described_keeps_the_work_and_it_counts_as_unowned(
    scheduler: Scheduler,
) -> None:
    """Row 31."""
    await scheduler.consume(scheduler.plan(1, [rhythm(7, csm_id="csm-typo")]))

    assert await owners(scheduler, unowned="true") == {"acme": {"csm-typo"}}

    await scheduler.consume(person(scheduler, "csm-typo"))
    assert await owners(scheduler, unowned="true") == {}


async def test_unowned_work_counts_in_the_capacity_by_pool(scheduler: Scheduler) -> None:
    await scheduler.consume(account(scheduler, "acme", pool="smb"), account(scheduler, "bolt"))
    await scheduler.consume(
        scheduler.plan(1, [pooled()]), scheduler.plan(1, [rhythm(7, csm_id=None)], account="bolt")
    )

    answer = await scheduler.http.get("/v1/capacity", params={"from": "2026-03-02", "to": "2026-03-08"})

    assert answer.json()["unowned"] == [
        {"pool": "smb", "week": "2026-W10", "planned_minutes": 30, "touches": 1},
        {"pool": None, "week": "2026-W10", "planned_minutes": 30, "touches": 1},
    ]


async def test_work_that_nobody_has_is_claimed_once(scheduler: Scheduler) -> None:
    await scheduler.consume(person(scheduler, "bob"), person(scheduler, "cyd"))
    await scheduler.consume(scheduler.plan(1, [rhythm(7, csm_id="csm-typo")]))
    await scheduler.release()
    (due,) = await scheduler.list_touchpoints(status="due")
    await scheduler.sent()

    unknown = await post(scheduler, due, "claim", csm_id="bbo")
    claimed = await post(scheduler, due, "claim", csm_id="bob")
    again = await post(scheduler, claimed.json(), "claim", csm_id="cyd")

    assert (unknown.status_code, "bbo" in unknown.json()["detail"]) == (422, True)
    assert (claimed.status_code, claimed.json()["csm_id"]) == (200, "bob")
    assert (again.status_code, "bob" in again.json()["detail"]) == (409, True)
    (event,) = await scheduler.sent_at_once()
    assert event["data"]["previous_owner"]["csm_id"] == "csm-typo"
    assert (event["data"]["changed_by"], event["data"]["status"]) == ("person", "due")
    assert event["ce_type"] == "drumbeat.touchpoint.moved.v1"


async def test_work_is_claimed_by_the_rule_by_which_it_is_given(scheduler: Scheduler) -> None:
    """Issue 11, C: also by somebody whom an account names and nobody described yet; never from somebody described."""
    await scheduler.consume(account(scheduler, "bolt", csm_id="named"))
    await scheduler.consume(person(scheduler, "bob"))
    await scheduler.consume(scheduler.plan(1, [rhythm(7, csm_id="csm-typo")]))
    await scheduler.release()
    (due,) = await scheduler.list_touchpoints(status="due")

    claimed = await post(scheduler, due, "claim", csm_id="named")
    taken = await post(scheduler, claimed.json(), "claim", csm_id="bob")
    late = await post(scheduler, taken.json(), "claim", csm_id="named")

    assert (claimed.status_code, claimed.json()["csm_id"]) == (200, "named")
    assert (taken.status_code, taken.json()["csm_id"]) == (200, "bob")
    assert (late.status_code, "bob" in late.json()["detail"]) == (409, True)


async def test_a_directory_that_is_read_again_says_what_an_older_version_did_not_keep(
    scheduler: Scheduler,
) -> None:
    """An upgrade reads the directory from its beginning: the same version says more."""
    await scheduler.consume(account(scheduler, "acme", 5, pool="smb", sales_id="zoe"))
    await scheduler.consume(person(scheduler, "bob", 3, pool="smb", role="sales"))
    pool = scheduler.database.pool
    await pool.execute("UPDATE account_calendar SET pool = NULL, sales_id = NULL")
    await pool.execute("UPDATE person SET role = NULL")

    await scheduler.consume(account(scheduler, "acme", 5, pool="smb", sales_id="zoe"))
    await scheduler.consume(person(scheduler, "bob", 3, pool="smb", role="sales"))

    assert await pool.fetchrow("SELECT pool, sales_id FROM account_calendar") == ("smb", "zoe")
    assert await pool.fetchval("SELECT role FROM person") == "sales"
