"""One thing is one thing, and counts from when it happened: kinds 1 and 2 through the running engine."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.integration.rules_engine.conftest import Engine, fresh

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
Told = tuple[str, Mapping[str, Any], timedelta]
"""The type of an event, its data, and how long ago it was."""


async def established(running: Engine, stem: str) -> str:
    """An account whose contract has run for two years, with a champion who is known as long."""
    account, now = fresh(stem), await running.now()
    start = (now - 200 * DAY).date().isoformat()
    contract = {
        "contract_id": f"{account}-k", "status": "active", "starts_on": start,
        "renews_on": (now + 165 * DAY).date().isoformat(),
    }  # fmt: skip
    champion = {"contact_id": f"{account}-ann", "role": "champion", "email": f"ann@{account}.example.com"}
    await tell(
        running,
        account,
        ("account.described", {"arr": 50_000, "csm_id": "csm-1"}, 200 * DAY),
        ("contract.changed", contract, 200 * DAY),
        ("contact.described", champion, 200 * DAY),
    )
    return account


async def tell(running: Engine, account: str, *told: Told) -> None:
    """Each under an id of its own."""
    now = await running.now()
    events = [await running.make_event(kind, account, data, time=now - ago) for kind, data, ago in told]
    await running.stack.tell(*events)
    for sent in events:
        await running.wait_until_folded(sent)


async def ids_of(running: Engine, account: str, touchpoint_type: str) -> list[str]:
    plan = (await running.account(account))["plan"]
    return [item["id"] for item in plan["touchpoints"] if item["touchpoint_type"] == touchpoint_type]


async def test_row_11_a_milestone_told_on_three_nights_has_one_review(running: Engine) -> None:
    account = await established(running, "live")

    await tell(
        running,
        account,
        ("milestone.reached", {"milestone": "went live", "kind": "go_live"}, 2 * DAY),
        ("milestone.reached", {"milestone": "Went Live ", "kind": "go_live"}, DAY),
        ("milestone.reached", {"milestone": "WENT LIVE", "kind": "go_live"}, HOUR),
    )

    assert len(await ids_of(running, account, "go_live_review")) == 1


async def test_row_13_the_first_people_of_an_established_account_are_not_news(running: Engine) -> None:
    account, now = fresh("book"), await running.now()
    contract = {
        "contract_id": f"{account}-k",
        "status": "active",
        "starts_on": (now - 730 * DAY).date().isoformat(),
    }
    described = [
        ("contact.described", {"contact_id": f"{account}-{name}", "role": "champion"}, HOUR)
        for name in ("ann", "bob")
    ]
    await tell(
        running,
        account,
        ("account.described", {"arr": 50_000, "csm_id": "csm-1"}, HOUR),
        ("contract.changed", contract, HOUR),
        *described,
    )
    assert await ids_of(running, account, "intro_call") == []

    known = await established(running, "known")
    newcomer = {"contact_id": f"{known}-eve", "role": "champion", "email": f"eve@{known}.example.com"}
    again = {"contact_id": f"{known}-app-9", "role": "champion", "email": f"ANN@{known}.example.com"}
    await tell(running, known, ("contact.described", again, HOUR))
    assert await ids_of(running, known, "intro_call") == []
    await tell(running, known, ("contact.described", newcomer, HOUR))
    assert len(await ids_of(running, known, "intro_call")) == 1


async def test_row_14_old_answers_and_milestones_told_now_count_as_old(running: Engine) -> None:
    account, now = await established(running, "backfill"), await running.now()
    long_ago = (now - 400 * DAY).isoformat()

    await tell(
        running,
        account,
        ("nps.answered", {"contact_id": f"{account}-ann", "score": 6}, 20 * DAY),
        ("nps.answered", {"contact_id": f"{account}-bob", "score": 10, "answered_at": long_ago}, HOUR),
        ("milestone.reached", {"milestone": "roll-out", "kind": "success", "reached_at": long_ago}, HOUR),
    )

    assert await ids_of(running, account, "advocacy_ask") == []
    assert (await running.account(account))["facts"]["nps_score"]["value"] == 6


async def test_a_later_answer_of_one_person_takes_back_what_the_earlier_asked_for(running: Engine) -> None:
    account = await established(running, "round")
    ann = f"{account}-ann"

    await tell(running, account, ("nps.answered", {"contact_id": ann, "score": 9}, 3 * HOUR))
    asked = await ids_of(running, account, "advocacy_ask")
    await tell(running, account, ("nps.answered", {"contact_id": ann, "score": 9}, 2 * HOUR))
    assert await ids_of(running, account, "advocacy_ask") == asked
    await tell(running, account, ("nps.answered", {"contact_id": ann, "score": 3}, HOUR))

    assert len(asked) == 1
    assert await ids_of(running, account, "advocacy_ask") == []


async def test_row_27_what_a_bound_lets_go_is_said_on_the_account_and_in_the_receipt(running: Engine) -> None:
    account = await established(running, "bounded")
    now = await running.now()
    scores = [
        await running.make_event("health.scored", account, {"score": 60 + hour}, time=now - hour * HOUR)
        for hour in range(20, 0, -1)
    ]

    await running.stack.tell(*scores)
    for sent in scores:
        await running.wait_until_folded(sent)

    let_go = (await running.account(account))["let_go"]
    assert ["16 entries of health.scored" in text for text in let_go] == [True]
    query = {"source": scores[-1]["source"], "id": scores[-1]["id"]}
    assert "health.scored" in (await running.get("/v1/events", **query))["reason"]
