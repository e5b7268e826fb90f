"""Rows 1-6 and 14-19 of the reported faults through the running engine: contracts as connectors send them."""

import json
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.integration.rules_engine.conftest import Engine, fresh
from tests.integration.rules_engine.ingest_requests import BATCH, results_of

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]
ASKS = {
    "renewal_value_summary", "pre_renewal_review", "renewal_discussion", "renewal_proposal", "renewal_reminder",
    "renewal_urgency", "renewal_escalation",
}  # fmt: skip
MINUTE = 1 / 1440
FIRST: dict[str, Any] = {"at": -300, "status": "active", "starts_on": -300, "renews_on": 65}
CLOSED: dict[str, Any] = {"at": -900, "status": "active", "starts_on": -900, "renews_on": -400}
NEW: dict[str, Any] = {"at": -0.1, "status": "signed", "signed_at": -0.1, "starts_on": 0, "renews_on": 365}
STORIES: dict[str, list[dict[str, Any]]] = {
    "row-1": [
        FIRST,
        {"at": -0.1, "status": "signed", "signed_at": -0.1, "starts_on": -300, "renews_on": 430},
    ],
    "row-2": [FIRST, {"at": -0.1, "status": "active", "renews_on": 430}],
    "row-2-corrected": [FIRST, {"at": -0.1, "status": "active", "renews_on": 79}],
    "row-3": [
        {"at": -0.2, "status": "signed", "signed_at": -0.2, "starts_on": 0, "renews_on": 365},
        {"at": -0.1, "status": "signed", "signed_at": -0.2 + MINUTE, "starts_on": 0, "renews_on": 365},
    ],
    "row-4": [
        FIRST,
        {"at": -0.2, "status": "signed", "signed_at": -0.2},
        {"at": -0.1, "status": "signed", "signed_at": -0.2 + MINUTE},
    ],
    "row-5": [
        {"at": -430, "contract_id": "t-2024", "status": "active", "starts_on": -430, "renews_on": -65},
        {"at": -65, "contract_id": "t-2025", "status": "active", "starts_on": -65, "renews_on": 300},
    ],
    "row-6": [FIRST, {**FIRST, "at": -299, "contract_id": "k2"}],
    "row-14": [FIRST, {"at": -0.1, "status": "signed", "signed_at": -70}],
    "row-15": [{"at": -345, "status": "active", "starts_on": -345, "renews_on": 20, "auto_renew": True}],
    "row-16": [FIRST, {"at": -0.1, "status": "signed", "signed_at": -0.1}],
    "row-17": [FIRST, {"at": -0.1, "status": "churned"}],
    "row-17-notice": [FIRST, {"at": -0.1, "status": "notice"}],
    "row-17-ended": [{**FIRST, "renews_on": -1}, {"at": -40, "status": "churned"}],
    "row-18": [CLOSED, {"at": -500, "status": "churned"}, {**NEW, "contract_id": "k2"}],
    "row-18-same-id": [CLOSED, {"at": -500, "status": "churned"}, NEW],
    "row-19": [{"at": -0.1, "status": "active", "starts_on": 0, "renews_on": 365}],
}


async def post(running: Engine, stories: dict[str, list[dict[str, Any]]], now: datetime) -> None:
    """Accounts and their contract records, with days counted from now, in one batch; waits until all are applied."""
    described = {"arr": 50_000, "currency": "USD", "timezone": "Europe/Berlin", "csm_id": "csm-1"}
    sent: list[dict[str, Any]] = []
    for account_id, records in stories.items():
        time = now - timedelta(days=901)
        sent.append(await running.make_event("account.described", account_id, described, time=time))
        for record in records:
            data: dict[str, Any] = {"contract_id": "k", **record}
            time = now + timedelta(days=data.pop("at"))
            for name in {"starts_on", "renews_on"} & data.keys():
                data[name] = (now + timedelta(days=data[name])).date().isoformat()
            if "signed_at" in data:
                data["signed_at"] = (now + timedelta(days=data["signed_at"])).isoformat()
            source = f"/tool-{len(sent)}"
            sent.append(
                await running.make_event("contract.changed", account_id, data, time=time, source=source)
            )
    for first in range(0, len(sent), 400):
        results_of(await running.send(json.dumps(sent[first : first + 400]), BATCH), 202)
    for event in {event["subject"]: event for event in sent}.values():
        await running.wait_until_folded(event)


def types(account: dict[str, Any]) -> Counter[str]:
    return Counter(item["touchpoint_type"] for item in account["plan"]["touchpoints"])


def opens_on(account: dict[str, Any], kind: str) -> date:
    (item,) = (item for item in account["plan"]["touchpoints"] if item["touchpoint_type"] == kind)
    return datetime.fromisoformat(item["window"]["from"]).date()


async def test_contracts_as_connectors_send_them(running: Engine) -> None:
    now = await running.now()
    names = {story: fresh(story) for story in STORIES}
    await post(running, {names[story]: records for story, records in STORIES.items()}, now)
    accounts = {story: await running.account(name) for story, name in names.items()}
    found = {story: types(account) for story, account in accounts.items()}

    def day(days: int) -> date:
        return (now + timedelta(days=days)).date()

    for story in ("row-1", "row-2"):
        assert found[story].keys() >= ASKS, story
        assert opens_on(accounts[story], "renewal_reminder") == day(400), story
    assert found["row-1"]["post_renewal_check_in"] == 1
    assert opens_on(accounts["row-2-corrected"], "renewal_reminder") == day(49)
    assert found["row-3"]["kickoff"] == 1
    assert found["row-3"]["post_renewal_check_in"] == 0
    assert found["row-3"].keys() >= ASKS
    assert found["row-4"]["post_renewal_check_in"] == 1
    assert accounts["row-5"]["stage"] == "growth"
    assert opens_on(accounts["row-5"], "renewal_reminder") == day(270)
    assert all(found["row-6"][kind] <= 1 for kind in ASKS)
    (reminder,) = (
        item
        for item in accounts["row-6"]["plan"]["touchpoints"]
        if item["touchpoint_type"] == "renewal_reminder"
    )
    assert "k and k2" in reminder["reason"]["text"]
    for story in ("row-14", "row-15", "row-16", "row-17", "row-17-notice", "row-17-ended"):
        assert not found[story].keys() & (ASKS - {"renewal_value_summary"}), story
    assert found["row-14"]["post_renewal_check_in"] == 0
    assert found["row-16"]["post_renewal_check_in"] == 1
    assert found["row-15"]["check_in"] == 1
    for story in ("row-17", "row-17-notice"):
        assert accounts[story]["stage"] != "churned", story
        assert found[story]["win_back"] == 1, story
    assert accounts["row-17-ended"]["stage"] == "churned"
    assert accounts["row-17-ended"]["plan"]["rhythms"] == []
    for story in ("row-18", "row-18-same-id"):
        assert accounts[story]["stage"] == "onboarding", story
        assert (found[story]["kickoff"], found[story]["welcome"]) == (1, 1), story
    assert found["row-19"]["kickoff"] == 1


async def test_whole_records_sent_again_every_night_change_no_plan(running: Engine) -> None:
    now = await running.now()
    stories = {fresh(f"nightly-{story}"): STORIES[story] for story in ("row-4", "row-6", "row-18", "row-19")}
    await post(running, stories, now)
    before = {name: (await running.account(name))["plan"] for name in stories}
    nightly: dict[str, list[dict[str, Any]]] = {}
    for name, records in stories.items():
        newest = {record.get("contract_id", "k"): record for record in records}
        again = [
            {**record, "at": -0.05 + night / 1000} for night in range(1, 31) for record in newest.values()
        ]
        nightly[name] = again[::-1]
    await post(running, nightly, now)

    assert {name: (await running.account(name))["plan"] for name in stories} == before
