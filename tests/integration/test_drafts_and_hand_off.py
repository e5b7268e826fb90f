"""Messages that a CSM approves first, and messages that a platform writes, through the running services (U9, S156).

What a customer does with an approved message is measured (S194).
"""

import re
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.ids import derived_id
from services.notifier.application.receive_mail import engagement_id
from tests.edited_policy import edited_policy
from tests.stack import Receiver, Stack, event, receiving, until

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(420)]

MONDAY = datetime(2026, 3, 2, 7, tzinfo=UTC)
CARL = "carl@vendor.example"
KEYS = {"welcome": ["approve: true", "approve_within: 12h"], "onboarding_step": ["hand_off: Sequencer"]}
TRACKING = {"DRUMBEAT_TRACKING__CLICKS": "1", "DRUMBEAT_TRACKING__OPENS": "1"}
GUIDE = "https://vendor.example/guide?step=1&from=mail"
ACCOUNTS = ("acme", "bolt", "cord", "dune")


async def test_messages_wait_for_approval_or_go_to_the_platform_and_outcomes_settle_them() -> None:
    with tempfile.TemporaryDirectory(prefix="drumbeat-drafts-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        policy = edited_policy(folder, KEYS)
        settings = {"DRUMBEAT_POLICY": str(policy), **TRACKING}
        async with receiving() as platform, Stack(folder, rate=0, start=MONDAY, settings=settings) as stack:
            await stack.run()
            await _subscribe(stack, platform)
            await _describe(stack)
            await stack.advance(timedelta(hours=4))
            await _handed_off(stack, platform)
            await _decided(stack)
            await _measured(stack)
            await _expired(stack)


async def _subscribe(stack: Stack, platform: Receiver) -> None:
    body = {"url": platform.url, "types": ["drumbeat.touchpoint.due.v1"], "name": "Sequencer"}
    await stack.post("notifier", "/v1/subscriptions", body)


async def _describe(stack: Stack) -> None:
    """Small accounts in the first day of their onboarding, led by Carl; of the last one a contact opted out."""
    now = await stack.now()
    carl = {"name": "Carl", "email": CARL, "timezone": "UTC"}
    events = [event("csm.described", "carl", carl, id="c", time=now)]
    for account in ACCOUNTS:
        described = {"name": account.title(), "arr": 2_000, "timezone": "UTC", "csm_id": "carl"}
        contact = {"contact_id": f"{account}-ann", "name": "Ann", "email": f"ann@{account}.example"}
        contract = {
            "contract_id": account, "status": "active", "starts_on": str(now.date()),
            "renews_on": str(now.date() + timedelta(days=365)),
        }  # fmt: skip
        events += [
            event("account.described", account, described, id=f"{account}-a", time=now),
            event("contact.described", account, {**contact, "role": "champion"}, id=f"{account}-n", time=now),
            event("contract.changed", account, contract, id=f"{account}-k", time=now),
        ]
    opted_out = {"contact_id": "dune-ann", "opted_in": False, "topic": "education"}
    events.append(event("preference.changed", "dune", opted_out, id="dune-o", time=now))
    await stack.tell(*events)


async def _drafts(stack: Stack, **query: str) -> dict[str, Any]:
    found = await stack.get("notifier", "/v1/drafts", **query)
    return {item["account_id"]: item for item in found["items"]}


async def _handed_off(stack: Stack, platform: Receiver) -> None:
    """S156: the platform gets who may be written to, its outcome settles the touchpoint, Drumbeat sends nothing."""

    def steps() -> dict[str, Any]:
        dues = [body["data"] for body in platform.of("due")]
        return {data["account_id"]: data for data in dues if data["touchpoint_type"] == "onboarding_step"}

    await until(lambda: len(steps()) == len(ACCOUNTS), 120, "the platform has every onboarding step")
    acme, dune = steps()["acme"], steps()["dune"]
    (ann,) = acme["content"]["recipients"]
    assert (ann["address"], acme["content"]["name"]) == ("ann@acme.example", "Sequencer")
    assert ann["subject"]
    assert ann["text"]
    assert dune["content"]["recipients"] == []
    assert _mails(stack, "ann@acme.example") == []
    (delivery,) = await _deliveries(stack, acme["touchpoint_id"], "email")
    assert (delivery["state"], delivery["reason"]) == ("suppressed", "handed off to Sequencer")
    path = f"/v1/touchpoints/{acme['touchpoint_id']}"
    assert (await stack.get("scheduler", path))["status"] == "due"

    settled = {
        "touchpoint_id": acme["touchpoint_id"],
        "touchpoint_type": "onboarding_step",
        "outcome": "completed",
    }
    at = await stack.now()
    await stack.tell(event("touchpoint.settled", "acme", settled, id="done", time=at, source="/sequencer"))
    await until(lambda: _is_settled(stack, path), 60, "the outcome of the platform settled the touchpoint")


async def _is_settled(stack: Stack, path: str) -> bool:
    return (await stack.get("scheduler", path))["status"] == "settled"


async def _decided(stack: Stack) -> None:
    """U9: one is edited and approved, one rejected, one withdrawn with its touchpoint; one waits on."""
    await until(lambda: _waits(stack, len(ACCOUNTS)), 60, "every welcome waits")
    drafts = await _drafts(stack, csm_id="carl", state="pending")
    await until(lambda: len(_mails(stack, CARL)) >= len(ACCOUNTS), 60, "Carl is asked about each")
    assert _mails(stack, "ann@acme.example") == []
    subjects = sorted(str(mail["Subject"]) for mail in _mails(stack, CARL))
    assert subjects == [f"Please approve: Welcome, {name.title()}" for name in sorted(ACCOUNTS)]

    path = f"{stack.processes['notifier'].url}/v1/drafts/{drafts['acme']['id']}"
    body = "Dear {{ contact.first_name | otherwise: customer }}, I wrote this myself."
    body += f" Please read [the guide]({GUIDE})."
    edit = {"subject": "Hello from Carl", "body": body, "version": 1}
    assert (await stack.client.put(path, json=edit)).status_code == 200
    assert (await stack.client.post(f"{path}/approve", json={"version": 1})).status_code == 409
    await stack.post(
        "notifier", f"/v1/drafts/{drafts['acme']['id']}/approve", {"version": 2, "actor_id": "carl"}
    )
    await stack.post("notifier", f"/v1/drafts/{drafts['bolt']['id']}/reject", {"reason": "they know us"})
    touchpoint = await stack.get("scheduler", f"/v1/touchpoints/{drafts['cord']['touchpoint_id']}")
    cancel = {"reason": "not needed", "version": touchpoint["sequence"]}
    await stack.post("scheduler", f"/v1/touchpoints/{touchpoint['id']}/cancel", cancel)

    await until(lambda: _mails(stack, "ann@acme.example"), 60, "the approved message is sent")
    (mail,) = _mails(stack, "ann@acme.example")
    text = mail.get_body(("plain",))
    assert text is not None
    assert (str(mail["Subject"]), "Dear Ann, I wrote this myself." in text.get_content()) == (
        "Hello from Carl",
        True,
    )
    await until(lambda: _is(stack, "bolt", "rejected"), 60, "the rejected draft is rejected")
    await until(lambda: _is(stack, "cord", "withdrawn"), 60, "the cancelled touchpoint withdraws its draft")
    (rejected,) = await _deliveries(stack, drafts["bolt"]["touchpoint_id"], "email", "suppressed")
    assert rejected["reason"].endswith("they know us")
    assert _mails(stack, "ann@bolt.example") == _mails(stack, "ann@cord.example") == []


async def _measured(stack: Stack) -> None:
    """S194: a link leads through the notifier to its target; a scanner's click and a proxy's open are marked."""
    (mail,) = _mails(stack, "ann@acme.example")
    html = mail.get_body(("html",))
    assert html is not None
    found = re.findall(r'(?:href|src)="(https://drumbeat\.example/[co]/[^"]+)"', html.get_content())
    link, image = (url.replace("https://drumbeat.example", stack.processes["notifier"].url) for url in found)
    agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    async with httpx.AsyncClient(headers=agent) as visitor:
        await visitor.head(link)
        answer = await visitor.get(link)
        shown = await visitor.get(image, headers={"User-Agent": "Mozilla/5.0"})
        lost = await visitor.get(f"{link}x")
    assert (answer.status_code, answer.headers["location"]) == (302, GUIDE)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/gif")
    assert (lost.status_code, "location" in lost.headers) == (404, False)
    assert "This link does not work" in lost.text
    delivery_id = str(mail["Message-ID"]).strip("<>").partition("@")[0]
    for kind in ("clicked", "opened"):
        receipt = engagement_id(delivery_id, kind, is_automatic=True)
        await _is_applied(stack, derived_id("engaged", receipt, delivery_id))
    for to_carl in _mails(stack, CARL):
        assert "/c/" not in to_carl.as_string()
        assert "/o/" not in to_carl.as_string()


async def _is_applied(stack: Stack, event_id: str) -> None:
    """The rules engine has applied this event of the notifier."""

    async def is_applied() -> bool:
        found = await stack.find("rules_engine", "/v1/events", source="/drumbeat/notifier", id=event_id)
        return found is not None and found["status"] == "folded"

    await until(is_applied, 90, f"{event_id} is applied")


async def _expired(stack: Stack) -> None:
    """What nobody decides on in twelve hours is not sent, and Carl hears of it."""
    assert (await stack.get("notifier", "/v1/drafts", state="pending"))["pending"] == 1
    await stack.advance(timedelta(hours=12))
    await until(lambda: _is(stack, "dune", "expired"), 60, "the draft expired")
    (late,) = await _deliveries(stack, (await _drafts(stack))["dune"]["touchpoint_id"], "email", "expired")
    assert late["reason"].startswith("nobody approved it until 2026-03-0")
    await until(
        lambda: any("Not sent: Welcome" in str(mail["Subject"]) for mail in _mails(stack, CARL)), 60, "a mail"
    )
    assert _mails(stack, "ann@dune.example") == []


async def _waits(stack: Stack, number: int) -> bool:
    return (await stack.get("notifier", "/v1/drafts", state="pending"))["pending"] == number


async def _is(stack: Stack, account: str, state: str) -> bool:
    return (await _drafts(stack))[account]["state"] == state


async def _deliveries(stack: Stack, touchpoint_id: str, channel: str, state: str = "") -> Sequence[Any]:
    query = {"touchpoint_id": touchpoint_id, "channel": channel, **({"state": state} if state else {})}
    await until(lambda: _has_deliveries(stack, query), 30, f"deliveries of {query}")
    return (await stack.get("notifier", "/v1/deliveries", **query))["items"]


async def _has_deliveries(stack: Stack, query: dict[str, str]) -> bool:
    return bool((await stack.get("notifier", "/v1/deliveries", **query))["items"])


def _mails(stack: Stack, address: str) -> list[EmailMessage]:
    found = [content for recipients, content in stack.mail.messages if recipients == [address]]
    return [message_from_bytes(content, policy=default) for content in found]
