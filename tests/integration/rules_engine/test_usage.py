"""Usage reports through the running engine, told again, late, by the hour and by two products; and figures of them."""

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.rules_engine.conftest import Engine, fresh
from tests.stack import until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


async def reports(
    running: Engine, account: str, length: timedelta, events: Iterable[int], **more: Any
) -> list[dict[str, Any]]:
    """Consecutive reports up to the last midnight, the newest first, all told a minute ago."""
    now = await running.now()
    midnight = datetime(now.year, now.month, now.day, tzinfo=UTC)
    return [
        await running.make_event(
            "usage.reported",
            account,
            {
                "period_start": (midnight - (index + 1) * length).isoformat(),
                "period_end": (midnight - index * length).isoformat(),
                "events": count,
                "seats": 100,
                "seats_used": 40,
            },
            **more,
        )
        for index, count in enumerate(events)
    ]


async def described(running: Engine, stem: str) -> str:
    account = fresh(stem)
    await running.post_event("account.described", account, {"arr": 50_000, "csm_id": "csm-1"})
    return account


async def tell(running: Engine, sent: list[dict[str, Any]]) -> None:
    await running.stack.tell(*sent)
    await running.wait_until_folded(sent[-1])


async def alerts(running: Engine, account: str) -> list[Mapping[str, Any]]:
    plan = (await running.account(account))["plan"]
    return [item for item in plan["touchpoints"] if item["touchpoint_type"] == "value_alert"]


def change_of(alert: Mapping[str, Any]) -> float:
    (change,) = [fact["value"] for fact in alert["reason"]["facts"] if fact["name"] == "usage_change"]
    return change


async def test_a_fall_by_60_percent_is_found_by_the_hour_and_by_two_products(running: Engine) -> None:
    """Row 26."""
    hourly, products = await described(running, "hourly"), await described(running, "products")
    fall = [40] * 28 + [100] * 28
    hours = [count for count in fall for _ in range(24)]

    await tell(running, await reports(running, hourly, HOUR, hours))
    for source in ("/one", "/two"):
        await tell(running, await reports(running, products, DAY, fall, source=source))

    for account in (hourly, products):
        (alert,) = await alerts(running, account)
        assert 0.4 <= change_of(alert) < 0.45  # the day before yesterday asks first
    assert (await running.account(products))["facts"]["seats"]["value"] == 200


async def test_a_period_told_again_counts_and_an_old_one_told_now_is_no_news(running: Engine) -> None:
    """Rows 10 and 14."""
    account = await described(running, "corrected")
    days = await reports(running, account, DAY, [100] * 56, time=await running.now() - DAY)
    await tell(running, days)
    assert await alerts(running, account) == []

    await tell(running, await reports(running, account, DAY, [10] * 14))
    (alert,) = await alerts(running, account)
    assert 0.55 <= change_of(alert) < 0.6

    old = {"period_start": "2020-01-01T00:00:00Z", "period_end": "2020-01-08T00:00:00Z"}
    await running.post_event("usage.reported", account, {**old, "seats": 100, "seats_used": 95})
    shown = await running.account(account)
    assert shown["facts"]["seats_used"]["value"] == 40
    assert "expansion_discovery" not in {item["touchpoint_type"] for item in shown["plan"]["touchpoints"]}
    assert shown["let_go"] == []


async def test_a_resync_of_every_report_under_other_ids_changes_nothing(running: Engine) -> None:
    account = await described(running, "resync")
    await tell(running, await reports(running, account, DAY, [40] * 28 + [100] * 28))
    before = await running.account(account)

    for night in range(3):
        again = await reports(running, account, DAY, [40] * 28 + [100] * 28)
        random.Random(night).shuffle(again)
        await tell(running, again)

    after = await running.account(account)
    assert (after["plan"], after["facts"]) == (before["plan"], before["facts"])
    assert len(await alerts(running, account)) == 1


async def test_the_figures_of_accounts_are_answered_for_messages(running: Engine) -> None:
    """Point 2: what a value report says, and the notes of the last conversation."""
    account, ended, unknown = await described(running, "figures"), fresh("figures-ended"), fresh("nobody")
    await running.post_event("account.described", ended, {"name": "Before"})
    today, now = (await running.now()).date(), await running.now()
    renews = [(today + timedelta(days=days)).isoformat() for days in (60, 200)]
    for contract_id, day in zip(("first", "second"), renews, strict=True):
        await running.post_event(
            "contract.changed", account, {"contract_id": contract_id, "status": "active", "renews_on": day}
        )
    program = {
        "program_id": fresh("spring"),
        "kind": "release",
        "title": "Spring release",
        "at": (now - DAY).isoformat(),
        "body": {"en": "**New**"},
        "audience": 'segment == "mid_market"',
    }
    await running.post_event("program.announced", "*", program)
    call = {
        "channel": "call",
        "contact_id": "ann",
        "notes": "moves in autumn",
        "at": (now - HOUR).isoformat(),
    }
    sent = await reports(running, account, 30 * DAY, [900, 300])
    sent.append(await running.make_event("interaction.logged", account, call))
    sent.append(await running.make_event("account.merged", account, {"from": ended}))
    await tell(running, sent)
    await running.wait_until_folded(sent[-1])
    about = {"contract_id": "second", "renews_on": renews[1]}
    wanted = [
        {"account_id": account, "about": about, "program_kind": "release"},
        {"account_id": unknown},
        {"account_id": ended},
    ]

    async def figures() -> list[dict[str, Any]]:
        answer = await running.request("POST", "/v1/figures", json={"items": wanted})
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]

    async def has_program() -> bool:
        return (await figures())[0]["program"] is not None

    await until(has_program, 20, "the program in the portfolio")
    known, nobody, merged = await figures()

    assert [known["account_id"], nobody["account_id"], merged["account_id"]] == [account, unknown, ended]
    assert (known["usage"]["events"], known["usage"]["events_before"]) == (900, 300)
    assert (known["usage"]["seats_used"], known["usage"]["active_users"]) == (40, None)
    assert (known["contract"]["contract_id"], known["contract"]["renews_on"]) == ("second", renews[1])
    assert (known["program"]["title"], known["program"]["body"]) == ("Spring release", {"en": "**New**"})
    assert known["conversation"]["notes"] == "moves in autumn"
    assert (nobody["usage"], nobody["contract"], nobody["name"]) == (None, None, None)
    assert (merged["contract"]["contract_id"], merged["usage"]) == ("first", known["usage"])
    too_many = await running.request("POST", "/v1/figures", json={"items": [{"account_id": "a"}] * 101})
    assert too_many.status_code == 422
    assert "items: has 101 entries, more than 100" in too_many.text

    await running.post_event("contact.described", account, {"contact_id": "ann"}, time=now - 2 * DAY)
    assert (await running.request("DELETE", f"/v1/accounts/{account}/contacts/ann")).status_code == 200
    assert "autumn" not in str(await figures())
