"""Books are handed over: a preview, then the accounts with their touchpoints; phases stay, facts win."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm
from tests.integration.scheduler.test_owners import account, owners, person, post

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
DAY = timedelta(days=1)


async def hand_over(scheduler: Scheduler, csm_id: str, **body: object) -> httpx.Response:
    return await scheduler.http.post("/v1/handovers", json={"from": csm_id, **body})


async def plan_book(scheduler: Scheduler, count: int, csm_id: str = "ada", **more: Any) -> list[str]:
    names = [f"{csm_id}-{number:02d}" for number in range(count)]
    await scheduler.consume(*(account(scheduler, name, csm_id=csm_id, **more) for name in names))
    await scheduler.consume(*(scheduler.plan(1, [rhythm(28, csm_id=csm_id)], account=name) for name in names))
    return names


async def starts(scheduler: Scheduler, csm_id: str) -> dict[str, str]:
    rows = await scheduler.list_touchpoints(csm_id=csm_id, status="planned")
    return {row["id"]: row["due_at"] for row in rows}


async def test_a_preview_says_who_takes_what_and_writes_nothing(scheduler: Scheduler) -> None:
    """U8."""
    await scheduler.consume(person(scheduler, "ada"), person(scheduler, "bob"))
    names = await plan_book(scheduler, 3)
    await scheduler.sent()
    before = await starts(scheduler, "ada")

    answer = (await hand_over(scheduler, "ada", to="bob", preview=True)).json()

    assert [each["account_id"] for each in answer["accounts"]] == names
    assert {each["to"] for each in answer["accounts"]} == {"bob"}
    assert sum(each["touches"] for each in answer["accounts"]) == len(before)
    ada, bob = answer["load"]
    assert (ada["csm_id"], ada["accounts_before"], ada["accounts_after"]) == ("ada", 3, 0)
    assert (bob["csm_id"], bob["accounts_before"], bob["accounts_after"]) == ("bob", 0, 3)
    assert (ada["minutes_after"], bob["minutes_after"]) == (0, ada["minutes_before"])
    assert answer["still_named"] == names
    assert await starts(scheduler, "ada") == before
    assert await scheduler.sent() == []


async def test_handing_a_book_over_keeps_its_phases_and_tells_who_had_it(scheduler: Scheduler) -> None:
    """U8: every open touchpoint, also one that is due and one that a person moved; reconciling again changes nothing."""
    await scheduler.consume(person(scheduler, "ada"), person(scheduler, "bob"))
    names = await plan_book(scheduler, 3)
    await scheduler.level()
    at(MONDAY + 20 * DAY)
    await scheduler.release()
    pinned = next(iter(await scheduler.list_touchpoints(status="planned", account_id=names[0])))
    moved = datetime.fromisoformat(pinned["due_at"]) + DAY
    assert (await post(scheduler, pinned, "reschedule", to=moved.isoformat())).is_success
    await scheduler.sent()
    before = await starts(scheduler, "ada")
    due = await scheduler.list_touchpoints(status="due,overdue")
    plan = (await hand_over(scheduler, "ada", to="bob", preview=True)).json()

    done = await hand_over(scheduler, "ada", to="bob", preview=False, version=plan["version"])

    assert done.status_code == 200, done.text
    assert done.json()["id"] == plan["id"]
    assert await starts(scheduler, "bob") == before
    await scheduler.extend()
    await scheduler.level()
    await scheduler.consume(scheduler.plan(2, [rhythm(28, minutes=45)], account=names[0]))
    await scheduler.extend()
    assert await starts(scheduler, "bob") == before
    assert await owners(scheduler) == {name: {"bob"} for name in names}
    events = [each for each in await scheduler.sent() if each["topic"] == "touchpoint.events"]
    assert {each["data"]["owner"]["csm_id"] for each in events} == {"bob"}
    assert {each["data"]["previous_owner"]["csm_id"] for each in events} == {"ada"}
    assert {each["id"] for each in due} <= {each["data"]["touchpoint_id"] for each in events}


async def test_it_is_in_the_audit_log(scheduler: Scheduler) -> None:
    await scheduler.consume(person(scheduler, "bob"))
    await plan_book(scheduler, 1)

    await hand_over(scheduler, "ada", to="bob", preview=False)

    await scheduler.sent_at_once()
    (entry,) = scheduler.audited
    assert (entry["action"], entry["object"]) == ("book.handed_over", "csm/ada")
    assert (entry["before"], entry["after"]) == ({"ada-00": "ada"}, {"ada-00": "bob"})


async def test_a_stale_preview_is_refused(scheduler: Scheduler) -> None:
    await scheduler.consume(person(scheduler, "ada"), person(scheduler, "bob"))
    await plan_book(scheduler, 2)
    plan = (await hand_over(scheduler, "ada", to="bob")).json()
    await scheduler.consume(scheduler.plan(1, [rhythm(7)], account="newcomer"))

    refused = await hand_over(scheduler, "ada", to="bob", preview=False, version=plan["version"])

    assert refused.status_code == 409
    assert "preview it again" in refused.json()["detail"]
    assert await starts(scheduler, "bob") == {}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"to": "typo"}, "to: nobody is known as 'typo'"),
        ({"to": "ada"}, "has these accounts already"),
        ({"to": "bob", "account_ids": ["other"]}, "does not lead other"),
        ({"from": "nobody", "to": "bob"}, "from: nobody is known as 'nobody'"),
        ({}, "nobody else is in the pool"),
    ],
)
async def test_a_hand_over_that_cannot_be_is_refused(
    scheduler: Scheduler, body: dict[str, object], message: str
) -> None:
    await scheduler.consume(person(scheduler, "ada", pool="smb"), person(scheduler, "bob"))
    await plan_book(scheduler, 1)

    refused = await scheduler.http.post("/v1/handovers", json={"from": "ada", **body})

    assert refused.status_code == 422, refused.text
    assert message in refused.json()["detail"]


async def test_without_a_name_the_book_is_shared_out_over_the_pool_by_the_years_work(
    scheduler: Scheduler,
) -> None:
    """S162: who has less gets more, and who has met an account keeps it in doubt."""
    names = ("ada", "bob", "cyd")
    await scheduler.consume(*(person(scheduler, name, pool="smb", weekly_minutes=600) for name in names))
    await scheduler.consume(
        person(scheduler, "mona", pool="smb", role="manager"), person(scheduler, "eve", pool="x")
    )
    await plan_book(scheduler, 10, pool="smb")
    await plan_book(scheduler, 4, "bob", pool="smb")

    plan = (await hand_over(scheduler, "ada", preview=False)).json()

    takers = [each["to"] for each in plan["accounts"]]
    assert (takers.count("bob"), takers.count("cyd")) == (3, 7)
    after = {each["csm_id"]: each["percent_after"] for each in plan["load"]}
    assert after["bob"] == after["cyd"]
    assert await starts(scheduler, "ada") == {}


async def test_what_the_directory_says_later_wins(scheduler: Scheduler) -> None:
    """The hand-over counts while the plan names the former person; not when they are named anew."""
    await scheduler.consume(*(person(scheduler, name) for name in ("ada", "bob", "cyd")))
    await plan_book(scheduler, 1)
    await hand_over(scheduler, "ada", to="bob", preview=False)
    await scheduler.consume(account(scheduler, "ada-00", 2, csm_id="ada"))
    await scheduler.extend()
    assert await owners(scheduler) == {"ada-00": {"bob"}}

    for version, csm_id in ((3, "cyd"), (4, "ada")):
        await scheduler.consume(account(scheduler, "ada-00", version, csm_id=csm_id))
        await scheduler.consume(scheduler.plan(version, [rhythm(28, csm_id=csm_id)], account="ada-00"))
        await scheduler.extend()
        assert await owners(scheduler, **{"from": "2026-03-03"}) == {"ada-00": {csm_id}}


async def test_a_book_can_be_handed_on_and_back(scheduler: Scheduler) -> None:
    await scheduler.consume(*(person(scheduler, name) for name in ("ada", "bob", "cyd")))
    await plan_book(scheduler, 2)
    for former, to in (("ada", "bob"), ("bob", "cyd"), ("cyd", "ada")):
        answer = await hand_over(scheduler, former, to=to, preview=False)
        assert len(answer.json()["accounts"]) == 2
        await scheduler.extend()
        assert await owners(scheduler) == {"ada-00": {to}, "ada-01": {to}}
    stored = await scheduler.database.pool.fetch("SELECT handovers FROM account_calendar")
    assert all("ada" not in orjson.loads(row[0]) for row in stored)


async def test_a_touchpoint_at_a_time_the_new_person_does_not_work_is_counted_and_moved(
    scheduler: Scheduler,
) -> None:
    off = {"from": "2026-03-09", "to": "2026-03-13"}
    await scheduler.consume(
        person(scheduler, "ada"), person(scheduler, "bob", working_days=["tue", "wed"], time_off=[off])
    )
    await plan_book(scheduler, 1)
    plan = (await hand_over(scheduler, "ada", to="bob")).json()

    assert plan["accounts"][0]["moved_touches"] == plan["accounts"][0]["touches"]
    await hand_over(scheduler, "ada", to="bob", preview=False)
    await scheduler.extend()
    times = sorted((await starts(scheduler, "bob")).values())[1:]  # the first is due at this moment
    assert {datetime.fromisoformat(each).weekday() for each in times} <= {1, 2}


async def test_the_book_of_who_has_left_goes_to_the_pool(scheduler: Scheduler) -> None:
    """The CRM still names the leaver: nothing waits for somebody who is gone."""
    names = ("ada", "bob", "cyd")
    await scheduler.consume(*(person(scheduler, name, pool="smb") for name in names))
    accounts = await plan_book(scheduler, 25)
    before = await starts(scheduler, "ada")
    await scheduler.consume(scheduler.tombstone("directory.csms", "ada"))

    await scheduler.share_out()
    await scheduler.extend()

    found = await owners(scheduler)
    assert set(found) == set(accounts)
    shares = [sum(each == {name} for each in found.values()) for name in ("bob", "cyd")]
    assert sorted(shares) == [12, 13]
    assert {**await starts(scheduler, "bob"), **await starts(scheduler, "cyd")} == before
    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM left_person") == 0


async def test_a_leaver_without_a_pool_leaves_work_that_nobody_has(scheduler: Scheduler) -> None:
    await scheduler.consume(person(scheduler, "ada"), person(scheduler, "bob"))
    await plan_book(scheduler, 1)
    await scheduler.consume(scheduler.tombstone("directory.csms", "ada"))

    await scheduler.share_out()

    assert await owners(scheduler, unowned="true") == {"ada-00": {"ada"}}


async def test_sales_work_of_a_person_is_part_of_their_book(scheduler: Scheduler) -> None:
    proposal = one_off(
        "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01", MONDAY + DAY, MONDAY + 5 * DAY, owner="sales", csm_id=None
    )
    await scheduler.consume(person(scheduler, "sam", role="sales"), person(scheduler, "zoe", role="sales"))
    await scheduler.consume(account(scheduler, "acme", sales_id="sam"))
    await scheduler.consume(scheduler.plan(1, (), [proposal]))

    await hand_over(scheduler, "sam", to="zoe", preview=False)
    await scheduler.extend()

    assert await owners(scheduler) == {"acme": {"zoe"}}
