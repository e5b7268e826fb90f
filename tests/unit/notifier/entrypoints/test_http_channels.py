"""How messages leave: asked of the relay now and then, and tried with a mail."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.chassis.clock import ServiceClock
from services.chassis.keys import ApiKey, KeyRing, digest, new_secret
from services.chassis.web import Chassis, make_app
from services.notifier.domain.delivery import AttemptOutcome, Response
from services.notifier.entrypoints.http_channels import (
    CHECKED_FOR,
    ChannelServices,
    MailRoute,
    channel_routes,
)
from tests.integration.notifier.receivers import KeptMail

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
ROUTE = MailRoute("smtp.example:25", "Northwind <a@northwind.example>", None, "set DRUMBEAT_PUBLIC_URL")


class Relay:
    """Counts how often it is asked; `problem` is its answer."""

    def __init__(self) -> None:
        self.asked, self.problem = 0, "it does not answer"

    async def find_problem(self) -> str | None:
        self.asked += 1
        return self.problem


class Clock:
    now = NOW


def client(services: ChannelServices, *scopes: str) -> httpx.AsyncClient:
    async def ready() -> None:
        return None

    keys, (key_id, key) = KeyRing(), new_secret()
    keys.learn(ApiKey(key_id, digest(key), frozenset(scopes)))
    app = make_app(Chassis("notifier", ServiceClock(NOW, NOW, 1.0), keys, ready), title="notifier")
    app.include_router(channel_routes(services))
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers)


def services(relay: Relay, mailer: KeptMail) -> ChannelServices:
    return ChannelServices(ROUTE, {"sms": "set X"}, relay.find_problem, mailer, lambda: Clock.now)


async def test_the_relay_is_asked_again_after_some_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    relay = Relay()
    async with client(services(relay, KeptMail()), "read") as http:
        first = (await http.get("/v1/channels")).json()
        assert first["mail"] == {
            "relay": "smtp.example:25", "sender": "Northwind <a@northwind.example>", "redirect_to": None,
            "on_hold": "set DRUMBEAT_PUBLIC_URL",
        }  # fmt: skip
        assert (first["problem"], first["closed"]) == ("it does not answer", {"sms": "set X"})
        monkeypatch.setattr(Clock, "now", NOW + CHECKED_FOR - timedelta(seconds=1))
        assert (await http.get("/v1/channels")).json() == first
        monkeypatch.setattr(Clock, "now", NOW + CHECKED_FOR)
        await http.get("/v1/channels")
    assert relay.asked == 2


async def test_a_test_mail_says_what_the_server_answered_and_needs_a_key_that_may_act() -> None:
    mailer = KeptMail()
    mailer.responses = [
        Response(AttemptOutcome.DELIVERED, "250 kept"),
        Response(AttemptOutcome.REFUSED, "550 no", is_permanent=True),
    ]
    wanted = {"to": "ops@northwind.example"}
    async with client(services(Relay(), mailer), "act") as http:
        sent = await http.post("/v1/channels/mail/test", json=wanted)
        refused = await http.post("/v1/channels/mail/test", json=wanted)
        wrong = await http.post("/v1/channels/mail/test", json={"to": "nobody"})
    assert sent.json() == {"state": "sent", "detail": "250 kept"}
    assert refused.json() == {"state": "failed", "detail": "550 no"}
    assert wrong.status_code == 422
    assert [mail.to for mail in mailer.mails] == ["ops@northwind.example"] * 2
    async with client(services(Relay(), mailer), "read") as http:
        assert (await http.post("/v1/channels/mail/test", json=wanted)).status_code == 403
