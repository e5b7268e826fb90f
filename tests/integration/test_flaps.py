"""Rows 39 and 47 through the running services: health that flaps, and touchpoints by hand.

The directory record of the account returns to what it was many times, and never under an id it had (issue 11, A13 b).
"""

import tempfile
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.calendar.announcing import ANNOUNCED_AHEAD
from tests.faults.ledger import check_ids
from tests.stack import Receiver, Stack, event, receiving, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
ACCOUNT = {"arr": 50_000, "currency": "USD", "timezone": "Europe/Berlin", "csm_id": "csm-1"}


async def test_health_that_flaps_has_no_events_and_an_unknown_type_is_refused() -> None:
    with tempfile.TemporaryDirectory(prefix="drumbeat-flaps-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with receiving() as receiver, Stack(folder) as stack:
            await stack.run()
            await stack.post("notifier", "/v1/subscriptions", {"url": receiver.url})
            await _flap(stack, receiver)
            await _plan_by_hand(stack)
            check_ids(stack.kafka.bootstrap)


async def _flap(stack: Stack, receiver: Receiver) -> None:
    now = await stack.now()
    contract = {
        "contract_id": "k", "status": "active", "starts_on": str((now - timedelta(days=200)).date()),
        "renews_on": str((now + timedelta(days=165)).date()),
    }  # fmt: skip
    await stack.tell(
        event("account.described", "acme", ACCOUNT, id="a", time=now - timedelta(minutes=9)),
        event("contract.changed", "acme", contract, id="k", time=now - timedelta(minutes=8)),
        event("health.scored", "acme", {"score": 41}, id="h", time=now - timedelta(minutes=7)),
    )
    await _announced(stack, receiver)
    planned = await _calendar(stack)
    assert len(planned) > 10
    before = len(receiver.hits)

    for number in range(20):
        for score, second in ((39, 1), (41, 2)):
            time = now - timedelta(minutes=6) + timedelta(seconds=2 * number + second)
            flap = event("health.scored", "acme", {"score": score}, id=f"h{number}:{score}", time=time)
            await stack.tell(flap)
            await until(lambda given=flap: _is_folded(stack, given), 30, "the score is applied")
    await _announced(stack, receiver)

    known: defaultdict[str, list[str]] = defaultdict(list)
    for kind in ("scheduled", "moved", "cancelled", "due", "overdue"):
        for body in receiver.of(kind):
            known[body["data"]["touchpoint_id"]].append(kind)
    calendar, near = await _calendar(stack), await _calendar(stack, await stack.now() + ANNOUNCED_AHEAD)
    listed = {item["id"] for item in (await _items(stack))}
    assert set(known) <= listed
    assert near.keys() <= set(known)
    assert all(kinds.count("scheduled") == 1 for kinds in known.values())
    # What came due while the account was red for a moment is real, and may move what follows it: once.
    assert all(len(kinds) == len(set(kinds)) for kinds in known.values())
    assert len(receiver.hits) - before < 60
    latest = _latest(receiver)
    assert {key: latest[key]["due_at"] for key in near} == near
    assert {key for key, data in latest.items() if data["status"] == "planned"} <= calendar.keys()


async def _plan_by_hand(stack: Stack) -> None:
    url = stack.processes["scheduler"].url + "/v1/touchpoints"
    due_at = (await stack.now() + timedelta(days=3)).isoformat()
    wrong = {"account_id": "acme", "type": "chekin", "due_at": due_at}

    async def is_refused() -> bool:
        return (await stack.client.post(url, json=wrong)).status_code == 422

    await until(is_refused, 30, "the scheduler knows the policy")
    answer = await stack.client.post(url, json=wrong)
    assert "did you mean 'check_in'?" in answer.json()["detail"]
    made = await stack.post("scheduler", "/v1/touchpoints", {**wrong, "type": "executive_review"})
    assert (made["owner"]["kind"], made["channel"], made["topic"]) == ("csm", "meeting", "account")
    assert made["minutes"] > 0
    assert made["purpose"]


async def _is_folded(stack: Stack, sent: dict[str, object]) -> bool:
    answer = await stack.client.get(
        stack.processes["rules_engine"].url + "/v1/events",
        params={"source": str(sent["source"]), "id": str(sent["id"])},
    )
    return answer.status_code == 200 and answer.json()["status"] == "folded"


async def _items(stack: Stack) -> list[dict[str, Any]]:
    return (await stack.get("scheduler", "/v1/touchpoints", account_id="acme", limit=500))["items"]


async def _calendar(stack: Stack, until: datetime | None = None) -> dict[str, str]:
    """What is planned; with `until` without the occurrences of rhythms that are later."""
    return {
        item["id"]: item["due_at"]
        for item in await _items(stack)
        if item["status"] == "planned"
        and (until is None or item["origin"] != "rhythm" or datetime.fromisoformat(item["due_at"]) <= until)
    }


def _latest(receiver: Receiver) -> dict[str, Any]:
    """Each touchpoint as the event with the highest sequence describes it."""
    latest: dict[str, Any] = {}
    for kind in ("scheduled", "moved", "cancelled", "due", "overdue"):
        for body in receiver.of(kind):
            data = body["data"]
            if data["sequence"] >= latest.get(data["touchpoint_id"], {"sequence": 0})["sequence"]:
                latest[data["touchpoint_id"]] = data
    return latest


async def _announced(stack: Stack, receiver: Receiver) -> None:
    """Wait until the receiver knows what the calendar plans."""

    async def is_known() -> bool:
        latest = _latest(receiver)
        planned = {key: data["due_at"] for key, data in latest.items() if data["status"] == "planned"}
        calendar, near = await _calendar(stack), await _calendar(stack, await stack.now() + ANNOUNCED_AHEAD)
        return bool(planned) and near.items() <= planned.items() <= calendar.items()

    await until(is_known, 60, "every change is announced")
