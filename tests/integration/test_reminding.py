"""A review is reminded of through all services, on a clock that stands until all work of a step is done."""

import tempfile
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from tests.integration.requirements_history import MID_MARKET, History
from tests.stack import QUARTER_DAY, Stack, receiving

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(300)]

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
REVIEW_AT = MONDAY + 4 * DAY
TYPES = [f"drumbeat.touchpoint.{kind}.v1" for kind in ("reminder", "due")]


async def test_s169_s190_a_review_is_reminded_of_48_hours_before_with_its_agenda() -> None:
    with tempfile.TemporaryDirectory(prefix="drumbeat-reminding-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, rate=0, start=MONDAY) as stack, receiving() as receiver:
            await stack.run()
            await stack.post("notifier", "/v1/subscriptions", {"url": receiver.url, "types": TYPES})
            await stack.tell(*_history())
            await stack.advance(HOUR, step=HOUR)
            await _bring_forward(stack)
            while not (due := _reviews(receiver.of("due"))):
                await stack.advance(QUARTER_DAY)
            (reminder,) = _reviews(receiver.of("reminder"))
            mails = _mails(stack)

    data = reminder["data"]
    assert data["touchpoint_id"] == due[0]["data"]["touchpoint_id"]
    due_at = datetime.fromisoformat(data["due_at"])
    assert due_at == REVIEW_AT
    late = datetime.fromisoformat(reminder["timestamp"]) - (due_at - 48 * HOUR)
    assert timedelta() <= late <= QUARTER_DAY
    assert data["agenda"]
    to_dana, to_ada = mails["dana@drumbeat.example"], mails["live-champion@customer.example"]
    assert to_dana["subject"] == "Reminder: Business review, live"
    assert str(to_ada["subject"]).startswith("Reminder: Business review, ")
    assert "dana@drumbeat.example" in str(to_ada["reply-to"])
    to_ben = mails["live-decision_maker@customer.example"]
    assert str(to_ben["subject"]).startswith("Erinnerung: ")
    for line in data["agenda"]:
        assert line in _text(to_dana)
        assert line in _text(to_ada)


async def _bring_forward(stack: Stack) -> None:
    """Dana moves the next review to the Friday of the week."""
    wanted = {"account_id": "live", "type": "business_review", "status": "planned", "limit": 1}
    review = (await stack.get("scheduler", "/v1/touchpoints", **wanted))["items"][0]
    body = {"to": REVIEW_AT.isoformat(), "version": review["sequence"]}
    await stack.post("scheduler", f"/v1/touchpoints/{review['id']}/reschedule", body)


def _history() -> list[dict[str, Any]]:
    """An account with a champion, and a decision maker who is written to in German."""
    history = History(MONDAY)
    history.add_event("csm.described", "dana", -500, name="Dana", email="dana@drumbeat.example")
    history.add_account("live", MID_MARKET)
    history.add_event("contact.described", "live", -1, contact_id="live-decision_maker", language="de")
    return history.events


def _reviews(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [body for body in bodies if body["data"]["touchpoint_type"] == "business_review"]


def _mails(stack: Stack) -> dict[str, EmailMessage]:
    """The reminders by address."""
    mails: dict[str, EmailMessage] = {}
    for recipients, content in stack.mail.messages:
        mail = message_from_bytes(content, policy=default)
        if str(mail["subject"]).startswith(("Reminder: ", "Erinnerung: ")):
            mails[recipients[0]] = mail
    return mails


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())
