"""Readers of events hear what remains once an account is quiet, and at once what is due or done by hand (row 47)."""

import random
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from services.calendar.announcing import ANNOUNCED_AHEAD
from services.scheduler.application.announce_changes import QUIET
from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, one_off, rhythm, tips

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
STEP = str(uuid5(NAMESPACE_URL, "step"))
OTHER = str(uuid5(NAMESPACE_URL, "other"))
STATE = ("status", "due_at", "deadline", "window", "csm_id")


def kind_of(event: Mapping[str, Any]) -> str:
    return event["ce_type"].split(".")[-2]


def fold(reader: dict[str, Any], events: Iterable[Mapping[str, Any]]) -> None:
    """As a reader of events does: the highest sequence wins, and nothing is cancelled or due that it does not know."""
    for event in events:
        data = event["data"]
        before = reader.get(data["touchpoint_id"])
        assert before is None or data["sequence"] > before["sequence"]
        if kind_of(event) != "scheduled":
            assert before is not None, f"{kind_of(event)} of what was never scheduled"
            assert before["status"] != "cancelled"
        reader[data["touchpoint_id"]] = {**data, "csm_id": data["owner"]["csm_id"]}


async def open_states(scheduler: Scheduler) -> dict[str, dict[str, Any]]:
    items = await scheduler.list_touchpoints(status=["planned", "due", "overdue"])
    return {each["id"]: {name: each[name] for name in STATE} for each in items}


def states(reader: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        key: {name: data[name] for name in STATE}
        for key, data in reader.items()
        if data["status"] in ("planned", "due", "overdue")
    }


async def known_states(
    scheduler: Scheduler, reader: Mapping[str, Any], now: datetime
) -> dict[str, dict[str, Any]]:
    """What is open, without the far occurrences that the reader does not know yet or knows as cancelled."""
    items = await scheduler.list_touchpoints(status=["planned", "due", "overdue"])
    far = {
        each["id"]
        for each in items
        if each["origin"] == "rhythm" and datetime.fromisoformat(each["due_at"]) > now + ANNOUNCED_AHEAD
    }
    unknown = {key for key in far if reader.get(key, {"status": "cancelled"})["status"] == "cancelled"}
    return {key: state for key, state in (await open_states(scheduler)).items() if key not in unknown}


async def test_twenty_flaps_of_health_lead_to_no_event_and_to_no_new_touchpoint(scheduler: Scheduler) -> None:
    yellow = [rhythm(14, urgency="spread"), tips(14)]
    red = [rhythm(7, urgency="spread"), rhythm(3, touchpoint_type="business_review", urgency="spread")]
    await scheduler.consume(scheduler.plan(1, yellow, [one_off(STEP, MONDAY + 5 * DAY, MONDAY + 9 * DAY)]))
    await scheduler.release()
    await scheduler.sent()
    before = await open_states(scheduler)

    for flap in range(20):
        at(MONDAY + (2 * flap + 1) * SECOND)
        await scheduler.consume(scheduler.plan(2 * flap + 2, red))
        assert len(await scheduler.list_touchpoints(status="planned", type="check_in")) > 50
        at(MONDAY + (2 * flap + 2) * SECOND)
        await scheduler.consume(
            scheduler.plan(2 * flap + 3, yellow, [one_off(STEP, MONDAY + 5 * DAY, MONDAY + 9 * DAY)])
        )

    assert await scheduler.sent() == []
    assert await open_states(scheduler) == before
    assert len(await scheduler.list_touchpoints(type="check_in")) < 60


async def test_a_plan_acts_at_once_in_the_calendar_and_its_events_wait_for_quiet(
    scheduler: Scheduler,
) -> None:
    await scheduler.consume(scheduler.plan(1, [], [one_off(STEP, MONDAY + DAY, MONDAY + 3 * DAY)]))

    assert len(await scheduler.list_touchpoints(status="planned")) == 1
    await scheduler.announce(timedelta(0))
    assert await scheduler.sent_at_once() == []
    await scheduler.announce(QUIET)
    assert [kind_of(each) for each in await scheduler.sent_at_once()] == ["scheduled"]
    await scheduler.announce(QUIET)
    assert await scheduler.sent_at_once() == []


async def test_a_calendar_that_never_rests_is_announced_all_the_same(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [], [one_off(STEP, MONDAY + DAY, MONDAY + 3 * DAY)]))
    await scheduler.database.pool.execute(
        "UPDATE account_calendar SET changed_since = changed_since - interval '29 seconds'"
    )
    await scheduler.consume(scheduler.plan(2, [], [one_off(STEP, MONDAY + 2 * DAY, MONDAY + 3 * DAY)]))

    await scheduler.announce(SECOND)

    (sent,) = await scheduler.sent_at_once()
    assert (kind_of(sent), sent["data"]["due_at"][:10]) == ("scheduled", "2026-03-04")


async def test_several_moves_are_one_event_with_the_time_that_readers_know(scheduler: Scheduler) -> None:
    for version, days in enumerate([1, 2, 3, 7], 1):
        step = one_off(STEP, MONDAY + days * DAY, MONDAY + 9 * DAY)
        await scheduler.consume(scheduler.plan(version, [], [step]))
        if version == 1:
            await scheduler.sent()

    (sent,) = await scheduler.sent()

    assert (kind_of(sent), sent["data"]["sequence"]) == ("moved", 4)
    assert datetime.fromisoformat(sent["data"]["previous_due_at"]) == MONDAY + DAY
    assert sent["data"]["note"] == "its window or its owner in the plan changed"


async def test_what_comes_due_before_it_was_announced_is_scheduled_and_then_due(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    await scheduler.release()

    first, second = await scheduler.sent_at_once()

    assert (kind_of(first), kind_of(second)) == ("scheduled", "due")
    assert (first["data"]["status"], first["data"]["sequence"]) == ("planned", 1)
    assert (second["data"]["status"], second["data"]["sequence"]) == ("due", 2)
    assert len(await scheduler.sent()) == 5


async def test_what_nobody_knew_expires_without_an_event_after_an_outage(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [tips(7)]))
    at(MONDAY + 22 * DAY)
    await scheduler.release()

    kinds = [kind_of(each) for each in await scheduler.sent_at_once()]

    assert kinds == ["scheduled", "due"]
    assert len(await scheduler.list_touchpoints(status="cancelled")) == 3


async def test_a_person_who_acts_is_heard_at_once_and_what_waited_with_it(scheduler: Scheduler) -> None:
    steps = [one_off(key, MONDAY + DAY, MONDAY + 3 * DAY) for key in (STEP, OTHER)]
    await scheduler.consume(scheduler.plan(1, [], steps))
    for key in (STEP, OTHER):
        moved = await scheduler.http.post(
            f"/v1/touchpoints/{key}/reschedule", json={"to": "2026-03-04T09:00:00Z", "version": 1}
        )
        assert moved.status_code == 200
    gone = await scheduler.http.post(
        f"/v1/touchpoints/{OTHER}/cancel", json={"reason": "not needed", "version": 2}
    )
    assert gone.status_code == 200

    sent = await scheduler.sent_at_once()

    assert [kind_of(each) for each in sent] == ["scheduled", "scheduled", "cancelled"]
    assert {each["data"]["due_at"] for each in sent} == {"2026-03-04T09:00:00Z"}
    assert await scheduler.sent() == []


async def test_a_refused_one_off_is_announced_because_the_rules_engine_asked_for_it(
    scheduler: Scheduler,
) -> None:
    await scheduler.consume(scheduler.plan(1, [], [one_off(STEP, MONDAY - 9 * DAY, MONDAY - DAY)]))

    (sent,) = await scheduler.sent()

    assert (kind_of(sent), sent["data"]["note"].split(":")[0]) == ("cancelled", "expired")


async def test_an_announcement_that_is_not_committed_is_made_again(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [], [one_off(STEP, MONDAY + DAY, MONDAY + 3 * DAY)]))
    async with scheduler.database.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await scheduler.announce_on(connection, QUIET)  # type: ignore[arg-type]
        await transaction.rollback()

    assert await scheduler.sent_at_once() == []
    assert [kind_of(each) for each in await scheduler.sent()] == ["scheduled"]


@pytest.mark.parametrize("seed", range(6))
async def test_the_folded_events_of_random_flaps_are_the_calendar(scheduler: Scheduler, seed: int) -> None:
    dice = random.Random(seed)
    reader: dict[str, Any] = {}
    now = MONDAY
    for version in range(1, 30):
        now += dice.choice([SECOND, SECOND, DAY, 5 * DAY])
        at(now)
        rhythms = [rhythm(dice.choice([3, 7, 14, 28]), urgency=dice.choice(["soon", "spread"])), tips(7)]
        start = MONDAY + dice.choice([20, 40, 60]) * DAY
        steps = [one_off(STEP, start, start + 5 * DAY), one_off(OTHER, start, start + 50 * DAY)]
        await scheduler.consume(
            scheduler.plan(version, rhythms[: dice.randint(0, 2)], steps[: dice.randint(0, 2)])
        )
        if dice.random() < 0.5:
            await scheduler.release()
        fold(reader, await scheduler.sent_at_once())
        if dice.random() < 0.3:
            fold(reader, await scheduler.sent())
            assert states(reader) == await known_states(scheduler, reader, now)
    await scheduler.release()
    fold(reader, await scheduler.sent())

    assert states(reader) == await known_states(scheduler, reader, now)
    waiting = "SELECT count(*) FROM announcement WHERE announce_from IS NULL OR announce_from <= $1"
    assert await scheduler.database.pool.fetchval(waiting, now) == 0


async def test_what_is_far_is_announced_when_it_is_near_and_flaps_of_it_never(scheduler: Scheduler) -> None:
    """A12: health that changes every hour makes events about the next five weeks only."""
    reader: dict[str, Any] = {}
    now = MONDAY
    await scheduler.consume(scheduler.plan(1, [rhythm(14, urgency="spread")]))
    fold(reader, await scheduler.sent())
    for version in range(2, 22):
        now = at(now + timedelta(hours=1))
        days = 7 if version % 2 == 0 else 14
        await scheduler.consume(scheduler.plan(version, [rhythm(days, urgency="spread")]))
        sent = await scheduler.sent()
        new = [each["data"]["due_at"] for each in sent if each["data"]["touchpoint_id"] not in reader]
        assert all(datetime.fromisoformat(due_at) <= now + ANNOUNCED_AHEAD for due_at in new)
        fold(reader, sent)
    assert len(await open_states(scheduler)) > 20
    assert len(reader) <= 7
    assert states(reader) == await known_states(scheduler, reader, now)

    for _ in range(6):
        now = at(now + 7 * DAY)
        await scheduler.release()
        fold(reader, await scheduler.sent())
        assert states(reader) == await known_states(scheduler, reader, now)
        near = [each for each in states(reader).values() if each["status"] == "planned"]
        assert 2 <= len(near) <= 6


async def test_what_readers_know_is_brought_up_to_date_also_when_it_goes_far(scheduler: Scheduler) -> None:
    """A12: an occurrence that they know moves beyond the five weeks."""
    await scheduler.consume(scheduler.plan(1, [rhythm(30, last_touch_at=MONDAY - 20 * DAY)]))
    first, *_ = await scheduler.sent()

    await scheduler.consume(scheduler.plan(2, [rhythm(60, last_touch_at=MONDAY - 20 * DAY)]))

    (moved,) = await scheduler.sent()
    assert (kind_of(moved), moved["data"]["touchpoint_id"]) == ("moved", first["data"]["touchpoint_id"])
    assert datetime.fromisoformat(moved["data"]["due_at"]) > MONDAY + ANNOUNCED_AHEAD


async def test_a_far_date_of_a_contract_or_of_a_person_is_announced_at_once(scheduler: Scheduler) -> None:
    await scheduler.consume(
        scheduler.plan(1, [rhythm(30)], [one_off(STEP, MONDAY + 200 * DAY, MONDAY + 230 * DAY)])
    )
    (*_, last) = await scheduler.list_touchpoints(type="check_in")
    to = datetime.fromisoformat(last["due_at"]) + DAY
    moved = await scheduler.http.post(
        f"/v1/touchpoints/{last['id']}/reschedule", json={"to": to.isoformat(), "version": last["sequence"]}
    )
    assert moved.status_code == 200, moved.text

    sent = {each["data"]["touchpoint_id"]: kind_of(each) for each in await scheduler.sent()}

    assert sent[STEP] == sent[last["id"]] == "scheduled"
