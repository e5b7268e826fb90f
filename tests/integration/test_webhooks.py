"""Webhooks of other systems through the running services: a renewal date in a CRM leads to a mail to the customer."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from schemas.times import format_instant
from tests.stack import ROOT, Stack, event, free_port, until
from tests.unit.connectors.bad_bodies import BAD_BODIES

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(600)]

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HUBSPOT_SECRET, STRIPE_SECRET, SALESFORCE_SECRET = "hubspot-client-secret", "whsec_stripe", "a-secret-address"
HUBSPOT_URL = "https://drumbeat.example/v1/webhooks/hubspot?portal=1%3A2"
STANDARD_SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
ORGANIZATION = "00D000000000001EAA"
SETTINGS = {
    "DRUMBEAT_WEBHOOKS__HUBSPOT__SECRET": HUBSPOT_SECRET,
    "DRUMBEAT_WEBHOOKS__HUBSPOT__URL": HUBSPOT_URL,
    "DRUMBEAT_WEBHOOKS__STRIPE__SECRET": STRIPE_SECRET,
    "DRUMBEAT_WEBHOOKS__STANDARD__SECRET": STANDARD_SECRET,
    "DRUMBEAT_WEBHOOKS__SALESFORCE__SECRET": SALESFORCE_SECRET,
    "DRUMBEAT_WEBHOOKS__SEGMENT__SECRET": "segment-secret",
    "DRUMBEAT_WEBHOOKS__OPENTELEMETRY__SECRET": "collector-secret",
    "DRUMBEAT_WEBHOOKS__SALESFORCE__ORGANIZATION_ID": ORGANIZATION,
}
ANN = "ann@acme.example"


async def test_a_renewal_date_in_a_crm_leads_to_the_renewal_steps_and_to_the_mail() -> None:
    with tempfile.TemporaryDirectory(prefix="drumbeat-webhooks-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with hubspot_api() as api, Stack(folder, start=NOON, settings={**SETTINGS, **api}) as stack:
            await stack.run()
            now = await stack.now()
            await _describe(stack, now)
            await _hubspot_sets_the_renewal_date(stack, now)
            await _hubspot_repeats_itself(stack, now)
            await _the_customer_is_reminded(stack)
            await _a_contact_is_read_from_the_api(stack, now)
            await _a_subscription_of_stripe_begins_an_account(stack, now)
            await _a_nightly_resync_changes_nothing(stack, now)
            await _the_account_is_described_later_and_merged(stack, now)
            await _salesforce_is_acknowledged(stack)
            await _refused_items_are_kept_and_mapped_again(stack, now)
            await _the_shell_example_of_the_page_works(stack)
            await _a_message_without_a_time_is_told_once(stack)
            await _no_source_takes_what_it_cannot_prove(stack)
            await _bad_requests_are_told_why(stack, now)


@asynccontextmanager
async def hubspot_api() -> AsyncGenerator[dict[str, str]]:
    """HubSpot's API as far as it is asked here, and the settings that lead to it."""

    async def contact(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer pat-1" or request.match_info["id"] != "55":
            return web.Response(status=404)
        companies = {
            "results": [{"id": "9", "type": "contact_to_company_unlabeled"}, {"id": "4711", "type": "x"}]
        }
        properties = {"email": "bob@acme.example", "phone": None, "hs_language": "de"}
        return web.json_response({"properties": properties, "associations": {"companies": companies}})

    app = web.Application()
    app.router.add_get("/crm/v3/objects/contacts/{id}", contact)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield {
            "DRUMBEAT_WEBHOOKS__HUBSPOT__TOKEN": "pat-1",
            "DRUMBEAT_WEBHOOKS__HUBSPOT__API_URL": f"http://127.0.0.1:{port}",
        }
    finally:
        await runner.cleanup()


def _hubspot(now: datetime, **more: object) -> dict[str, object]:
    """A change of a company, as HubSpot's documentation shows one."""
    return {
        "eventId": 100, "subscriptionId": 25, "portalId": 33, "appId": 1160452, "attemptNumber": 0,
        "occurredAt": int(now.timestamp() * 1000), "subscriptionType": "company.propertyChange", "objectId": 4711,
        "changeSource": "CRM", **more,
    }  # fmt: skip


async def _post(stack: Stack, source: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
    """A request as a provider sends it: without a key."""
    url = f"{stack.processes['rules_engine'].url}/v1/webhooks/{source}"
    async with httpx.AsyncClient(timeout=60) as client:
        return await client.post(url, content=body, headers={"content-type": "application/json", **headers})


async def _send_hubspot(stack: Stack, events: object, *, at: datetime | None = None) -> httpx.Response:
    return await _send_hubspot_body(stack, json.dumps(events).encode(), at=at)


async def _send_hubspot_body(stack: Stack, body: bytes, *, at: datetime | None = None) -> httpx.Response:
    stamp = str(int((at or datetime.now(UTC)).timestamp() * 1000))
    signed = b"POST" + HUBSPOT_URL.replace("%3A", ":").encode() + body + stamp.encode()
    signature = base64.b64encode(hmac.new(HUBSPOT_SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    headers = {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": stamp}
    return await _post(stack, "hubspot", body, headers)


async def _describe(stack: Stack, now: datetime) -> None:
    """The account as the product knows it; HubSpot's id of the company leads to it."""
    account = {
        "name": "Acme", "arr": 12_000, "currency": "USD", "timezone": "UTC", "country": "US",
        "external_ids": {"hubspot": "4711"},
    }  # fmt: skip
    contact = {"contact_id": "ann", "name": "Ann", "email": ANN, "role": "decision_maker", "timezone": "UTC"}
    past = now - timedelta(days=700)
    await stack.tell(
        event("account.described", "acme", account, id="a", time=past),
        event("contact.described", "acme", contact, id="n", time=past),
    )

    async def is_known() -> bool:
        listed = await stack.get("rules_engine", "/v1/accounts", external_id="hubspot:4711")
        return [item["id"] for item in listed["items"]] == ["acme"]

    await until(is_known, 180, "the account is known by its external id")


async def _hubspot_sets_the_renewal_date(stack: Stack, now: datetime) -> None:
    renews_on = (now + timedelta(days=28)).date()
    midnight = int(datetime(renews_on.year, renews_on.month, renews_on.day, tzinfo=UTC).timestamp() * 1000)
    answer = await _send_hubspot(
        stack,
        [
            _hubspot(now, propertyName="renewal_date", propertyValue=str(midnight)),
            _hubspot(now, eventId=101, propertyName="favourite_colour", propertyValue="red"),
        ],
    )
    assert answer.status_code == 202, answer.text
    assert answer.json() == {
        "received": 2,
        "facts": {"drumbeat.contract.changed.v1": 1},
        "refused": [],
        "unmapped": {"company propertyChange favourite_colour": 1},
    }

    async def steps() -> list[dict[str, Any]]:
        found = await stack.get("scheduler", "/v1/touchpoints", account_id="acme", limit=500)
        return [item for item in found["items"] if item["type"].startswith("renewal")]

    (step, *_) = await until(steps, 180, "renewal steps stand in the calendar")
    assert {"hubspot-4711"} == {
        fact["value"] for fact in step["reason"]["facts"] if fact["name"] == "contract_id"
    }
    assert step["deadline"][:10] <= str(renews_on)


async def _hubspot_repeats_itself(stack: Stack, now: datetime) -> None:
    """An older change that comes late, and a repetition: neither changes the plan."""
    before = await stack.get("rules_engine", "/v1/accounts/acme")
    old = int((now + timedelta(days=200)).timestamp() * 1000)
    late = _hubspot(now - timedelta(hours=1), eventId=99, propertyName="renewal_date", propertyValue=str(old))
    for attempt in (0, 1):
        answer = await _send_hubspot(stack, [{**late, "attemptNumber": attempt}])
        assert answer.status_code == 202, answer.text

    async def is_applied() -> Any:
        event_id = f"33/99/company.propertyChange/4711/renewal_date/{late['occurredAt']}/company contract"
        return await stack.find("rules_engine", "/v1/events", source="/webhooks/hubspot", id=event_id)

    await until(is_applied, 180, "the late change is applied")
    after = await stack.get("rules_engine", "/v1/accounts/acme")
    assert _one_offs(after) == _one_offs(before)


def _one_offs(account: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Id of each touchpoint, and the day in its reason that the contract ends."""
    return sorted((item["id"], item["reason"]["text"]) for item in account["plan"]["touchpoints"])


async def _the_customer_is_reminded(stack: Stack) -> None:
    def mails() -> list[str]:
        return [
            str(message_from_bytes(content, policy=default)["Subject"])
            for recipients, content in stack.mail.messages
            if recipients == [ANN]
        ]

    await until(lambda: "Your term ends on 30 March 2026" in mails(), 240, "a mail about the renewal")


async def _a_contact_is_read_from_the_api(stack: Stack, now: datetime) -> None:
    """A webhook about a contact names no company: HubSpot is asked. One that it does not know is refused."""
    changes = [
        _hubspot(
            now, eventId=300, objectId=number, subscriptionType="contact.propertyChange", propertyName="email",
            propertyValue="bob@acme.example",
        )
        for number in (55, 56)
    ]  # fmt: skip
    answer = await _send_hubspot(stack, changes)
    assert answer.status_code == 202, answer.text
    assert answer.json()["facts"] == {"drumbeat.contact.described.v1": 1}
    assert [(item["index"], "answers 404" in item["problem"]) for item in answer.json()["refused"]] == [
        (1, True)
    ]

    async def is_known() -> bool:
        account = await stack.get("rules_engine", "/v1/accounts/acme")
        return "bob@acme.example" in json.dumps(account)

    await until(is_known, 180, "the contact is one of the account")


async def _send_stripe(stack: Stack, document: object) -> httpx.Response:
    return await _send_stripe_body(stack, json.dumps(document).encode())


async def _send_stripe_body(stack: Stack, body: bytes) -> httpx.Response:
    stamp = str(int(datetime.now(UTC).timestamp()))
    digest = hmac.new(STRIPE_SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return await _post(stack, "stripe", body, {"stripe-signature": f"t={stamp},v1={digest},v0=00"})


def _subscription(now: datetime, event_id: str, days: int, **more: object) -> dict[str, object]:
    """An event of Stripe about a subscription whose period ends after these days."""
    price = {"unit_amount": 9_900, "currency": "usd", "recurring": {"interval": "month", "interval_count": 1}}
    line = {
        "quantity": 10, "price": price, "current_period_start": int(now.timestamp()) - 86_400,
        "current_period_end": int(now.timestamp()) + days * 86_400,
    }  # fmt: skip
    subscription = {
        "id": "sub_1", "object": "subscription", "customer": "cus_1", "status": "active", "currency": "usd",
        "cancel_at_period_end": False, "items": {"data": [line]},
    }  # fmt: skip
    return {
        "id": event_id, "object": "event", "type": "customer.subscription.updated", "created": int(now.timestamp()),
        "data": {"object": subscription}, **more,
    }  # fmt: skip


async def _a_subscription_of_stripe_begins_an_account(stack: Stack, now: datetime) -> None:
    document = _subscription(now, "evt_1", 100, type="customer.subscription.created")
    for _ in range(2):
        answer = await _send_stripe(stack, document)
        assert answer.status_code == 202, answer.text
        counted = {"drumbeat.account.described.v1": 1, "drumbeat.contract.changed.v1": 1}
        assert (answer.json()["refused"], answer.json()["facts"]) in (
            ([], counted),
            ([], {"drumbeat.contract.changed.v1": 1}),
        )  # fmt: skip - the account may be known when the repetition comes

    async def begun() -> bool:
        listed = await stack.get("rules_engine", "/v1/accounts", external_id="stripe:cus_1")
        return [item["id"] for item in listed["items"]] == ["stripe:cus_1"]

    await until(begun, 180, "the account begins with the id of the customer")


async def _is_applied(stack: Stack, event_id: str) -> bool:
    source = "/webhooks/stripe"
    found = await stack.find("rules_engine", "/v1/events", source=source, id=f"{event_id}/subscription")
    return found is not None and found["status"] == "folded"


async def _a_nightly_resync_changes_nothing(stack: Stack, now: datetime) -> None:
    """Each night all is told again, in events of their own: the plan keeps its version."""
    before: dict[str, Any] = {}
    for night in range(4):
        document = _subscription(now, f"evt_night_{night}", 100, created=int(now.timestamp()) + 1 + night)
        assert (await _send_stripe(stack, document)).status_code == 202
        await until(
            lambda night=night: _is_applied(stack, f"evt_night_{night}"), 120, f"night {night} is applied"
        )
        before = before or await stack.get("rules_engine", "/v1/accounts/stripe:cus_1")
    after = await stack.get("rules_engine", "/v1/accounts/stripe:cus_1")
    assert after["plan"] == before["plan"]


async def _the_account_is_described_later_and_merged(stack: Stack, now: datetime) -> None:
    """The webhook came first. The next one follows into the account that stays."""
    globex = {"name": "Globex", "timezone": "UTC", "country": "US"}
    await stack.tell(
        event("account.described", "globex", globex, id="globex", time=now),
        event("account.merged", "globex", {"from": "stripe:cus_1"}, id="merge", time=now),
    )

    async def renewal() -> str | None:
        account = await stack.find("rules_engine", "/v1/accounts/globex")
        found = [each["renews_on"] for each in account["contracts"]] if account else []
        return found[0] if found else None

    assert await until(renewal, 120, "the contract is there") == str((now + timedelta(days=100)).date())
    moved = _subscription(now, "evt_moved", 130, created=int(now.timestamp()) + 10)
    answer = await _send_stripe(stack, moved)
    assert answer.json()["facts"] == {"drumbeat.contract.changed.v1": 1}, "it begins no account again"

    async def is_moved() -> bool:
        return await renewal() == str((now + timedelta(days=130)).date())

    await until(is_moved, 120, "the next webhook changes the account that stays")
    listed = await stack.get("rules_engine", "/v1/accounts", external_id="stripe:cus_1")
    assert [item["id"] for item in listed["items"]] == ["globex"]


SOAP = """<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>
<notifications xmlns="http://soap.sforce.com/2005/09/outbound"><OrganizationId>{organization}</OrganizationId>
<ActionId>04k000000000001AAA</ActionId><SessionId>secret-session</SessionId>
<Notification><Id>04l000000000001AAA</Id>
<sObject xsi:type="sf:Account" xmlns:sf="urn:sobject.enterprise.soap.sforce.com"><sf:Id>001D000000IqhSL</sf:Id>
<sf:Name>Ünïcode &amp; Co</sf:Name><sf:Renewal_Date__c>2031-03-01</sf:Renewal_Date__c>
<sf:SystemModstamp>{modified}</sf:SystemModstamp></sObject></Notification></notifications>
</soapenv:Body></soapenv:Envelope>"""


async def _salesforce_is_acknowledged(stack: Stack) -> None:
    modified = format_instant(await stack.now())
    body = SOAP.format(organization=ORGANIZATION[:15], modified=modified).encode()
    answer = await _post(stack, f"salesforce?secret={SALESFORCE_SECRET}", body, {"content-type": "text/xml"})
    assert (answer.status_code, "<Ack>true</Ack>" in answer.text) == (200, True), answer.text

    async def is_known() -> bool:
        listed = await stack.get("rules_engine", "/v1/accounts", external_id="salesforce:001D000000IqhSLIAZ")
        return [item["name"] for item in listed["items"]] == ["Ünïcode & Co"]

    await until(is_known, 180, "the account of Salesforce is known by the long form of its id")
    stranger = SOAP.format(organization="00D000000000009", modified=modified).encode()
    answer = await _post(stack, f"salesforce?secret={SALESFORCE_SECRET}", stranger, {})
    assert answer.status_code == 401
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    answer = await _post(stack, f"salesforce?secret={SALESFORCE_SECRET}", bomb, {})
    assert (answer.status_code, "DOCTYPE" in answer.text) == (400, True)


async def _refused_items_are_kept_and_mapped_again(stack: Stack, now: datetime) -> None:
    bad = _hubspot(now, eventId=200, propertyName="renewal_date", propertyValue="next spring")
    good = _hubspot(now, eventId=201, propertyName="name", propertyValue="Acme Corporation")
    for _ in range(2):  # stored once
        answer = await _send_hubspot(stack, [bad, good])
        assert (answer.status_code, answer.json()["facts"]) == (202, {"drumbeat.account.described.v1": 1})
        assert "next spring" in answer.json()["refused"][0]["problem"]
    letters = [
        item
        for item in (await stack.get("rules_engine", "/v1/dead-letters"))["items"]
        if item["topic"] == "webhooks/hubspot"
    ]
    assert ["next spring" in letter["reason"] for letter in letters] == [True, False]
    replayed = await stack.client.post(
        f"{stack.processes['rules_engine'].url}/v1/dead-letters/{letters[0]['id']}/replay"
    )
    assert (replayed.status_code, replayed.json()["status"].startswith("refused: company contract")) == (
        200,
        True,
    )
    status = await stack.get("rules_engine", "/v1/webhooks/hubspot/status")
    assert (status["refused"], status["unmapped"][0]["name"]) == (
        3,
        "company propertyChange favourite_colour",
    )


async def _the_shell_example_of_the_page_works(stack: Stack) -> None:
    (script,) = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "connectors.md").read_text(), re.DOTALL)
    script = script.replace("http://localhost:8001", stack.processes["rules_engine"].url)
    environment = {"SECRET": STANDARD_SECRET, "PATH": os.environ["PATH"]}
    ran = await asyncio.to_thread(
        subprocess.run, ["bash", "-euc", script], env=environment, capture_output=True, check=True, text=True
    )
    assert json.loads(ran.stdout)["facts"] == {"drumbeat.health.scored.v1": 1}, ran


async def _send_standard(
    stack: Stack, id_: str, document: object, *, secret: str = STANDARD_SECRET
) -> httpx.Response:
    body, stamp = json.dumps(document).encode(), datetime.now(UTC)
    headers = {
        "webhook-id": id_,
        "webhook-timestamp": str(int(stamp.timestamp())),
        "webhook-signature": Webhook(secret).sign(id_, stamp, body.decode()),
    }
    return await _post(stack, "standard", body, headers)


async def _a_message_without_a_time_is_told_once(stack: Stack) -> None:
    """A sender that did not get the answer in time sends it again, after what it has said since."""

    def score(value: int) -> dict[str, object]:
        return {"type": "health.scored", "data": {"account_id": "untimed", "score": value}}

    async def has(value: int) -> bool:
        account = await stack.find("rules_engine", "/v1/accounts/untimed")
        return account is not None and account["facts"]["health_score"]["value"] == value

    for id_, value in (("msg_old", 71), ("msg_new", 50)):
        answer = await _send_standard(stack, id_, score(value))
        assert (answer.status_code, answer.json()["refused"]) == (202, []), answer.text
        await until(lambda value=value: has(value), 60, f"the score {value} counts")
    repeated = await _send_standard(stack, "msg_old", score(71))
    assert (repeated.status_code, repeated.json()["facts"]) == (202, {"drumbeat.health.scored.v1": 1})
    await _send_standard(
        stack, "msg_later", {"type": "milestone.reached", "data": {"account_id": "untimed", "milestone": "m"}}
    )

    async def is_later_read() -> bool:
        receipt = await stack.find(
            "rules_engine", "/v1/events", source="/webhooks/standard", id="msg_later/event"
        )
        return receipt is not None and receipt["status"] == "folded"

    await until(is_later_read, 60, "what came after the repetition is applied")
    assert await has(50)
    forged = await _send_standard(
        stack, "msg_forged", score(1), secret="whsec_" + base64.b64encode(b"x" * 24).decode()
    )
    assert forged.status_code == 401


async def _no_source_takes_what_it_cannot_prove(stack: Stack) -> None:
    """Signatures that are empty, another's, or no encoding at all: 401 for each source, and nothing is taken."""
    now = datetime.now(UTC).timestamp()
    body = json.dumps({"type": "health.scored", "data": {"account_id": "forged", "score": 1}}).encode()
    for shown in (b"", b"00", b"=" * 44, b"%%% no base64 %%%", b"\xff\xfe\x80", b"v1," + b"A" * 4000):
        for source, headers in {
            "hubspot": {
                b"x-hubspot-signature-v3": shown,
                b"x-hubspot-request-timestamp": b"%d" % (now * 1000),
            },
            "stripe": {b"stripe-signature": b"t=%d,v1=%s" % (now, shown)},
            "standard": {
                b"webhook-id": b"m",
                b"webhook-timestamp": b"%d" % now,
                b"webhook-signature": b"v1," + shown,
            },
            "segment": {b"x-signature": shown},
            "opentelemetry": {b"authorization": (b"Bearer " + shown).strip()},
            "salesforce": {b"authorization": (b"Basic " + shown).strip()},
            "salesforce?secret=": {},
            "salesforce?secret=%FFanother": {},
        }.items():
            url = f"{stack.processes['rules_engine'].url}/v1/webhooks/{source}"
            answer = await stack.client.post(url, content=body, headers={b"authorization": b"", **headers})
            assert answer.status_code == 401, (source, shown, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
    assert await stack.find("rules_engine", "/v1/accounts/forged") is None


async def _bad_requests_are_told_why(stack: Stack, now: datetime) -> None:
    stale = await _send_hubspot(stack, [_hubspot(now)], at=datetime.now(UTC) - timedelta(minutes=6))
    unsigned = await _post(stack, "hubspot", b"[]", {})
    tampered = await _post(stack, "stripe", b"{}", {"stripe-signature": f"t={int(now.timestamp())},v1=00"})
    for answer in (stale, unsigned, tampered):
        assert answer.status_code == 401, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    status = await stack.get("rules_engine", "/v1/webhooks/hubspot/status")
    assert "missing" in status["last_rejected"]["reason"]
    for name, body in BAD_BODIES.items():
        for answer in (await _send_stripe_body(stack, body), await _send_hubspot_body(stack, body)):
            assert 400 <= answer.status_code < 500, (name, answer.text)
            assert answer.headers["content-type"] == "application/problem+json", name
    large = await _send_stripe_body(stack, b'"' + b"x" * (1 << 20) + b'"')
    assert large.status_code == 413
    unknown = await _post(stack, "pipedrive", b"{}", {})
    assert (unknown.status_code, "DRUMBEAT_WEBHOOKS__PIPEDRIVE__SECRET" in unknown.text) == (404, True)
