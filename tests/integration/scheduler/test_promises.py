"""Promises that will be broken are given to a colleague or announced once, before they are (F12)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from services.chassis.keys import SCOPES, ApiKey, digest, new_secret
from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off

pytestmark = pytest.mark.integration
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ASK = str(uuid5(NAMESPACE_URL, "ask"))
FRIDAY = datetime(2026, 5, 22, 17, tzinfo=UTC)
"""17:00 in London before a bank holiday on Monday, 25 May."""
LONDON: Mapping[str, object] = {"timezone": "Europe/London", "country": "GB", "region": "ENG"}


async def plan(scheduler: Scheduler, start: datetime, version: int = 1, hours: int = 48, **more: Any) -> None:
    end = start + hours * HOUR
    item = {"touchpoint_type": "advocacy_ask", "channel": "email", "minutes": 30, "deadline": end, **more}
    await scheduler.consume(scheduler.plan(version, [], [one_off(ASK, start, end, **item)]))


async def settle(scheduler: Scheduler) -> list[dict[str, Any]]:
    """What is announced once everybody is levelled and every account is quiet."""
    await scheduler.extend()
    await scheduler.level()
    sent = await scheduler.sent()
    await scheduler.watch()
    return sent + await scheduler.sent()


def alarms(sent: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in sent if each["ce_type"] == "drumbeat.touchpoint.at_risk.v1"]


async def state(scheduler: Scheduler) -> tuple[str, str | None]:
    row = await scheduler.database.pool.fetchrow(
        "SELECT state, cause FROM promise WHERE touchpoint_id = $1", ASK
    )
    assert row is not None
    return row["state"], row["cause"]


async def test_f12_a_promise_over_a_holiday_weekend_is_announced_at_once_with_its_cause(
    scheduler: Scheduler,
) -> None:
    at(FRIDAY)
    await scheduler.describe("ada", name="Ada", **LONDON)
    await plan(scheduler, FRIDAY)

    (alarm,) = alarms(await settle(scheduler))

    assert alarm["ce_id"] == f"{ASK}:2026-05-22T17:00:00Z:at_risk:closed"
    assert alarm["data"]["risk"] == {
        "cause": "closed",
        "deadline": "2026-05-24T17:00:00Z",
        "detail": "nothing is open before its deadline: no working day, public holiday Spring Bank Holiday",
        "since": "2026-05-22T17:00:00Z",
    }
    assert alarm["data"]["status"] == "planned"
    at(FRIDAY + DAY)
    assert alarms(await settle(scheduler)) == []
    assert await state(scheduler) == ("at_risk", "closed")
    at(FRIDAY + 48 * HOUR)
    await scheduler.watch()
    assert await state(scheduler) == ("breached", "closed")
    assert scheduler.counted["promise_breached"] == 1
    assert "promise_unannounced" not in scheduler.counted


async def test_a_promise_that_breaks_while_nobody_looks_is_counted_as_unannounced(
    scheduler: Scheduler,
) -> None:
    at(FRIDAY)
    await scheduler.describe("ada", name="Ada", **LONDON)
    await plan(scheduler, FRIDAY)
    at(FRIDAY + 48 * HOUR)

    assert alarms(await settle(scheduler)) == []

    assert await state(scheduler) == ("breached", None)
    assert scheduler.counted["promise_breached"] == scheduler.counted["promise_unannounced"] == 1


async def test_f12_a_colleague_who_works_then_keeps_the_promise(scheduler: Scheduler) -> None:
    """What is closed for one person is open for another: Ben works at weekends."""
    at(FRIDAY)
    await scheduler.describe("ada", name="Ada", pool="uk", **LONDON)
    await scheduler.describe(
        "ben", name="Ben", pool="uk", working_days=["sat", "sun"], timezone="Europe/London"
    )
    await describe_account(scheduler, pool="uk", csm_id="ada")
    await plan(scheduler, FRIDAY)

    sent = await settle(scheduler)

    moved = [each["data"] for each in sent if each["ce_type"] == "drumbeat.touchpoint.moved.v1"][-1]
    assert moved["owner"]["csm_id"] == "ben"
    assert moved["due_at"] == "2026-05-23T08:00:00Z"
    assert moved["note"].startswith("covered by Ben: nothing is open before its deadline: no working day")
    assert alarms(sent + await settle(scheduler)) == []
    assert await state(scheduler) == ("open", None)


async def test_f12_what_came_due_is_given_to_a_colleague_when_its_owner_has_to_leave(
    scheduler: Scheduler,
) -> None:
    await scheduler.describe("ada", name="Ada", pool="uk")
    await scheduler.describe("ben", name="Ben", pool="uk")
    await describe_account(scheduler, pool="uk", csm_id="ada")
    await plan(scheduler, MONDAY)
    await settle(scheduler)
    await scheduler.release()
    assert alarms(await settle(scheduler)) == []

    at(MONDAY + HOUR)
    away = [{"from": "2026-03-02", "to": "2026-03-09"}]
    await scheduler.describe("ada", version=2, name="Ada", pool="uk", time_off=away)
    sent = await settle(scheduler)

    (moved,) = [each["data"] for each in sent if each["ce_type"] == "drumbeat.touchpoint.moved.v1"]
    assert (moved["status"], moved["owner"]["csm_id"]) == ("due", "ben")
    assert moved["previous_owner"]["csm_id"] == "ada"
    assert moved["note"] == "covered by Ben: Ada is away from 2026-03-02 to 2026-03-09"
    assert alarms(sent) == []
    assert await state(scheduler) == ("open", None)


async def test_what_runs_out_of_time_is_announced_half_a_working_day_before_and_kept_when_settled(
    scheduler: Scheduler,
) -> None:
    await scheduler.describe("ada", name="Ada")
    await plan(scheduler, MONDAY)
    await settle(scheduler)
    await scheduler.release()
    await settle(scheduler)
    assert await state(scheduler) == ("open", None)

    at(datetime(2026, 3, 3, 13, 59, tzinfo=UTC))  # until 10:00 on Wednesday
    assert alarms(await settle(scheduler)) == []
    at(datetime(2026, 3, 3, 14, tzinfo=UTC))
    (alarm,) = alarms(await settle(scheduler))
    assert alarm["data"]["risk"]["cause"] == "unsettled"

    data = {"touchpoint_id": ASK, "touchpoint_type": "advocacy_ask", "outcome": "completed"}
    await scheduler.consume(scheduler.outcome(data))
    assert alarms(await settle(scheduler)) == []
    assert await state(scheduler) == ("kept", None)


async def test_f12_full_weeks_are_announced(scheduler: Scheduler) -> None:
    """Both days until the deadline are taken by what has a fixed time."""
    await scheduler.describe("ada", name="Ada")
    at(MONDAY - DAY)
    for day in range(3):
        body = {"account_id": f"a{day}", "type": "kickoff", "csm_id": "ada", "owner": "csm", "minutes": 480}
        body["due_at"] = (MONDAY + day * DAY - HOUR).isoformat()
        answer = await scheduler.http.post("/v1/touchpoints", json=body)
        assert answer.status_code == 201, answer.text
    await plan(scheduler, MONDAY - DAY)

    (alarm,) = alarms(await settle(scheduler))

    assert alarm["data"]["touchpoint_id"] == ASK
    assert alarm["data"]["risk"]["cause"] == "no_room"
    assert await state(scheduler) == ("at_risk", "no_room")


async def test_promises_and_adherence_are_read_over_http(scheduler: Scheduler) -> None:
    await scheduler.describe("ada", name="Ada")
    at(FRIDAY)
    await scheduler.describe("ada", version=2, name="Ada", **LONDON)
    await plan(scheduler, FRIDAY)
    await settle(scheduler)

    (item,) = (await read(scheduler, "/v1/promises", status="open,at_risk", csm_id="ada"))["items"]
    assert (item["touchpoint_id"], item["status"], item["policy"]) == (ASK, "at_risk", "p1")
    assert item["promised_at"] == "2026-05-24T17:00:00Z"
    assert (item["risk"]["cause"], item["warned_at"]) == ("closed", "2026-05-22T17:00:00Z")
    (touchpoint,) = await scheduler.list_touchpoints()
    assert touchpoint["risk"] == item["risk"]
    (row,) = (await read(scheduler, "/v1/promises/adherence"))["rows"]
    assert (row["key"], row["at_risk"], row["unsettled"], row["adherence"]) == ("ada", 1, 0, None)

    at(FRIDAY + 48 * HOUR)
    await scheduler.watch()
    for by, key in (("csm", "ada"), ("policy", "p1"), ("touchpoint_type", "advocacy_ask")):
        (row,) = (await read(scheduler, "/v1/promises/adherence", by=by))["rows"]
        assert (row["key"], row["breached"], row["unannounced"], row["adherence"]) == (key, 1, 0, 0.0)
    assert (await read(scheduler, "/v1/promises", to="2026-05-24"))["items"] == []
    (item,) = (await read(scheduler, "/v1/promises", status="breached"))["items"]
    assert item["risk"]["cause"] == "closed"


PATHS = ("/v1/promises", "/v1/promises/adherence")


@pytest.mark.parametrize("path", PATHS)
async def test_promises_are_read_with_a_key_that_may_read(scheduler: Scheduler, path: str) -> None:
    """F12: 401 without a valid key, 403 with one that may do all but read."""
    key_id, key = new_secret()
    scheduler.keys.learn(ApiKey(key_id, digest(key), frozenset(SCOPES) - {"admin", "read"}))
    without = await scheduler.http.get(path, headers={"Authorization": ""})
    unknown = await scheduler.http.get(path, headers={"Authorization": "Bearer no"})
    other = await scheduler.http.get(path, headers={"Authorization": f"Bearer {key}"})

    assert [answer.status_code for answer in (without, unknown, other)] == [401, 401, 403]
    for answer in (without, unknown, other):
        assert answer.headers["content-type"] == "application/problem+json"
    assert "'read'" in other.json()["detail"]


@pytest.mark.parametrize(
    "query",
    [
        "/v1/promises?status=lost",
        "/v1/promises?status=open,lost",
        "/v1/promises?from=yesterday",
        "/v1/promises?to=2026-13-01",
        "/v1/promises?limit=0",
        "/v1/promises?limit=501",
        "/v1/promises?cursor=abc",
        "/v1/promises?csm_id=%00",
        f"/v1/promises?account_id={'a' * 201}",
        "/v1/promises/adherence?by=segment",
        "/v1/promises/adherence?from=yesterday",
        "/v1/promises/adherence?to=1",
        "/v1/promises/adherence?csm_id=%00",
    ],
)
async def test_questions_about_promises_that_make_no_sense_are_refused(
    scheduler: Scheduler, query: str
) -> None:
    answer = await scheduler.http.get(query)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    name, value = query.partition("?")[2].split("=")
    assert (name if value != "%00" else "NUL character") in answer.text, "it says what is wrong"


async def test_promises_leave_with_their_account(scheduler: Scheduler) -> None:
    at(FRIDAY)
    await scheduler.describe("ada", **LONDON)
    await plan(scheduler, FRIDAY)
    await settle(scheduler)
    assert (await read(scheduler, "/v1/promises"))["items"]

    await scheduler.consume(scheduler.tombstone("touchpoint.commands", "acme"))
    await scheduler.watch()

    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM promise") == 0


async def read(scheduler: Scheduler, path: str, **params: str) -> Any:
    answer = await scheduler.http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_promise_that_moves_out_of_danger_is_open_again(scheduler: Scheduler) -> None:
    at(FRIDAY)
    await scheduler.describe("ada", name="Ada", **LONDON)
    await plan(scheduler, FRIDAY)
    await settle(scheduler)
    assert await state(scheduler) == ("at_risk", "closed")

    await plan(scheduler, FRIDAY, version=2, hours=120)
    assert alarms(await settle(scheduler)) == []

    assert await state(scheduler) == ("open", None)


async def describe_account(scheduler: Scheduler, **more: object) -> None:
    record: dict[str, object] = {"account_id": "acme", "version": 1, "people": [], **more}
    await scheduler.consume(
        scheduler.event("directory.accounts", "drumbeat.account.directory.v1", "acme", record)
    )
