"""Text messages through a gateway on a real socket: what is sent, and what each answer means for the message."""

import base64
from collections.abc import AsyncGenerator
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from services.chassis.private_targets import EVERYTHING
from services.notifier.adapters.channels.gateway_client import GatewayClient
from services.notifier.adapters.channels.sms import SmsAccount, SmsSender
from services.notifier.domain.delivery import AttemptOutcome, Response
from tests.unit.notifier.adapters.channels.gateway_peer import MESSAGE, NOW, Peer, Recorded, http, listening

ACCEPTED = http(201, '{"sid": "SM1", "status": "queued", "error_code": null}')


@pytest.fixture
async def peer() -> AsyncGenerator[Peer]:
    async with listening() as made:
        made.answer = ACCEPTED
        yield made


@pytest.fixture
async def client() -> AsyncGenerator[GatewayClient]:
    made = GatewayClient(EVERYTHING, "the gateway", deadline_seconds=1.0)
    await made.start()
    yield made
    await made.stop()


def account(peer: Peer, **more: str) -> SmsAccount:
    return SmsAccount(peer.url, "AC1", "secret-token", **({"sender": "+4930123456"} | more))


async def send(client: GatewayClient, peer: Peer, handover: Recorded | None = None) -> Response:
    return await SmsSender(client, account(peer)).send(MESSAGE, at=NOW, handover=handover)


async def test_a_message_is_a_form_with_basic_authentication(client: GatewayClient, peer: Peer) -> None:
    handover = Recorded()

    response = await send(client, peer, handover)

    assert (response.outcome, response.detail) == (AttemptOutcome.DELIVERED, "queued as SM1")
    (request,) = peer.requests
    first, headers, body = request
    assert first == "POST /2010-04-01/Accounts/AC1/Messages.json HTTP/1.1"
    assert headers["authorization"] == f"Basic {base64.b64encode(b'AC1:secret-token').decode()}"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body) == {"To": ["+4915112345678"], "From": ["+4930123456"], "Body": ["Hello Ann"]}
    assert (handover.began, handover.ended) == (1, [response])


async def test_a_service_a_status_address_and_a_redirect_are_sent_as_they_are_set(
    client: GatewayClient, peer: Peer
) -> None:
    made = SmsAccount(
        peer.url,
        "AC1",
        "secret-token",
        messaging_service="MG1",
        status_url="https://d.example/s",
        redirect_to="+491",
    )

    await SmsSender(client, made).send(MESSAGE, at=NOW)

    assert parse_qs(peer.requests[0][2]) == {
        "To": ["+491"],
        "Body": ["Hello Ann"],
        "MessagingServiceSid": ["MG1"],
        "StatusCallback": [f"https://d.example/s?delivery={MESSAGE.delivery_id}"],
    }


@pytest.mark.parametrize("mood", ["silent", "close", "deaf", "drip_head"])
async def test_a_message_in_doubt_is_not_sent_again(client: GatewayClient, peer: Peer, mood: str) -> None:
    peer.mood = mood
    handover = Recorded()

    response = await send(client, peer, handover)

    assert response.outcome is AttemptOutcome.AMBIGUOUS
    assert response.is_permanent
    assert response.detail.endswith("it may have been sent, and is not sent again")
    assert handover.ended == [response]


async def test_a_created_message_whose_answer_drips_was_sent(client: GatewayClient, peer: Peer) -> None:
    peer.mood = "drip"

    assert (await send(client, peer)).outcome is AttemptOutcome.DELIVERED


@pytest.mark.parametrize("answer", [http(200, "<html>"), http(200, "[]"), http(200, '{"sid": 3}')])
async def test_a_success_that_is_no_message_is_in_doubt(
    client: GatewayClient, peer: Peer, answer: bytes
) -> None:
    peer.answer = answer

    response = await send(client, peer)

    assert (response.outcome, response.is_permanent) == (AttemptOutcome.AMBIGUOUS, True)


@pytest.mark.parametrize(
    ("value", "wait"),
    [("42", timedelta(seconds=42)), ("Mon, 05 Jan 2026 12:00:50 GMT", timedelta(seconds=50))],
)
async def test_too_many_requests_wait_as_long_as_asked_and_others_too(
    client: GatewayClient, peer: Peer, value: str, wait: timedelta
) -> None:
    peer.answer = http(429, '{"code": 20429, "message": "Too Many Requests"}', retry_after=value)

    response = await send(client, peer)
    handover = Recorded()
    next_one = await send(client, peer, handover)

    assert (response.outcome, response.retry_after) == (AttemptOutcome.DEFERRED, wait)
    assert response.detail == "HTTP 429: 20429 Too Many Requests"
    assert next_one.outcome is AttemptOutcome.UNREACHED
    assert handover.began == 0
    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (http(500, '{"code": 20500, "message": "Internal Server Error"}'), AttemptOutcome.DEFERRED),
        (http(503, "maintenance"), AttemptOutcome.DEFERRED),
        (http(500, "oops"), AttemptOutcome.AMBIGUOUS),
        (http(502, "<html>"), AttemptOutcome.AMBIGUOUS),
        (http(401, '{"code": 20003, "message": "Authenticate"}'), AttemptOutcome.UNREACHED),
        (http(404, '{"code": 20404}'), AttemptOutcome.UNREACHED),
        (http(302, location="https://elsewhere.example/"), AttemptOutcome.UNREACHED),
        (http(400, '{"code": 21408, "message": "no permission"}'), AttemptOutcome.REFUSED),
        (http(201, '{"sid": "SM1", "status": "failed"}'), AttemptOutcome.REFUSED),
    ],
)
async def test_an_answer_says_whether_to_try_again(
    client: GatewayClient, peer: Peer, answer: bytes, outcome: AttemptOutcome
) -> None:
    peer.answer = answer

    response = await send(client, peer)

    assert response.outcome is outcome
    assert response.is_permanent == (outcome in (AttemptOutcome.REFUSED, AttemptOutcome.AMBIGUOUS))
    assert not response.is_unknown_address
    assert "secret-token" not in response.detail


@pytest.mark.parametrize("code", [21211, 21214, 21217, 21610, 21614])
async def test_a_number_that_takes_no_text_messages_is_unknown_and_not_repeated_in_the_reason(
    client: GatewayClient, peer: Peer, code: int
) -> None:
    peer.answer = http(400, f'{{"code": {code}, "message": "The To number {MESSAGE.to} is wrong"}}')

    response = await send(client, peer)

    assert (response.outcome, response.is_permanent, response.is_unknown_address) == (
        AttemptOutcome.REFUSED, True, True,
    )  # fmt: skip
    assert response.detail == f"HTTP 400: {code} The To number the number is wrong"


async def test_a_message_that_may_not_go_any_more_is_not_sent(client: GatewayClient, peer: Peer) -> None:
    handover = Recorded(is_allowed=False)

    response = await send(client, peer, handover)

    assert response.outcome is AttemptOutcome.UNREACHED
    assert (peer.connections, handover.ended) == (0, [])
