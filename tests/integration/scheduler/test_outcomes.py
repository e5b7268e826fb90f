"""Outcomes settle touchpoints, in whatever order they arrive."""

import itertools
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

import pytest

from schemas.ids import derived_id
from services.chassis.dead_letters import Record
from tests.integration.scheduler.conftest import MONDAY, Scheduler, at, rhythm, tips

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


async def due(scheduler: Scheduler, *rhythms: object) -> list[dict[str, object]]:
    await scheduler.consume(scheduler.plan(1, rhythms))
    await scheduler.release()
    await scheduler.sent()
    return await scheduler.list_touchpoints(status="due")


def outcome_of(touchpoint: dict[str, object], outcome: str, **more: object) -> dict[str, object]:
    return {
        "touchpoint_id": touchpoint["id"],
        "touchpoint_type": touchpoint["type"],
        "outcome": outcome,
        **more,
    }


async def test_an_outcome_settles_the_touchpoint_it_names(scheduler: Scheduler) -> None:
    (one,) = await due(scheduler, rhythm(7))

    await scheduler.consume(scheduler.outcome(outcome_of(one, "attended", notes="went well")))

    (item,) = await scheduler.list_touchpoints(status="settled")
    assert item["outcome"]["outcome"] == "attended"
    assert item["sequence"] == 3


async def test_the_latest_stamp_wins_in_every_order(scheduler: Scheduler) -> None:
    for number, order in enumerate(itertools.permutations(range(3))):
        name = f"account-{number}"
        await scheduler.consume(scheduler.plan(1, [rhythm(7)], account=name))
        await scheduler.release()
        (one,) = await scheduler.list_touchpoints(account_id=name, status="due")
        words = ["missed", "attended", "completed"]
        for n in order:
            when = MONDAY + n * DAY
            await scheduler.consume(scheduler.outcome(outcome_of(one, words[n]), name, time=when, id=f"o{n}"))
        (item,) = await scheduler.list_touchpoints(account_id=name, status="settled")
        assert item["outcome"]["outcome"] == "completed"


async def test_an_outcome_by_type_settles_the_earliest_open_one_and_only_once(scheduler: Scheduler) -> None:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))
    at(MONDAY + 8 * DAY)
    await scheduler.release()
    outcome_event = scheduler.outcome({"touchpoint_type": "check_in", "outcome": "completed"}, id="crm-1")

    await scheduler.consume(outcome_event)
    await scheduler.consume(outcome_event, outcome_event)

    (item,) = await scheduler.list_touchpoints(status="settled")
    assert item["occurrence"] == 1
    assert len(await scheduler.list_touchpoints(status="due")) == 1


async def test_an_outcome_that_comes_before_its_touchpoint_waits_for_it(scheduler: Scheduler) -> None:
    name = derived_id("touchpoint", "acme", "check_in", "1")

    await scheduler.consume(
        scheduler.outcome({"touchpoint_id": name, "touchpoint_type": "check_in", "outcome": "attended"})
    )
    await scheduler.consume(scheduler.plan(1, [rhythm(7)]))

    (item,) = await scheduler.list_touchpoints(status="settled")
    assert item["id"] == name


async def test_another_accounts_outcome_settles_nothing(scheduler: Scheduler) -> None:
    (one,) = await due(scheduler, rhythm(7))

    await scheduler.consume(scheduler.outcome(outcome_of(one, "attended"), account="other"))

    assert await scheduler.list_touchpoints(status="settled") == []
    assert scheduler.counted["unmatched"] == 1


async def test_another_touchpoint_replaces_a_rescheduled_one(scheduler: Scheduler) -> None:
    (one,) = await due(scheduler, rhythm(7))
    outcome_event = scheduler.outcome(outcome_of(one, "rescheduled", to=MONDAY + 2 * DAY), id="crm-9")

    await scheduler.consume(outcome_event)
    await scheduler.consume(outcome_event)

    (follow,) = [
        each for each in await scheduler.list_touchpoints(status="planned") if each["origin"] == "hand"
    ]
    assert follow["follows"] == one["id"]
    assert follow["due_at"] == "2026-03-04T10:00:00Z"
    assert await scheduler.event_kinds() == ["scheduled"]


async def test_a_delivery_that_reached_somebody_settles_what_nobody_leads(scheduler: Scheduler) -> None:
    (one,) = await due(scheduler, tips(7))
    (human,) = await due_of_person(scheduler)

    for touchpoint in (one, human):
        for state, contact in (("suppressed", "c1"), ("sent", "c2"), ("failed", "c3")):
            await scheduler.consume(delivery(scheduler, touchpoint, state, contact))

    (item,) = await scheduler.list_touchpoints(status="settled")
    assert (item["id"], item["outcome"]["outcome"]) == (one["id"], "completed")


async def due_of_person(scheduler: Scheduler) -> list[dict[str, object]]:
    await scheduler.consume(scheduler.plan(1, [rhythm(7)], account="acme2"))
    await scheduler.release()
    return await scheduler.list_touchpoints(status="due", account_id="acme2")


def delivery(scheduler: Scheduler, touchpoint: dict[str, object], state: str, contact: str) -> Record:
    data = {
        "delivery_id": str(uuid5(NAMESPACE_URL, contact)), "touchpoint_id": touchpoint["id"],
        "touchpoint_type": touchpoint["type"], "channel": "email",
        "recipient": {"kind": "contact", "id": contact}, "state": state, "reason": state, "at": MONDAY,
    }  # fmt: skip
    account = str(touchpoint["account_id"])
    return scheduler.event(
        "touchpoint.outcomes", "drumbeat.delivery.finished.v1", account, data, source="/drumbeat/notifier",
        id=contact,
    )  # fmt: skip


async def test_a_delivery_to_a_subscription_settles_nothing(scheduler: Scheduler) -> None:
    (one,) = await due(scheduler, tips(7))
    data = {
        "delivery_id": "d1", "touchpoint_id": one["id"], "touchpoint_type": "tips", "channel": "webhook",
        "recipient": {"kind": "subscription", "id": "s"}, "state": "sent", "at": MONDAY,
    }  # fmt: skip

    await scheduler.consume(
        scheduler.event("touchpoint.outcomes", "drumbeat.delivery.finished.v1", "acme", data)
    )

    assert await scheduler.list_touchpoints(status="settled") == []


async def test_unreadable_outcomes_become_dead_letters(scheduler: Scheduler) -> None:
    await scheduler.consume(
        scheduler.outcome({"touchpoint_id": "x", "touchpoint_type": "check_in", "outcome": "attended"}),
        scheduler.outcome({"touchpoint_type": "check_in", "outcome": "exploded"}),
        scheduler.event("touchpoint.outcomes", "drumbeat.health.scored.v1", "acme", {}),
    )

    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM dead_letter") == 3
