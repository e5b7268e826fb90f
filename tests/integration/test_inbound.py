"""What a customer answers, through the running services: to an invitation, and to a mail."""

import tempfile
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from icalendar import Calendar

from schemas.ids import derived_id
from tests.stack import Stack, event, until
from tests.unit.notifier.inbound_mails import ANN, gmail_reply, google_answer

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(240)]

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CARL = "carl@vendor.example"
DECLINED = {"touchpoint_type": "check_in", "outcome": "declined"}


async def test_the_answer_to_an_invitation_comes_back_as_an_outcome_and_a_reply_is_contact() -> None:
    with tempfile.TemporaryDirectory(prefix="drumbeat-inbound-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, start=NOON) as stack:
            await stack.run()
            await _describe(stack)
            invitation = await _invitation(stack, ANN)
            await _declined(stack, invitation)
            await _replied(stack, invitation)


async def _describe(stack: Stack) -> None:
    """An enterprise account in its onboarding, which Carl speaks with every week, and which declined two calls."""
    started = NOON - timedelta(days=20)
    contract = {
        "contract_id": "k", "status": "active", "starts_on": str(started.date()),
        "renews_on": str((started + timedelta(days=365)).date()),
    }  # fmt: skip
    account = {"name": "Acme", "arr": 200_000, "currency": "USD", "timezone": "UTC", "csm_id": "carl"}
    contact = {"contact_id": "ann", "name": "Ann", "email": ANN, "role": "champion", "timezone": "UTC"}
    await stack.tell(
        event(
            "csm.described", "carl", {"name": "Carl", "email": CARL, "timezone": "UTC"}, id="c", time=started
        ),
        event("account.described", "acme", account, id="a", time=started),
        event("contact.described", "acme", contact, id="n", time=started),
        event("contract.changed", "acme", contract, id="k", time=started),
        *(
            event("touchpoint.settled", "acme", DECLINED, id=f"d{days}", time=NOON - timedelta(days=days))
            for days in (14, 7)
        ),
    )


async def _invitation(stack: Stack, address: str) -> EmailMessage:
    """The first invitation to this address."""

    def first() -> EmailMessage | None:
        mails = [
            message_from_bytes(content, policy=default)
            for recipients, content in stack.mail.messages
            if recipients == [address]
        ]
        return next((mail for mail in mails if b"BEGIN:VCALENDAR" in mail.as_bytes()), None)

    await until(first, 60, "an invitation")
    found = first()
    assert found is not None
    return found


async def _post(stack: Stack, mail: bytes) -> dict[str, Any]:
    url = stack.processes["notifier"].url + "/v1/inbound/mail"

    async def is_recorded() -> bool:
        """A mail server may have the answer before the notifier recorded that it sent the invitation."""
        answer = await stack.client.post(url, content=mail, headers={"Content-Type": "message/rfc822"})
        assert answer.status_code == 202, answer.text
        results.append(answer.json())
        return bool(results[-1]["counted"])

    results = list[dict[str, Any]]()
    await until(is_recorded, 20, "the mail counts")
    return results[-1]


async def _declined(stack: Stack, invitation: EmailMessage) -> None:
    assert (await _check_in(stack))["every_days"] == 7
    part = next(part for part in invitation.walk() if part.get_content_type() == "text/calendar")
    calendar: Any = Calendar.from_ical(cast("bytes", part.get_payload(decode=True)))
    (entry,) = calendar.walk("VEVENT")
    uid, sequence = str(entry["UID"]), int(entry["SEQUENCE"])
    mail = google_answer(uid, "DECLINED", sequence)
    result = await _post(stack, mail)
    assert result == await _post(stack, mail)

    assert (result["kind"], result["reason"]) == ("calendar", None)
    inbox = await stack.get("notifier", "/v1/inbox", csm_id="carl")
    declined = [item for item in inbox["items"] if "declined" in item["title"]]
    assert [item["touchpoint_id"] for item in declined] == [uid]
    await until(lambda: _subjects(stack, CARL, "declined"), 30, "Carl has a mail")
    assert len(_subjects(stack, CARL, "declined")) == 1
    receipt = derived_id("inbound", "calendar", "calendar-1@google.example")
    await _is_applied(stack, derived_id("engaged", receipt, result["delivery_id"]))
    touchpoint = await stack.get("scheduler", f"/v1/touchpoints/{uid}")
    assert touchpoint["status"] in ("planned", "due")  # a decline settles nothing
    check_in = await _check_in(stack)  # S141: it is the third decline in a row
    assert (check_in["every_days"], "Three meetings in a row" in check_in["reason"]["text"]) == (14, True)


async def _check_in(stack: Stack) -> dict[str, Any]:
    account = await stack.get("rules_engine", "/v1/accounts/acme")
    (rhythm,) = [one for one in account["plan"]["rhythms"] if one["touchpoint_type"] == "check_in"]
    return rhythm


async def _replied(stack: Stack, invitation: EmailMessage) -> None:
    delivery_id = str(invitation["Message-ID"]).strip("<>").partition("@")[0]
    result = await _post(stack, gmail_reply(delivery_id))

    assert (result["kind"], result["delivery_id"]) == ("reply", delivery_id)
    receipt = derived_id("inbound", "reply", "CAA1@mail.example")
    await _is_applied(stack, derived_id("engaged", receipt, delivery_id))
    await _is_applied(stack, derived_id("contact by reply", receipt, delivery_id))
    await until(lambda: _subjects(stack, CARL, "answered"), 30, "Carl has a mail")
    figures = await stack.post("rules_engine", "/v1/figures", {"items": [{"account_id": "acme"}]})
    conversation = figures["items"][0]["conversation"]
    assert (conversation["channel"], "talk about the import" in conversation["notes"]) == ("email", True)


async def _is_applied(stack: Stack, event_id: str) -> None:
    """The rules engine has applied this event of the notifier."""

    async def is_applied() -> bool:
        found = await stack.find("rules_engine", "/v1/events", source="/drumbeat/notifier", id=event_id)
        return found is not None and found["status"] == "folded"

    await until(is_applied, 30, f"{event_id} is applied")


def _subjects(stack: Stack, address: str, word: str) -> list[str]:
    mails = [
        message_from_bytes(content, policy=default)
        for recipients, content in stack.mail.messages
        if recipients == [address]
    ]
    return [subject for mail in mails if word in (subject := str(mail["Subject"]))]
