"""What became of a touchpoint closes it, in whatever order the news arrives."""

import itertools
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

import pytest

from services.chassis.dead_letters import Record
from services.chassis.ids import derived
from tests.integration.scheduler.conftest import MONDAY, House, at, rhythm, tips

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


async def due(house: House, *rhythms: object) -> list[dict[str, object]]:
    await house.hear(house.plan(1, rhythms))
    await house.release()
    await house.told()
    return await house.listed(status="due")


def said(touchpoint: dict[str, object], outcome: str, **more: object) -> dict[str, object]:
    return {
        "touchpoint_id": touchpoint["id"],
        "touchpoint_type": touchpoint["type"],
        "outcome": outcome,
        **more,
    }


async def test_an_outcome_settles_the_touchpoint_it_names(house: House) -> None:
    (one,) = await due(house, rhythm(7))

    await house.hear(house.outcome(said(one, "attended", notes="went well")))

    (item,) = await house.listed(status="settled")
    assert item["outcome"]["outcome"] == "attended"
    assert item["sequence"] == 3


async def test_the_latest_stamp_wins_in_every_order(house: House) -> None:
    for number, order in enumerate(itertools.permutations(range(3))):
        name = f"account-{number}"
        await house.hear(house.plan(1, [rhythm(7)], account=name))
        await house.release()
        (one,) = await house.listed(account_id=name, status="due")
        words = ["missed", "attended", "completed"]
        for n in order:
            when = MONDAY + n * DAY
            await house.hear(house.outcome(said(one, words[n]), name, time=when, id=f"o{n}"))
        (item,) = await house.listed(account_id=name, status="settled")
        assert item["outcome"]["outcome"] == "completed"


async def test_an_outcome_by_type_settles_the_earliest_open_one_and_only_once(house: House) -> None:
    await house.hear(house.plan(1, [rhythm(7)]))
    at(MONDAY + 8 * DAY)
    await house.release()
    news = house.outcome({"touchpoint_type": "check_in", "outcome": "completed"}, id="crm-1")

    await house.hear(news)
    await house.hear(news, news)

    (item,) = await house.listed(status="settled")
    assert item["occurrence"] == 1
    assert len(await house.listed(status="due")) == 1


async def test_an_outcome_that_comes_before_its_touchpoint_waits_for_it(house: House) -> None:
    name = derived("touchpoint", "acme", "check_in", "1")

    await house.hear(
        house.outcome({"touchpoint_id": name, "touchpoint_type": "check_in", "outcome": "attended"})
    )
    await house.hear(house.plan(1, [rhythm(7)]))

    (item,) = await house.listed(status="settled")
    assert item["id"] == name


async def test_another_accounts_outcome_settles_nothing(house: House) -> None:
    (one,) = await due(house, rhythm(7))

    await house.hear(house.outcome(said(one, "attended"), account="other"))

    assert await house.listed(status="settled") == []
    assert house.counts["unmatched"] == 1


async def test_a_rescheduled_one_lives_on_in_another(house: House) -> None:
    (one,) = await due(house, rhythm(7))
    news = house.outcome(said(one, "rescheduled", to=MONDAY + 2 * DAY), id="crm-9")

    await house.hear(news)
    await house.hear(news)

    (follow,) = [each for each in await house.listed(status="planned") if each["origin"] == "hand"]
    assert follow["follows"] == one["id"]
    assert follow["due_at"] == "2026-03-04T10:00:00Z"
    assert await house.kinds() == ["scheduled"]


async def test_a_delivery_that_reached_somebody_settles_what_nobody_leads(house: House) -> None:
    (one,) = await due(house, tips(7))
    (human,) = await due_of_person(house)

    for touchpoint in (one, human):
        for state, contact in (("suppressed", "c1"), ("sent", "c2"), ("failed", "c3")):
            await house.hear(delivery(house, touchpoint, state, contact))

    (item,) = await house.listed(status="settled")
    assert (item["id"], item["outcome"]["outcome"]) == (one["id"], "completed")


async def due_of_person(house: House) -> list[dict[str, object]]:
    await house.hear(house.plan(1, [rhythm(7)], account="acme2"))
    await house.release()
    return await house.listed(status="due", account_id="acme2")


def delivery(house: House, touchpoint: dict[str, object], state: str, contact: str) -> Record:
    data = {
        "delivery_id": str(uuid5(NAMESPACE_URL, contact)), "touchpoint_id": touchpoint["id"],
        "touchpoint_type": touchpoint["type"], "channel": "email",
        "recipient": {"kind": "contact", "id": contact}, "state": state, "reason": state, "at": MONDAY,
    }  # fmt: skip
    account = str(touchpoint["account_id"])
    return house.letter(
        "touchpoint.outcomes", "drumbeat.delivery.finished.v1", account, data, source="/drumbeat/notifier",
        id=contact,
    )  # fmt: skip


async def test_a_delivery_to_a_subscription_settles_nothing(house: House) -> None:
    (one,) = await due(house, tips(7))
    data = {
        "delivery_id": "d1", "touchpoint_id": one["id"], "touchpoint_type": "tips", "channel": "webhook",
        "recipient": {"kind": "subscription", "id": "s"}, "state": "sent", "at": MONDAY,
    }  # fmt: skip

    await house.hear(house.letter("touchpoint.outcomes", "drumbeat.delivery.finished.v1", "acme", data))

    assert await house.listed(status="settled") == []


async def test_odd_outcomes_are_buried(house: House) -> None:
    await house.hear(
        house.outcome({"touchpoint_id": "x", "touchpoint_type": "check_in", "outcome": "attended"}),
        house.outcome({"touchpoint_type": "check_in", "outcome": "exploded"}),
        house.letter("touchpoint.outcomes", "drumbeat.health.scored.v1", "acme", {}),
    )

    assert await house.database.pool.fetchval("SELECT count(*) FROM dead_letter") == 3
