"""The last act by hand is undone within ten real minutes, if nothing happened since."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.times import parse_instant
from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
STEP = "7d7d33bc-2a9e-4b5c-8f57-3a2a9a6f5b01"


async def post(scheduler: Scheduler, item: dict[str, Any], deed: str, **asked: object) -> Any:
    body = {"version": item["sequence"], **asked}
    return await scheduler.http.post(f"/v1/touchpoints/{item['id']}/{deed}", json=body)


async def act(scheduler: Scheduler, item: dict[str, Any], deed: str, **asked: object) -> dict[str, Any]:
    answer = await post(scheduler, item, deed, **asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def read(scheduler: Scheduler, item: dict[str, Any]) -> dict[str, Any]:
    return (await scheduler.http.get(f"/v1/touchpoints/{item['id']}")).json()


def same(before: dict[str, Any], after: dict[str, Any]) -> bool:
    changing = ("sequence", "updated_at", "undo_until")
    return {**before, **dict.fromkeys(changing)} == {**after, **dict.fromkeys(changing)}


async def prepare(scheduler: Scheduler) -> list[dict[str, Any]]:
    """A due occurrence, a planned one, and a planned one-off."""
    step = one_off(STEP, MONDAY + DAY, MONDAY + 5 * DAY)
    await scheduler.describe("bob")
    await scheduler.consume(scheduler.plan(1, [rhythm(7)], [step]))
    await scheduler.release()
    await scheduler.sent()
    items = await scheduler.list_touchpoints(to="2026-03-10")
    assert [(each["status"], each["origin"]) for each in items] == [
        ("due", "rhythm"),
        ("planned", "one_off"),
        ("planned", "rhythm"),
    ]
    return items


@pytest.mark.parametrize(
    ("deed", "asked"),
    [
        ("settle", {"outcome": "completed", "notes": "met"}),
        ("reassign", {"csm_id": "bob"}),
        ("cancel", {"reason": "no"}),
        ("reschedule", {"to": "2026-03-06T09:00:00Z"}),
    ],
)
async def test_every_act_is_undone_once(scheduler: Scheduler, deed: str, asked: dict[str, object]) -> None:
    for before in await prepare(scheduler):
        done = await act(scheduler, before, deed, **asked)
        assert done["undo_until"] is not None
        at(MONDAY + timedelta(minutes=1))

        undone = await act(scheduler, done, "undo")

        after = await read(scheduler, before)
        assert same(before, after), (before, after)
        assert after["sequence"] == before["sequence"] + 2
        assert undone["id"] == before["id"]
        refused = await post(scheduler, after, "undo")
        assert (refused.status_code, refused.json()["title"]) == (409, "Nothing to undo")


async def test_the_outcome_that_is_undone_does_not_come_back_from_the_topic(scheduler: Scheduler) -> None:
    due, *_ = await prepare(scheduler)
    done = await act(scheduler, due, "settle", outcome="completed")
    await act(scheduler, done, "undo")

    settled, reopened = await scheduler.sent_at_once()
    for sent in (settled, reopened, settled):
        stamp = {"id": sent["ce_id"], "source": sent["ce_source"]}
        record = scheduler.outcome(sent["data"], time=parse_instant(sent["ce_time"]), **stamp)
        await scheduler.consume(record)

    assert (reopened["data"]["outcome"], reopened["data"]["touchpoint_id"]) == ("reopened", due["id"])
    assert parse_instant(reopened["ce_time"]) > parse_instant(settled["ce_time"])
    assert same(due, await read(scheduler, due))
    assert (await act(scheduler, await read(scheduler, due), "settle", outcome="missed"))[
        "status"
    ] == "settled"


async def test_the_events_of_the_calendar_follow_an_undo(scheduler: Scheduler) -> None:
    due, step, planned = await prepare(scheduler)

    await act(scheduler, await act(scheduler, due, "reschedule", to="2026-03-06T09:00:00Z"), "undo")
    await act(scheduler, await act(scheduler, step, "cancel", reason="no"), "undo")
    await act(scheduler, await act(scheduler, planned, "reassign", csm_id="bob"), "undo")

    sent = [each for each in await scheduler.sent_at_once() if each["topic"] == "touchpoint.events"]
    kinds = [(each["ce_type"].split(".")[-2], each["data"]["changed_by"]) for each in sent]
    assert kinds == [
        ("scheduled", "person"),
        ("cancelled", "person"),
        ("cancelled", "person"),
        ("scheduled", "person"),
        ("moved", "person"),
        ("moved", "person"),
    ]
    assert [each["data"]["owner"]["csm_id"] for each in sent[-2:]] == ["bob", "ada"]
    assert sent[-1]["data"]["previous_owner"]["csm_id"] == "bob"


async def test_nothing_is_undone_after_ten_minutes_or_when_something_happened_since(
    scheduler: Scheduler,
) -> None:
    due, step, planned = await prepare(scheduler)
    done = await act(scheduler, due, "reassign", csm_id="bob")
    moved = await act(scheduler, step, "reschedule", to="2026-03-03T09:00:00Z")
    gone = await act(scheduler, planned, "cancel", reason="no")

    await act(scheduler, done, "settle", outcome="completed")
    at(MONDAY + DAY)
    await scheduler.release()
    pool = scheduler.database.pool
    await pool.execute("UPDATE hand_act SET acted_at = acted_at - interval '10 minutes'")

    assert (await post(scheduler, done, "undo")).status_code == 409
    assert (await post(scheduler, moved, "undo")).status_code == 409
    assert (await post(scheduler, await read(scheduler, step), "undo")).status_code == 409
    late = await post(scheduler, gone, "undo")
    assert (late.status_code, "ten minutes" in late.json()["detail"]) == (409, True)
    unknown = await scheduler.http.post(
        "/v1/touchpoints/00000000-0000-0000-0000-000000000000/undo", json={"version": 1}
    )
    assert unknown.status_code == 404


async def test_a_person_who_moves_what_is_overdue_gets_another_one_in_its_place(scheduler: Scheduler) -> None:
    _, step, _ = await prepare(scheduler)
    at(MONDAY + DAY)
    await scheduler.release()
    at(MONDAY + 8 * DAY)
    await scheduler.mark_overdue()
    overdue = await read(scheduler, step)
    assert overdue["status"] == "overdue"

    moved = await act(scheduler, overdue, "reschedule", to="2026-03-20T09:00:00Z")

    assert (moved["status"], moved["follows"], moved["csm_id"]) == ("planned", step["id"], "ada")


async def test_an_outcome_that_a_tool_takes_back_opens_the_touchpoint_again(scheduler: Scheduler) -> None:
    due, *_ = await prepare(scheduler)
    told = {"touchpoint_id": due["id"], "touchpoint_type": "check_in"}
    await scheduler.consume(scheduler.outcome({**told, "outcome": "attended"}, id="o1"))

    await scheduler.consume(
        scheduler.outcome({**told, "outcome": "reopened"}, id="o2", time=MONDAY + timedelta(hours=1))
    )

    assert same(due, await read(scheduler, due))


async def test_who_undoes_their_own_act_is_named_in_its_event(scheduler: Scheduler) -> None:
    for before in await prepare(scheduler):
        moved = await act(
            scheduler, before, "reschedule", to="2026-03-20T09:00:00Z", force=True, reason="away"
        )
        await scheduler.sent()
        await act(scheduler, moved, "undo", actor_id="ada")
        actors = {
            event["data"].get("actor_id")
            for event in await scheduler.sent()
            if event["topic"] == "touchpoint.events"
        }
        assert actors == {"ada"}
