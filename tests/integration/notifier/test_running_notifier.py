"""Mail of a running notifier, from Kafka through PostgreSQL to a mail server: who gets it once, and what ends it."""

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from confluent_kafka import Producer

from schemas.envelope import Envelope, kafka_headers
from schemas.times import format_instant
from services.chassis.database import Database
from services.chassis.settings import Settings
from services.notifier.adapters.secret_repository import open_secrets
from services.notifier.domain.action_token import ActionToken, make_action_token
from services.notifier.domain.link_token import LinkKeys
from tests.stack import Stack, event, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
]

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINK = re.compile(rb"\r\nList-Unsubscribe: <https://drumbeat\.example(/v1/unsubscribe/[\w-]+)>\r\n")
FINAL = {"sent", "failed", "suppressed", "expired"}
CONTENT = {
    "tips": """---
subject: "A tip for {{ account.name | otherwise: you }}"
---
Import faster.
""",
    "value_report": """---
subject: "Your figures"
needs: [usage.active_users]
---
You have {{ usage.active_users | one: # active user | other: # active users }}.
""",
}


@dataclass
class Running:
    """A running rules engine and notifier; `number` counts the touchpoints that came due."""

    stack: Stack
    number: int = 0

    def produce(self, topic: str, kind: str, account: str, data: Mapping[str, object], id: str) -> None:
        producer = Producer({"bootstrap.servers": self.stack.kafka.bootstrap})
        envelope = Envelope(id, "/test", f"drumbeat.{kind}.v1", account, NOON, json.dumps(data).encode())
        producer.produce(
            topic,
            envelope.data,
            key=account,
            headers=list[tuple[str, str | bytes | None]](kafka_headers(envelope)),
        )
        assert producer.flush(30) == 0

    async def due(self, account: str = "acme", **more: object) -> list[dict[str, Any]]:
        """The final deliveries to people of one more touchpoint that comes due."""
        self.number += 1
        touchpoint_id = f"touchpoint-{self.number}"
        window = {"from": format_instant(NOON), "to": format_instant(NOON + timedelta(days=1))}
        data: dict[str, object] = {
            "touchpoint_id": touchpoint_id,
            "account_id": account,
            "touchpoint_type": "tips",
            "status": "due",
            "due_at": format_instant(NOON),
            "window": window,
            "owner": {"kind": "automation"},
            "channel": "email",
            "purpose": "Three ways to import faster",
            "reason": {"rule": "tips", "policy": "p1", "facts": [], "text": "weekly tips"},
            "sequence": 1,
            "topic": "education",
        }
        self.produce("touchpoint.events", "touchpoint.due", account, {**data, **more}, touchpoint_id)

        async def final() -> list[dict[str, Any]]:
            answer = await self.stack.get("notifier", "/v1/deliveries", touchpoint_id=touchpoint_id)
            items = [item for item in answer["items"] if item["recipient"]["kind"] != "mailbox"]
            return items if items and all(item["state"] in FINAL for item in items) else []

        return await until(final, 30, f"{touchpoint_id} delivered")

    def write_content(self) -> None:
        """Content in place of the shipped one, as the rules engine would publish it."""
        for touchpoint_type, text in CONTENT.items():
            data = {"language": "en", "touchpoint_type": touchpoint_type, "reader": "customer", "text": text}
            key = f"en/{touchpoint_type}"
            more = {"policy": "p1", "version": 10**15}
            self.produce("directory.content", "content.directory", key, {**data, **more}, key)

    def engage(self, delivery_id: str, kind: str) -> None:
        data = {"delivery_id": delivery_id, "kind": kind}
        self.produce("touchpoint.outcomes", "message.engaged", "acme", data, f"{delivery_id}:{kind}")

    async def preference(self, contact_id: str, topic: str = "education") -> bool | None:
        """Whether the contact is opted in; None while the notifier does not know the contact."""
        url = self.stack.processes["notifier"].url
        answer = await self.stack.client.get(f"{url}/v1/contacts/{contact_id}/preferences")
        return answer.json()["topics"][topic]["opted_in"] if answer.status_code == 200 else None

    async def describe(self, contact_id: str, email: str, account: str = "acme", **more: object) -> None:
        data = {"contact_id": contact_id, "email": email, "role": "champion", "timezone": "UTC", **more}
        at = NOON + timedelta(seconds=self.number)
        described = event("contact.described", account, data, id=f"{contact_id}:{email}", time=at)
        await self.stack.tell(described)

        async def is_known() -> bool:
            return await self.preference(contact_id) is not None

        await until(is_known, 30, f"{contact_id} known to the notifier")

    async def command(self, *arguments: str) -> str:
        """What `drumbeat` prints, against these services."""
        done = await self.stack.drumbeat(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def restart_notifier(self, **settings: str) -> None:
        process = self.stack.processes["notifier"]
        process.child.terminate()
        process.child.wait()
        self.stack.environment |= settings
        await self.stack.run("notifier")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncGenerator[Running]:
    with tempfile.TemporaryDirectory(prefix="drumbeat-notifier-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, start=NOON) as stack:
            await stack.run("rules_engine", "notifier")
            made = Running(stack)
            made.write_content()
            yield made


def mails_to(running: Running, address: str) -> list[bytes]:
    return [content for recipients, content in running.stack.mail.messages if recipients == [address]]


async def test_one_address_gets_one_mail_with_an_unsubscribe_address_that_binds_it_everywhere(
    running: Running,
) -> None:
    """Rows 7, 8, 41, 45 and 46."""
    await running.describe("crm-77", "Ann.Lee@one.example", role="user")
    await running.describe("app-9", "ann.lee@one.example")
    await running.describe("agency-3", "ANN.LEE@one.example", "globex")

    (sent,) = await running.due()
    assert (sent["recipient"]["id"], sent["state"]) == ("app-9", "sent")
    (content,) = mails_to(running, "ann.lee@one.example")
    found = LINK.search(content)
    assert found is not None, content
    assert len(found[0]) > 80
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in content
    assert b"\r\nReply-To: Northwind Success <answers@northwind.example>\r\n" in content
    assert content.startswith(b"From: Northwind <success@northwind.example>\r\n")

    url = running.stack.processes["notifier"].url + found[1].decode()
    async with httpx.AsyncClient() as reader:
        answer = await reader.post(url, content="List-Unsubscribe=One-Click")
    assert answer.status_code == 200
    assert [row["state"] for row in await running.due()] == ["suppressed"]
    assert [row["state"] for row in await running.due("globex")] == ["suppressed"]

    opt_in = {"contact_id": "app-9", "topic": "education", "opted_in": True, "frequency": "weekly"}
    later = NOON + timedelta(minutes=4)
    await running.stack.tell(event("preference.changed", "acme", opt_in, id="nightly", time=later))

    async def frequency() -> bool:
        path = "/v1/contacts/app-9/preferences"
        return (await running.stack.get("notifier", path))["topics"]["education"]["frequency"] == "weekly"

    await until(frequency, 30, "the nightly opt-in read by the notifier")
    assert [row["state"] for row in await running.due()] == ["suppressed"]

    async with httpx.AsyncClient() as reader:
        await reader.post(url, params={"again": "true"})
    assert [row["state"] for row in await running.due("globex")] == ["sent"]


async def test_a_complaint_and_a_hard_bounce_end_the_mail(running: Running) -> None:
    """Row 21."""
    await running.describe("bea", "bea@two.example", "initech")
    await running.describe("cleo", "cleo@three.example", "hooli")
    (complained,), (bounced,) = await running.due("initech"), await running.due("hooli")

    running.engage(complained["id"], "complained")
    running.engage(bounced["id"], "bounced")

    async def has_bound() -> bool:
        return await running.preference("bea", "surveys") is False

    await until(has_bound, 30, "the complaint bound")
    assert [row["state"] for row in await running.due("initech", topic="surveys")] == ["suppressed"]

    async def is_blocked() -> bool:
        return [row["state"] for row in await running.due("hooli")] == ["suppressed"]

    await until(is_blocked, 30, "the bounce bound")
    await running.describe("cleo", "cleo.new@three.example", "hooli")

    async def is_sent() -> bool:
        return [row["state"] for row in await running.due("hooli")] == ["sent"]

    await until(is_sent, 30, "a mail to the new address")


async def test_a_report_has_the_figures_that_the_rules_engine_knows(running: Running) -> None:
    """S128, S173, S174: through the running services, in the mail, in the preview and on the contact's page."""
    await running.describe("eve", "eve@five.example", "wayne")
    (nothing,) = await running.due("wayne", touchpoint_type="value_report")
    assert (nothing["state"], nothing["reason"][:10]) == ("expired", "no content")

    period = {"period_start": "2026-02-20T00:00:00Z", "period_end": "2026-02-21T00:00:00Z"}
    usage = event("usage.reported", "wayne", {**period, "active_users": 42, "seats": 50}, id="u1", time=NOON)
    await running.stack.tell(usage)
    wanted = {"touchpoint_type": "value_report", "account_id": "wayne"}

    async def is_known() -> bool:
        return (await running.stack.get("notifier", "/v1/preview", **wanted))["not_sent"] is None

    await until(is_known, 30, "the figures known")
    preview = ("content", "preview", "value_report", "--account", "wayne")
    assert "You have 42 active users." in await running.command(*preview)
    tested = await running.command(*preview, "--send-to", "me@northwind.example")
    assert tested.startswith("sent to me@northwind.example: 250")
    assert b"\r\nSubject: [Test] Your figures\r\n" in mails_to(running, "me@northwind.example")[0]
    (sent,) = await running.due("wayne", touchpoint_type="value_report")
    assert sent["state"] == "sent"
    (content,) = mails_to(running, "eve@five.example")
    assert b"You have 42 active users." in content
    page = re.search(rb"https://drumbeat\.example(/p/[\w-]+)", content)
    assert page is not None
    async with httpx.AsyncClient() as reader:
        shown = await reader.get(running.stack.processes["notifier"].url + page[1].decode())
    assert (shown.status_code, "Account updates" in shown.text) == (200, True)


async def test_without_a_public_address_customer_mail_is_held_and_mail_to_csms_goes(running: Running) -> None:
    """Row 44."""
    await running.describe("dora", "dora@four.example", "umbrella")
    stack = running.stack
    owner = {"kind": "csm", "csm_id": "kim", "name": "Kim", "email": "kim@vendor.example"}

    await running.restart_notifier(DRUMBEAT_PUBLIC_URL="http://localhost:8003")

    (customer,) = await running.due("umbrella")
    assert customer["state"] == "expired"
    assert customer["reason"].startswith(
        "customer mail is held: links in messages would lead to http://localhost:8003"
    )
    await running.due("umbrella", owner=owner, channel="call", precedence="escalation")
    assert mails_to(running, "kim@vendor.example")
    assert not mails_to(running, "dora@four.example")
    readiness = await stack.get("notifier", "/readyz")
    assert "set DRUMBEAT_PUBLIC_URL" in readiness["warnings"][0]
    assert '"event": "mail.held"' in stack.processes["notifier"].log.read_text()

    await running.restart_notifier(DRUMBEAT_PUBLIC_URL="https://drumbeat.example")
    assert [row["state"] for row in await running.due("umbrella")] == ["sent"]
    assert (await stack.get("notifier", "/readyz"))["warnings"] == []


async def test_in_staging_all_mail_goes_to_one_address_and_names_the_intended_one(running: Running) -> None:
    """U4."""
    await running.describe("finn", "finn@six.example", "tyrell")
    await running.restart_notifier(DRUMBEAT_EMAIL__REDIRECT_TO="staging@northwind.example")

    (sent,) = await running.due("tyrell")

    assert sent["state"] == "sent"
    assert not mails_to(running, "finn@six.example")
    (content,) = mails_to(running, "staging@northwind.example")
    assert b"\r\nX-Drumbeat-Intended-To: finn@six.example\r\n" in content
    await running.restart_notifier(DRUMBEAT_EMAIL__REDIRECT_TO="")


KIM = {"name": "Kim", "email": "kim@five.example", "timezone": "UTC", "working_days": ["mon", "tue"]}
NEXT_MORNING = datetime(2026, 3, 3, 7, 29, 55, tzinfo=UTC)


async def plan(running: Running, at: datetime, **more: object) -> str:
    """The id of a check-in with Wayne that is planned by hand for Kim."""
    body = {"account_id": "wayne", "type": "check_in", "due_at": format_instant(at), "csm_id": "kim", **more}
    scheduler = running.stack.processes["scheduler"].url

    async def planned() -> str:
        answer = await running.stack.client.post(f"{scheduler}/v1/touchpoints", json=body)
        return str(answer.json()["id"]) if answer.status_code == 201 else ""

    return await until(planned, 30, "the account known to the scheduler")


async def next_text(running: Running, number: int) -> str:
    """The text of this mail to Kim, counted from zero, without invitations."""

    def mails() -> list[bytes]:
        return [mail for mail in mails_to(running, "kim@five.example") if b"text/calendar" not in mail]

    async def is_there() -> bool:
        return len(mails()) > number

    await until(is_there, 40, f"mail {number} to the CSM")
    content = mails()[number]
    body = message_from_bytes(content, policy=default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


async def act(running: Running, text: str, **form: str) -> None:
    """Follow the first link of a mail to the page to act on, and act there."""
    link = re.search(r"https://drumbeat\.example(/a/[\w-]+)\?do=done", text)
    assert link is not None, text
    page = running.stack.processes["notifier"].url + link[1]
    async with httpx.AsyncClient() as reader:
        shown = await reader.get(page)
        acted = await reader.post(page, data=form)
    assert (shown.status_code, acted.status_code) == (200, 200), acted.text


async def test_a_note_from_the_page_stands_in_the_next_mail_and_in_that_of_the_next_morning(
    running: Running,
) -> None:
    """S168, S171: due, mail, page, outcome, rules engine, next mail. What Kim skips Kim does not hear of again."""
    stack = await running.stack.run("scheduler")
    await stack.tell(
        event("csm.described", "kim", KIM, id="kim", time=NOON),
        event("account.described", "wayne", {"name": "Wayne", "csm_id": "kim"}, id="wayne", time=NOON),
    )
    soon = format_instant(NOON + timedelta(hours=24))
    touchpoint_id = await plan(running, NOON, deadline=soon)
    first = await next_text(running, 0)
    assert "Wayne" in first
    assert "They want the export" not in first
    await act(running, first, act="done", notes="They want the export.")
    settled = await stack.get("scheduler", f"/v1/touchpoints/{touchpoint_id}")
    assert (settled["status"], settled["outcome"]["notes"]) == ("settled", "They want the export.")

    async def is_known() -> bool:
        found = await stack.post("rules_engine", "/v1/figures", {"items": [{"account_id": "wayne"}]})
        conversation = found["items"][0]["conversation"]
        return conversation is not None and conversation["notes"] == "They want the export."

    await until(is_known, 30, "the note known to the rules engine")
    skipped = await plan(running, NOON, deadline=soon)
    second = await next_text(running, 1)
    assert "They want the export." in second
    await act(running, second, act="skip", notes="Not now")

    async def is_recorded() -> bool:
        answer = await stack.get("notifier", "/v1/deliveries", touchpoint_id=skipped)
        return "the person did it themselves" in [item["reason"] for item in answer["items"]]

    await until(is_recorded, 30, "the cancellation known to the notifier")
    await plan(running, NEXT_MORNING + timedelta(hours=3))
    await running.restart_notifier(
        DRUMBEAT_CLOCK__ORIGIN=datetime.now(UTC).isoformat(),
        DRUMBEAT_CLOCK__START=NEXT_MORNING.isoformat(),
    )
    morning = await next_text(running, 2)
    assert "They want the export." in morning
    assert "Cancelled" not in morning
    assert "Not now" not in morning


@dataclass
class ActionLinks:
    """The links with which people act, made with the key of this deployment, and what the pages answer."""

    running: Running
    keys: LinkKeys

    def url(self, touchpoint_id: str, person_id: str | None = "kim", *, age: timedelta = timedelta()) -> str:
        token = ActionToken(touchpoint_id, person_id, datetime.now(UTC) - age)
        return f"{self.running.stack.processes['notifier'].url}/a/{make_action_token(self.keys, token)}"

    async def due(self) -> str:
        """The id of a check-in of Kim that has come due."""
        touchpoint_id = await plan(self.running, NOON)

        async def is_due() -> bool:
            return (await self.touchpoint(touchpoint_id))["status"] == "due"

        await until(is_due, 30, f"{touchpoint_id} due")
        return touchpoint_id

    async def post(self, url: str, **form: str) -> httpx.Response:
        """Act; without a key and without a cookie."""
        async with httpx.AsyncClient(timeout=60) as reader:
            return await reader.post(url, data=form)

    async def version(self, touchpoint_id: str) -> int:
        return (await self.touchpoint(touchpoint_id))["sequence"]

    async def touchpoint(self, touchpoint_id: str) -> dict[str, Any]:
        return await self.running.stack.get("scheduler", f"/v1/touchpoints/{touchpoint_id}")

    async def changes_nothing(
        self, touchpoint_id: str, url: str, status: int, text: str, **form: str
    ) -> None:
        """A visit and an act end in a page of this status with this text, and the touchpoint stays as it is."""
        before = await self.touchpoint(touchpoint_id)
        async with httpx.AsyncClient(timeout=60) as reader:
            shown = await reader.get(url)
        answer = await self.post(url, **form)
        assert shown.status_code in (200, status), shown.text
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert text in answer.text, answer.text
        assert await self.touchpoint(touchpoint_id) == before


@pytest_asyncio.fixture(loop_scope="module")
async def links(running: Running) -> AsyncGenerator[ActionLinks]:
    """With Kim and Wayne known, and the scheduler on the same clock as the notifier."""
    stack = running.stack
    if "scheduler" not in stack.processes:
        await stack.run("scheduler")
    await stack.tell(
        event("csm.described", "kim", KIM, id="kim", time=NOON),
        event("csm.described", "lou", {"name": "Lou", "email": "lou@five.example"}, id="lou", time=NOON),
        event("account.described", "wayne", {"name": "Wayne", "csm_id": "kim"}, id="wayne", time=NOON),
    )
    database = await Database.open(stack.postgres.url, "drumbeat_notifier")
    async with database.transaction() as connection:
        settings = Settings.model_validate({"data_dir": stack.folder})
        _, keys = await open_secrets(connection, settings)
    await database.close()
    yield ActionLinks(running, keys)
    for name in ("notifier", "scheduler"):
        log = stack.processes[name].log.read_text()
        assert "Traceback" not in log, log[-3000:]


async def test_a_link_that_is_used_again_does_nothing_again(links: ActionLinks) -> None:
    """Issue 11, "replayed action links": the same form twice at once, later, after it was taken back, and that again."""
    touchpoint_id = await links.due()
    url, version = links.url(touchpoint_id), str(await links.version(touchpoint_id))
    form = {"act": "done", "version": version, "notes": "Once"}
    both = await asyncio.gather(*(links.post(url, **form) for _ in range(4)))
    assert sorted(answer.status_code for answer in both) == [200, 409, 409, 409]
    settled = await links.touchpoint(touchpoint_id)
    assert (settled["status"], settled["sequence"]) == ("settled", int(version) + 1)
    await links.changes_nothing(touchpoint_id, url, 409, "This took place already.", **form)

    (done,) = [answer.text for answer in both if answer.status_code == 200]
    undo = re.search(r'name="version" value="([^"]+)"', done)
    assert undo is not None
    back = {"act": "undo", "version": undo[1]}
    twice = await asyncio.gather(*(links.post(url, **back) for _ in range(2)))
    assert sorted(answer.status_code for answer in twice) == [200, 409]
    assert (await links.touchpoint(touchpoint_id))["status"] != "settled"
    await links.changes_nothing(touchpoint_id, url, 409, "Somebody changed this before you", **form)
    await links.changes_nothing(touchpoint_id, url, 409, "", **back)
    await links.changes_nothing(touchpoint_id, links.url(touchpoint_id, "lou"), 409, "", **back)


async def test_a_link_of_what_was_settled_cancelled_or_moved_otherwise_does_nothing(
    running: Running, links: ActionLinks
) -> None:
    """Issue 11: after another way of settling, after a cancellation, and after a move that Kim has not seen."""
    acts = {
        "settle": {"outcome": "declined"},
        "cancel": {"reason": "Not needed"},
        "reassign": {"csm_id": "lou"},
    }
    for path, body in acts.items():
        touchpoint_id = await links.due()
        url, version = links.url(touchpoint_id), await links.version(touchpoint_id)
        act_on = f"/v1/touchpoints/{touchpoint_id}/{path}"
        await running.stack.post("scheduler", act_on, {**body, "version": version})
        for form in ({"act": "done"}, {"act": "move", "to": "2026-03-09T10:00"}, {"act": "skip"}):
            await links.changes_nothing(touchpoint_id, url, 409, "Wayne", **form, version=str(version))
        assert (await links.touchpoint(touchpoint_id))["sequence"] == version + 1


async def test_a_link_of_another_person_an_expired_one_and_a_changed_one_do_nothing(
    links: ActionLinks,
) -> None:
    """Issue 11: what Lou, who does not lead Wayne, and who has no link at all can do: nothing."""
    touchpoint_id = await links.due()
    form = {"act": "done", "version": str(await links.version(touchpoint_id))}
    await links.changes_nothing(touchpoint_id, links.url(touchpoint_id, "lou"), 409, "Wayne", **form)
    await links.changes_nothing(touchpoint_id, links.url(touchpoint_id, "nobody"), 409, "Wayne", **form)
    old = links.url(touchpoint_id, age=timedelta(days=31))
    await links.changes_nothing(touchpoint_id, old, 410, "expired", **form)
    good = links.url(touchpoint_id)
    start = good.index("/a/") + 3
    for place in range(start, len(good), 7):
        other = "B" if good[place] == "A" else "A"
        changed = good[:place] + other + good[place + 1 :]
        assert (await links.post(changed, **form)).status_code == 404, place
    last = {chr(code) for code in range(ord("0"), ord("z") + 1) if chr(code).isalnum()} - {good[-1]}
    for letter in last:  # the last bits of base64 count, too
        assert (await links.post(good[:-1] + letter, **form)).status_code == 404, letter
    await links.changes_nothing(touchpoint_id, good + "=", 404, "This link does not work", **form)
    assert (await links.post(good, **form)).status_code == 200


async def test_after_ten_minutes_nothing_is_taken_back(running: Running, links: ActionLinks) -> None:
    """Issue 11: the undo of a page that stood open for longer than its ten real minutes."""
    touchpoint_id = await links.due()
    url, version = links.url(touchpoint_id), str(await links.version(touchpoint_id))
    done = await links.post(url, act="done", version=version)
    undo = re.search(r'name="version" value="([^"]+)"', done.text)
    assert undo is not None
    database = await Database.open(running.stack.postgres.url, "drumbeat_scheduler")
    await database.pool.execute("UPDATE hand_act SET acted_at = acted_at - interval '10 minutes'")
    await database.close()
    await links.changes_nothing(touchpoint_id, url, 409, "", act="undo", version=undo[1])
