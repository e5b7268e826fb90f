"""F12 through all services: promises in danger are given to a colleague, else announced ahead with their cause.

One story on a clock that stands until all work of a step is done: London, the days before the bank holiday of
25 May 2026.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from tests.integration.requirements_history import MID_MARKET, History
from tests.stack import Receiver, Stack, event, receiving, until

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(600)]

THURSDAY = datetime(2026, 5, 21, 8, tzinfo=UTC)
"""9:00 in London."""
FRIDAY = datetime(2026, 5, 22, 16, tzinfo=UTC)
"""17:00 in London."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TYPES = [f"drumbeat.touchpoint.{kind}.v1" for kind in ("at_risk", "due", "moved")]
PLACE = {"timezone": "Europe/London", "country": "GB", "region": "ENG", "manager_id": "mona"}


async def test_f12_what_is_promised_is_kept_by_a_colleague_or_announced_before_it_is_broken() -> None:
    with tempfile.TemporaryDirectory(prefix="drumbeat-promises-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, rate=0, start=THURSDAY) as stack, receiving() as receiver:
            await stack.run()
            await stack.post("notifier", "/v1/subscriptions", {"url": receiver.url, "types": TYPES})
            await stack.tell(*_history())
            await stack.advance(HOUR, step=HOUR)
            await _fill_days(stack)
            await _answer(stack, "full", "leaving")
            full = await _alarm(receiver, "full")
            leaving = await until(lambda: _asks(receiver, "due", "leaving"), 60, "Ben's ask is due")
            await _leave(stack)
            moved = await until(lambda: _asks(receiver, "moved", "leaving"), 60, "Cy has Ben's ask")
            await stack.advance(FRIDAY - await stack.now())
            await _answer(stack, "weekend")
            weekend = await _alarm(receiver, "weekend")
            for person in ("ada", "mona"):
                await until(lambda person=person: _alarms(stack, person), 60, f"{person} has the mail")
            to_ada, to_mona = _alarms(stack, "ada"), _alarms(stack, "mona")
            await stack.advance(3 * DAY)
            promises = await stack.get("scheduler", "/v1/promises", csm_id="ada")
            rows = (await stack.get("scheduler", "/v1/promises/adherence"))["rows"]
            later = _asks(receiver, "at_risk", "leaving")

    # A promoter on Friday at 17:00 before a holiday weekend: announced at once, two days before.
    risk = weekend["data"]["risk"]
    assert (risk["cause"], risk["deadline"]) == ("closed", _text(FRIDAY + 2 * DAY))
    assert risk["detail"].endswith("no working day, public holiday Spring Bank Holiday")
    assert datetime.fromisoformat(weekend["timestamp"]) < FRIDAY + HOUR
    # Time off that nobody planned: a colleague has it before the deadline.
    assert moved[-1]["data"]["owner"]["csm_id"] == "cy"
    assert moved[-1]["data"]["note"].startswith("covered by Cy: Ben is away from 2026-05-21")
    assert moved[-1]["timestamp"] < leaving[0]["data"]["deadline"]
    assert [each["data"]["risk"]["cause"] for each in later] in ([], ["unsettled"])
    # A full calendar: announced before the deadline.
    assert full["data"]["risk"]["cause"] == "no_room"
    assert full["timestamp"] < full["data"]["risk"]["deadline"]
    # The owner and their manager have one mail a cause, in their language.
    assert (len(to_ada), len(to_mona)) == (1, 1)
    assert to_ada[0]["subject"] == "At risk: Advocacy ask, weekend"
    # With it goes what else was to be written to the manager at that moment.
    assert str(to_mona[0]["subject"]).startswith(("Frist in Gefahr: ", "Fristen in Gefahr: "))
    # It was broken, and no promise was without a warning.
    broken = [each for each in promises["items"] if each["touchpoint_type"] == "advocacy_ask"]
    assert [(each["status"], each["risk"]["cause"]) for each in broken] == [("breached", "closed")]
    assert sum(row["unannounced"] for row in rows) == 0
    assert next(row["adherence"] for row in rows if row["key"] == "ada") == 0.0


def _history() -> list[dict[str, Any]]:
    history = History(THURSDAY)
    mona = {"name": "Mona", "email": "mona@drumbeat.example", "role": "manager", "language": "de"}
    history.add_event("csm.described", "mona", -500, **mona)
    for name, pool in (("ada", None), ("ben", "uk"), ("cy", "uk"), ("dan", None)):
        person = {"name": name.title(), "email": f"{name}@drumbeat.example", **PLACE}
        history.add_event("csm.described", name, -500, **person, **({"pool": pool} if pool else {}))
    history.add_account("weekend", MID_MARKET, csm_id="ada")
    history.add_account("leaving", MID_MARKET, csm_id="ben", pool="uk")
    history.add_account("full", MID_MARKET, csm_id="dan")
    return history.events


async def _fill_days(stack: Stack) -> None:
    """Dan has other things to do on both days until the deadline."""
    for day in range(2):
        body = {
            "account_id": "full",
            "type": "training_session",
            "csm_id": "dan",
            "owner": "csm",
            "minutes": 480,
        }
        body |= {
            "due_at": _text(THURSDAY + day * DAY + 2 * HOUR),
            "channel": "meeting",
            "purpose": "Workshop",
        }
        await stack.post("scheduler", "/v1/touchpoints", {**body, "topic": "account", "audience": []})


async def _answer(stack: Stack, *accounts: str) -> None:
    """Promoters answer now."""
    now = await stack.now()
    await stack.tell(
        *(
            event(
                "nps.answered",
                name,
                {"contact_id": f"{name}-champion", "score": 10},
                id=f"nps-{name}",
                time=now,
            )
            for name in accounts
        )
    )
    await stack.advance(timedelta(minutes=5), step=timedelta(minutes=5))


async def _leave(stack: Stack) -> None:
    """Ben is away from today on."""
    now = await stack.now()
    off = [{"from": "2026-05-21", "to": "2026-05-29"}]
    person = {"name": "Ben", "email": "ben@drumbeat.example", "pool": "uk", **PLACE, "time_off": off}
    await stack.tell(event("csm.described", "ben", person, id="ben-leaves", time=now))
    await stack.advance(timedelta(minutes=5), step=timedelta(minutes=5))


async def _alarm(receiver: Receiver, account: str) -> dict[str, Any]:
    found = await until(lambda: _asks(receiver, "at_risk", account), 60, f"an alarm about {account}")
    return found[0]


def _asks(receiver: Receiver, kind: str, account: str) -> list[dict[str, Any]]:
    return [
        body
        for body in receiver.of(kind)
        if (body["data"]["account_id"], body["data"]["touchpoint_type"]) == (account, "advocacy_ask")
    ]


def _alarms(stack: Stack, person: str) -> list[EmailMessage]:
    """The mails that tell somebody of the ask before the holiday."""
    mails = [
        message_from_bytes(content, policy=default)
        for recipients, content in stack.mail.messages
        if recipients == [f"{person}@drumbeat.example"]
    ]
    return [
        mail
        for mail in mails
        if str(mail["subject"]).startswith(("At risk: ", "Frist")) and "Spring Bank Holiday" in _words(mail)
    ]


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _words(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return " ".join(part.get_content().split())
