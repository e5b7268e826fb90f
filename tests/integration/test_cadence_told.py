"""A customer is told their cadence, and a change of it, through all services, on a clock that stands between steps."""

import tempfile
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from services.notifier.domain.sms_events import sign_form
from tests.integration.requirements_history import MID_MARKET, History
from tests.stack import QUARTER_DAY, Stack
from tests.unit.notifier.adapters.channels.gateway_peer import Peer, http, listening

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(300)]

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = timedelta(days=1)
CHAMPION, DECISION_MAKER = "new-champion@customer.example", "new-decision_maker@customer.example"

MOBILE, NUMBER, TOKEN = "new-mobile@customer.example", "+5511987654321", "token-of-the-account"


async def test_s187_s191_s215_the_cadence_is_told_at_onboarding_and_once_when_it_changes_with_why() -> None:
    with tempfile.TemporaryDirectory(prefix="drumbeat-cadence-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with listening() as gateway, Stack(folder, 0, MONDAY, settings=_sms(gateway)) as stack:
            gateway.answer = http(201, '{"sid": "SM1", "status": "queued"}')
            await stack.run()
            await stack.tell(*_beginning())
            await stack.advance(3 * DAY, step=QUARTER_DAY)
            told = _notices(stack)
            texts = [parse_qs(body) for _, _, body in gateway.requests]
            await _stop(stack)
            await stack.tell(*_red(await stack.now()))
            await stack.advance(3 * DAY, step=QUARTER_DAY)
            changed = _notices(stack)[len(told) :]

    assert sorted(address for address, _ in told) == [CHAMPION, DECISION_MAKER]
    by_address = dict(told)
    text = _text(by_address[CHAMPION])
    assert "Milestone check-in: every 2 weeks for the first 13 weeks" in text
    assert "Check-in: every month" in text
    assert "by email, by phone or in the app" in text  # S186
    assert "/p/" in text
    assert "alle 2 Wochen in den ersten 13 Wochen" in _text(by_address[DECISION_MAKER])

    # S182, S186: as she asked, in her language
    assert all("STOP" in one["Body"][0] for one in texts)
    (text_message,) = [
        one for one in texts if one["Body"][0].startswith("Northwind: Como mantemos contato com ")
    ]
    assert text_message["To"] == [NUMBER]
    assert "https://drumbeat.example/p/" in text_message["Body"][0]
    # After STOP no text message goes; what she would have had by it comes by mail.
    assert len(gateway.requests) == len(texts)

    assert sorted(address for address, _ in changed) == [CHAMPION, DECISION_MAKER, MOBILE]
    text = _text(dict(changed)[CHAMPION])
    assert "Check-in: every week" in text
    assert "because we want to be closer to you for a while" in text


def _sms(gateway: Peer) -> dict[str, str]:
    return {
        "DRUMBEAT_SMS__URL": gateway.url,
        "DRUMBEAT_SMS__ACCOUNT": "AC1",
        "DRUMBEAT_SMS__TOKEN": TOKEN,
        "DRUMBEAT_SMS__FROM": "+4930123456",
    }


async def _stop(stack: Stack) -> None:
    """The contact with the telephone answers STOP."""
    form = {"MessageSid": "SM2", "From": NUMBER, "To": "+4930123456", "Body": "Stop"}
    url = "https://drumbeat.example/v1/inbound/sms"
    signature = sign_form(url, {name: [value] for name, value in form.items()}, TOKEN)
    answer = await stack.client.post(
        stack.processes["notifier"].url + "/v1/inbound/sms",
        data=form,
        headers={"X-Twilio-Signature": signature, "Authorization": ""},
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")


def _beginning() -> list[dict[str, Any]]:
    """A customer that signs today, and one of a year ago, who is told nothing unasked."""
    history = History(MONDAY)
    history.add_event("csm.described", "dana", -500, name="Dana", email="dana@drumbeat.example")
    history.add_account("new", MID_MARKET, started=0)
    history.add_event("contact.described", "new", 0, contact_id="new-decision_maker", language="de")
    mobile = {"contact_id": "new-mobile", "role": "champion", "language": "pt", "phone": "+55 11 98765-4321"}
    history.add_event("contact.described", "new", 0, email=MOBILE, **mobile)
    history.add_event("preference.changed", "new", 0, contact_id="new-mobile", topic="account", channel="sms")
    history.add_account("old", MID_MARKET)
    history.add_event("health.scored", "new", 0, score=85)
    return history.events


def _red(now: datetime) -> list[dict[str, Any]]:
    """Both are in trouble."""
    history = History(now)
    history.add_event("health.scored", "new", 0, score=20)
    history.add_event("health.scored", "old", 0, score=20)
    for number, each in enumerate(history.events):
        each["id"] = f"later-{number}"
    return history.events


def _notices(stack: Stack) -> list[tuple[str, EmailMessage]]:
    """Mails about the cadence, with their addresses."""
    mails = [
        (recipients[0], message_from_bytes(content, policy=default))
        for recipients, content in stack.mail.messages
    ]
    begins = (
        "How we keep in touch",
        "We change how often",
        "Wie wir mit",
        "Wir ändern",
        "Sie hören",
        "Mudamos",
        "Como",
    )
    return [(address, mail) for address, mail in mails if str(mail["subject"]).startswith(begins)]


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())
