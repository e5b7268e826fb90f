"""People read the calendar and act on it, each on the version they last read."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm, tips

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
STEP = "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01"
UNKNOWN = "00000000-0000-0000-0000-000000000000"


async def by_hand(scheduler: Scheduler, **more: object) -> dict[str, Any]:
    asked = {"account_id": "acme", "type": "check_in", "due_at": "2026-03-05T14:00:00+01:00", **more}
    answer = await scheduler.http.post("/v1/touchpoints", json=asked)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def act(scheduler: Scheduler, item: dict[str, Any], deed: str, **asked: object) -> dict[str, Any]:
    body = {"version": item["sequence"], **asked}
    answer = await scheduler.http.post(f"/v1/touchpoints/{item['id']}/{deed}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_touchpoint_planned_by_hand_is_published_and_readable(scheduler: Scheduler) -> None:
    made = await by_hand(scheduler, csm_id="ada", purpose="say hello")

    answer = await scheduler.http.get(f"/v1/touchpoints/{made['id']}")

    read = answer.json()
    assert (read["status"], read["due_at"], read["origin"]) == ("planned", "2026-03-05T13:00:00Z", "hand")
    assert {**made, "updated_at": None} == {**read, "updated_at": None}
    assert await scheduler.event_kinds() == ["scheduled"]


async def test_what_a_person_leads_goes_to_the_csm_of_the_account(scheduler: Scheduler) -> None:
    record = {"account_id": "acme", "csm_id": "ada", "version": 1}
    await scheduler.consume(
        scheduler.event("directory.accounts", "drumbeat.account.directory.v1", "acme", record)
    )

    assert (await by_hand(scheduler))["csm_id"] == "ada"
    assert (await by_hand(scheduler, owner="automation", channel="email"))["csm_id"] is None


async def test_the_same_idempotency_key_plans_once(scheduler: Scheduler) -> None:
    asked = {"account_id": "acme", "type": "check_in", "due_at": "2026-03-05T14:00:00Z"}
    answers = [
        await scheduler.http.post("/v1/touchpoints", json=asked, headers={"Idempotency-Key": "k"})
        for _ in "ab"
    ]

    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert await scheduler.event_kinds() == ["scheduled"]


async def test_a_planned_one_is_settled_early_and_the_outcome_is_published(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    await scheduler.sent()
    item = (await scheduler.list_touchpoints())[3]

    after = await act(scheduler, item, "settle", outcome="completed", notes="met at the fair")

    assert (after["status"], after["sequence"]) == ("settled", 2)
    (sent,) = await scheduler.sent()
    assert sent["topic"] == "touchpoint.outcomes"
    assert sent["ce_type"] == "drumbeat.touchpoint.settled.v1"
    assert sent["ce_subject"] == "acme"
    assert sent["data"]["touchpoint_id"] == item["id"]
    await scheduler.consume(
        scheduler.outcome(sent["data"], id=sent["ce_id"], source=sent["ce_source"], time=MONDAY)
    )
    assert (await scheduler.http.get(f"/v1/touchpoints/{item['id']}")).json()["sequence"] == 2


async def test_a_stale_version_is_refused_with_the_current_one(scheduler: Scheduler) -> None:
    item = await by_hand(scheduler)
    await act(scheduler, item, "reschedule", to="2026-03-06T09:00:00Z")

    answer = await scheduler.http.post(
        f"/v1/touchpoints/{item['id']}/cancel", json={"version": item["sequence"], "reason": "no"}
    )

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["title"], answer.json()["current"]) == ("Stale version", 2)


async def test_of_two_who_act_on_one_version_only_one_wins(scheduler: Scheduler) -> None:
    item = await by_hand(scheduler)
    url, body = f"/v1/touchpoints/{item['id']}/settle", {"version": 1, "outcome": "attended"}

    answers = await asyncio.gather(*(scheduler.http.post(url, json=body) for _ in range(4)))

    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]


async def test_a_planned_one_is_moved_and_keeps_its_date_whatever_the_plan(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    item = (await scheduler.list_touchpoints())[2]
    await scheduler.sent()

    moved = await act(scheduler, item, "reschedule", to="2026-03-20T11:00:00Z")
    (sent,) = await scheduler.sent()
    await scheduler.consume(scheduler.plan(2, [rhythm(14)]))

    assert (moved["due_at"], moved["sequence"]) == ("2026-03-20T11:00:00Z", 2)
    assert sent["ce_id"] == f"{item['id']}:2:moved"
    read = (await scheduler.http.get(f"/v1/touchpoints/{item['id']}")).json()
    assert read["due_at"] == moved["due_at"]


async def test_one_that_has_come_due_is_rescheduled_into_another(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    await scheduler.release()
    (item,) = await scheduler.list_touchpoints(status="due")

    following = await act(scheduler, item, "reschedule", to="2026-03-04T11:00:00Z")

    assert following["follows"] == item["id"]
    assert following["status"] == "planned"
    (settled,) = await scheduler.list_touchpoints(status="settled")
    assert settled["outcome"]["outcome"] == "rescheduled"


async def test_reassigning_and_cancelling_publish_events(scheduler: Scheduler) -> None:
    item = await by_hand(scheduler, csm_id="ada")
    await scheduler.describe("bob")

    given = await act(scheduler, item, "reassign", csm_id="bob")
    gone = await act(scheduler, given, "cancel", reason="not needed")

    assert given["csm_id"] == "bob"
    assert (gone["status"], gone["reason"]["text"]) == ("cancelled", "cancelled: not needed")
    assert await scheduler.event_kinds() == ["scheduled", "moved", "cancelled"]
    answer = await scheduler.http.post(
        f"/v1/touchpoints/{item['id']}/settle", json={"version": 3, "outcome": "attended"}
    )
    assert (answer.status_code, answer.json()["title"]) == (409, "Not possible in this state")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/v1/touchpoints/{UNKNOWN}/settle", {"version": 1, "outcome": "attended"}),
        ("/v1/touchpoints/x/cancel", {"version": 1, "reason": "no"}),
    ],
)
async def test_an_unknown_touchpoint_is_not_found(
    scheduler: Scheduler, path: str, body: dict[str, object]
) -> None:
    assert (await scheduler.http.post(path, json=body)).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"account_id": "acme", "type": "check_in", "due_at": "2026-03-05T14:00:00"},
        {"account_id": "", "type": "check_in", "due_at": "2026-03-05T14:00:00Z"},
        {"account_id": "a\x00", "type": "check_in", "due_at": "2026-03-05T14:00:00Z"},
        {"account_id": "acme", "type": "check_in", "due_at": "2026-03-05T14:00:00Z", "owner": "robot"},
        {"account_id": "acme", "type": "check_in", "due_at": "2026-03-05T14:00:00Z", "dew_at": 1},
    ],
)
async def test_what_makes_no_sense_is_refused(scheduler: Scheduler, body: dict[str, object]) -> None:
    assert (await scheduler.http.post("/v1/touchpoints", json=body)).status_code == 422


@pytest.mark.parametrize(
    "query", ["from=yesterday", "status=lost", "limit=0", "limit=501", "cursor=abc", "updated_since=1"]
)
async def test_odd_questions_are_refused(scheduler: Scheduler, query: str) -> None:
    assert (await scheduler.http.get(f"/v1/touchpoints?{query}")).status_code == 422


async def test_filters_and_pages_give_everything_once(scheduler: Scheduler) -> None:
    await scheduler.consume(
        scheduler.plan(1, [rhythm(7), tips(7)]), scheduler.plan(1, [rhythm(7, csm_id="bob")], account="b")
    )

    assert len(await scheduler.list_touchpoints(csm_id="bob")) == 53
    assert len(await scheduler.list_touchpoints(account_id="acme", type="tips")) == 5
    soon = {"from": MONDAY.isoformat(), "to": (MONDAY + 7 * DAY).isoformat()}
    assert len(await scheduler.list_touchpoints(**soon)) == 3  # what is due at `to` itself is not in it
    seen: list[str] = []
    cursor: str | None = None
    while True:
        asked: dict[str, Any] = {"limit": 20} | ({"cursor": cursor} if cursor else {})
        page = (await scheduler.http.get("/v1/touchpoints", params=asked)).json()
        seen += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 111


async def test_projection_pages_without_gaps(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7), tips(3)]))
    asked: dict[str, Any] = {"account_id": "acme", "to": (MONDAY + 100 * DAY).isoformat(), "limit": 7}
    seen: list[dict[str, Any]] = []
    while True:
        page = (await scheduler.http.get("/v1/touchpoints", params=asked)).json()
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]

    whole = await scheduler.list_touchpoints(account_id="acme", to=(MONDAY + 100 * DAY).isoformat())
    assert [each["id"] for each in seen] == [each["id"] for each in whole]
    assert [each["due_at"] for each in whole] == sorted(each["due_at"] for each in whole)


async def test_the_change_feed_never_passes_a_running_transaction(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [], account="first"))
    locked, free = (
        scheduler.plan(1, [rhythm(28)], account="held"),
        scheduler.plan(1, [rhythm(28)], account="free"),
    )
    asked: dict[str, Any] = {"updated_since": MONDAY.isoformat(), "limit": 500}
    async with scheduler.database.transaction() as connection:
        await scheduler.handler(connection, [locked], MONDAY)
        await scheduler.consume(free)
        during = (await scheduler.http.get("/v1/touchpoints", params=asked)).json()
    after = (await scheduler.http.get("/v1/touchpoints", params=asked)).json()

    assert during["items"] == []
    assert {each["account_id"] for each in after["items"]} == {"held", "free"}
    at(MONDAY + DAY)
    item = (await scheduler.list_touchpoints(account_id="free"))[0]
    await act(scheduler, item, "settle", outcome="attended")
    more = (
        await scheduler.http.get("/v1/touchpoints", params={**asked, "cursor": after["resume_cursor"]})
    ).json()
    assert [(each["id"], each["status"]) for each in more["items"]] == [(item["id"], "settled")]


async def test_capacity_counts_minutes_by_csm_and_week(scheduler: Scheduler) -> None:
    record = {
        "csm_id": "ada", "version": 1, "weekly_minutes": 1500, "working_days": ["mon", "tue", "wed", "thu", "fri"],
        "time_off": [{"from": "2026-03-09", "to": "2026-03-10"}], "country": "ET",
    }  # fmt: skip
    await scheduler.consume(scheduler.event("directory.csms", "drumbeat.csm.directory.v1", "ada", record))
    await scheduler.consume(*(scheduler.plan(1, [rhythm(7)], account=f"a{n}") for n in range(4)))

    asked = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-15T00:00:00Z", "csm_id": "ada"}
    weeks = (await scheduler.http.get("/v1/capacity", params=asked)).json()["weeks"]

    assert weeks == [
        {
            "csm_id": "ada", "week": "2026-W10", "weekly_minutes": 1500, "available_minutes": 1200,
            "planned_minutes": 120, "touches": 4, "holidays": [{"on": "2026-03-02", "name": "Adwa Victory Day"}],
            "time_off": [], "doubt": None,
        },
        {
            "csm_id": "ada", "week": "2026-W11", "weekly_minutes": 1500, "available_minutes": 900,
            "planned_minutes": 120, "touches": 4, "holidays": [], "time_off": ["2026-03-09", "2026-03-10"],
            "doubt": None,
        },
    ]  # fmt: skip


async def test_holidays_of_a_csm_are_null_without_a_known_country(scheduler: Scheduler) -> None:
    for csm_id, country in (("ada", None), ("bob", "Atlantis")):
        record = {"csm_id": csm_id, "version": 1, "country": country}
        await scheduler.consume(
            scheduler.event("directory.csms", "drumbeat.csm.directory.v1", csm_id, record)
        )

    asked = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
    weeks = (await scheduler.http.get("/v1/capacity", params=asked)).json()["weeks"]

    assert [(week["csm_id"], week["available_minutes"], week["holidays"]) for week in weeks] == [
        ("ada", 2400, None),
        ("bob", 2400, None),
    ]


async def test_a_csm_may_work_on_no_day_or_over_midnight(scheduler: Scheduler) -> None:
    """Row 38 of the reported faults: no days became Monday to Friday, a night shift nine to five."""
    night = {"from": "22:00", "to": "06:00"}
    described: dict[str, dict[str, object]] = {
        "idle": {"working_days": list[str]()},
        "owl": {"working_hours": night},
    }
    for csm_id, hours in described.items():
        record = {"csm_id": csm_id, "version": 1, "weekly_minutes": 1500, **hours}
        await scheduler.consume(
            scheduler.event("directory.csms", "drumbeat.csm.directory.v1", csm_id, record)
        )
    item = {**rhythm(7), "csm_id": "owl"}
    await scheduler.consume(scheduler.plan(1, [item], account="night"))

    asked = {"from": "2026-03-02", "to": "2026-03-08"}
    weeks = (await scheduler.http.get("/v1/capacity", params=asked)).json()["weeks"]
    available = {week["csm_id"]: week["available_minutes"] for week in weeks}
    doubts = {week["csm_id"]: week["doubt"] for week in weeks}
    assert (available["idle"], available["owl"], doubts["owl"]) == (0, 1500, None)
    assert "no working days" in doubts["idle"]

    found = (await scheduler.http.get("/v1/touchpoints", params={"account_id": "night"})).json()["items"]
    clocks = {datetime.fromisoformat(item["due_at"]).hour for item in found}
    assert clocks
    assert all(hour >= 22 or hour < 6 for hour in clocks)


async def test_no_key_no_answer(scheduler: Scheduler) -> None:
    answer = await scheduler.http.get("/v1/touchpoints", headers={"Authorization": "Bearer no"})

    assert answer.status_code == 401


async def test_a_date_means_its_beginning(scheduler: Scheduler) -> None:
    by_date = await scheduler.http.get("/v1/capacity", params={"from": "2026-03-02", "to": "2026-03-16"})
    by_instant = await scheduler.http.get(
        "/v1/capacity", params={"from": "2026-03-02T00:00:00Z", "to": "2026-03-16T00:00:00Z"}
    )

    assert by_date.status_code == 200
    assert by_date.json() == by_instant.json()


async def refused(scheduler: Scheduler, item: dict[str, Any], action: str, **body: object) -> str:
    """The detail of the 422 that an action gets."""
    path = f"/v1/touchpoints/{item['id']}/{action}"
    answer = await scheduler.http.post(path, json={"version": item["sequence"], **body})
    assert answer.status_code == 422, answer.text
    return answer.json()["detail"]


async def test_a_wrong_time_is_refused_unless_it_is_forced_with_a_reason_and_the_deadline_stays(
    scheduler: Scheduler,
) -> None:
    """C: the reason is stored and shown, for a planned one and for one that has come due.

    Its deadline, on Saturday, ends with the hours of Friday.
    """
    step = one_off(STEP, MONDAY + DAY, MONDAY + 2 * DAY, deadline=MONDAY + 5 * DAY)
    await scheduler.consume(scheduler.plan(1, [], [step]))
    (item,) = await scheduler.list_touchpoints()
    late = (MONDAY + 6 * DAY).isoformat()

    assert "is in the past" in await refused(scheduler, item, "reschedule", to="2026-03-01T09:00:00Z")
    assert "is after the deadline, 2026-03-06T17:00:00Z" in await refused(
        scheduler, item, "reschedule", to=late
    )
    for reason in ({}, {"reason": " "}):
        assert "needs a reason" in await refused(scheduler, item, "reschedule", to=late, force=True, **reason)
    moved = await act(scheduler, item, "reschedule", to=late, force=True, reason="they are away")

    assert (moved["due_at"], moved["deadline"]) == ("2026-03-08T10:00:00Z", "2026-03-06T17:00:00Z")
    (read,) = await scheduler.list_touchpoints()
    assert read["note"] == "they are away"
    (event,) = await scheduler.sent()
    assert (event["data"]["note"], event["data"]["deadline"]) == (
        "moved by hand: they are away",
        item["deadline"],
    )
    at(MONDAY + 6 * DAY)
    await scheduler.consume(scheduler.plan(2))
    await scheduler.release()
    (due,) = await scheduler.list_touchpoints(status="due")
    later = (MONDAY + 7 * DAY).isoformat()
    assert "after the deadline" in await refused(scheduler, due, "reschedule", to=later)
    following = await act(scheduler, due, "reschedule", to=later, force=True, reason="still away")
    assert (following["deadline"], following["note"]) == (item["deadline"], "still away")
    (settled,) = await scheduler.list_touchpoints(status="settled")
    assert settled["outcome"]["notes"] == "still away"


async def test_only_somebody_who_is_described_or_leads_an_account_gets_work_by_hand(
    scheduler: Scheduler,
) -> None:
    """C: a name that nobody knows is a typing error."""
    item = await by_hand(scheduler)
    names = {"account_id": "acme", "name": "Acme", "csm_id": "named", "sales_id": "sells", "version": 1}
    account = scheduler.event("directory.accounts", "drumbeat.account.directory.v1", "acme", names)

    assert "nobody is known as 'named'" in await refused(scheduler, item, "reassign", csm_id="named")
    await scheduler.consume(account)
    await scheduler.describe("described")
    for csm_id in ("named", "sells", "described"):
        item = await act(scheduler, item, "reassign", csm_id=csm_id)
        assert item["csm_id"] == csm_id
    assert "check the id" in await refused(scheduler, item, "reassign", csm_id="nmaed")


async def test_several_states_are_given_with_commas_or_one_by_one(scheduler: Scheduler) -> None:
    """A1: as the console and people write them."""
    await scheduler.consume(scheduler.plan(1, [rhythm(7), tips(7)]))
    await scheduler.release()
    at(MONDAY + 7 * DAY)
    await scheduler.mark_overdue()

    listed = await scheduler.list_touchpoints(status="due,overdue")

    assert {each["status"] for each in listed} == {"due", "overdue"}
    assert listed == await scheduler.list_touchpoints(status=["due", "overdue"])
    answer = await scheduler.http.get("/v1/touchpoints", params={"status": "due,late"})
    assert (answer.status_code, "late" in answer.text or "overdue" in answer.text) == (422, True)


async def test_every_act_by_hand_is_in_the_audit_log_without_what_was_written_by_hand(
    scheduler: Scheduler,
) -> None:
    made = await by_hand(scheduler, csm_id="ada", purpose="say hello to Zoe")
    moved = await act(
        scheduler, made, "reschedule", to="2026-03-06T14:00:00Z", reason="Zoe is ill", actor_id="ada"
    )
    refused = await scheduler.http.post(
        f"/v1/touchpoints/{made['id']}/cancel", json={"version": 99, "reason": "x"}
    )
    assert refused.status_code == 409
    await act(scheduler, moved, "cancel", reason="Zoe is still ill")
    await scheduler.sent_at_once()
    assert {entry["object"] for entry in scheduler.audited} == {f"touchpoint/{made['id']}"}
    assert [(entry["action"], entry["after"]) for entry in scheduler.audited] == [
        ("touchpoint.planned", {"type": "check_in"}),
        ("touchpoint.rescheduled", {"to": "2026-03-06T14:00:00Z", "actor_id": "ada"}),
        ("touchpoint.cancelled", None),
    ]
    assert "Zoe" not in str(scheduler.audited)
