"""Messages in Slack against a peer on a real socket: what is posted, and what each answer means for the message."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from services.chassis.private_targets import EVERYTHING
from services.notifier.adapters.channels.gateway_client import GatewayClient
from services.notifier.adapters.channels.slack import SlackSender, SlackWorkspace
from services.notifier.domain.delivery import AttemptOutcome
from tests.unit.notifier.adapters.channels.gateway_peer import MESSAGE, NOW, Peer, Recorded, http, listening

POSTED = http(200, '{"ok": true, "ts": "1700000000.000100", "channel": "C1"}')
TO_CHANNEL = replace(MESSAGE, to="C1", text="Acme & <Sons> > others")


@pytest.fixture
async def peer() -> AsyncGenerator[Peer]:
    async with listening() as made:
        made.answer = POSTED
        yield made


@pytest.fixture
async def client() -> AsyncGenerator[GatewayClient]:
    made = GatewayClient(EVERYTHING, "Slack", deadline_seconds=1.0)
    await made.start()
    yield made
    await made.stop()


def sender(client: GatewayClient, peer: Peer, between: float = 0.0, **more: str) -> SlackSender:
    return SlackSender(client, SlackWorkspace(peer.url, "xoxb-secret", **more), between_seconds=between)


async def test_a_message_is_posted_as_plain_text_with_its_delivery(client: GatewayClient, peer: Peer) -> None:
    handover = Recorded()

    response = await sender(client, peer).send(TO_CHANNEL, at=NOW, handover=handover)

    assert (response.outcome, response.detail) == (AttemptOutcome.DELIVERED, "posted at 1700000000.000100")
    (request,) = peer.requests
    first, headers, body = request
    assert first == "POST /chat.postMessage HTTP/1.1"
    assert headers["authorization"] == "Bearer xoxb-secret"
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert orjson.loads(body) == {
        "channel": "C1",
        "text": "Acme &amp; &lt;Sons&gt; &gt; others",
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {
            "event_type": "drumbeat_delivery",
            "event_payload": {"delivery_id": TO_CHANNEL.delivery_id},
        },
    }
    assert handover.ended == [response]


async def test_a_redirect_of_the_deployment_gets_every_message(client: GatewayClient, peer: Peer) -> None:
    await sender(client, peer, redirect_to="#staging").send(TO_CHANNEL, at=NOW)

    assert orjson.loads(peer.requests[0][2])["channel"] == "#staging"


@pytest.mark.parametrize(
    ("error", "outcome", "is_unknown"),
    [
        ("channel_not_found", AttemptOutcome.REFUSED, True),
        ("is_archived", AttemptOutcome.REFUSED, True),
        ("not_in_channel", AttemptOutcome.REFUSED, False),
        ("msg_too_long", AttemptOutcome.REFUSED, False),
        ("something_new", AttemptOutcome.REFUSED, False),
        ("ratelimited", AttemptOutcome.DEFERRED, False),
        ("internal_error", AttemptOutcome.DEFERRED, False),
        ("invalid_auth", AttemptOutcome.UNREACHED, False),
        ("token_revoked", AttemptOutcome.UNREACHED, False),
        ("missing_scope", AttemptOutcome.UNREACHED, False),
        ("fatal_error", AttemptOutcome.AMBIGUOUS, False),
    ],
)
async def test_an_error_says_whether_to_try_again(
    client: GatewayClient, peer: Peer, error: str, outcome: AttemptOutcome, *, is_unknown: bool
) -> None:
    peer.answer = http(200, orjson.dumps({"ok": False, "error": error}))

    response = await sender(client, peer).send(TO_CHANNEL, at=NOW)

    assert response.outcome is outcome
    assert response.is_permanent == (outcome is AttemptOutcome.REFUSED)
    assert response.is_unknown_address == is_unknown
    assert error in response.detail


async def test_a_revoked_token_is_not_tried_with_every_message(client: GatewayClient, peer: Peer) -> None:
    """F28: no storm of requests that cannot succeed."""
    peer.answer = http(200, '{"ok": false, "error": "token_revoked"}')
    slack = sender(client, peer)

    responses = [await slack.send(replace(TO_CHANNEL, to=f"C{number}"), at=NOW) for number in range(20)]

    assert {response.outcome for response in responses} == {AttemptOutcome.UNREACHED}
    assert len(peer.requests) == 1
    assert "DRUMBEAT_SLACK__TOKEN" in responses[-1].detail


@pytest.mark.parametrize("value", ["30", "Mon, 05 Jan 2026 12:00:30 GMT"])
async def test_too_many_requests_wait_as_long_as_slack_asks(
    client: GatewayClient, peer: Peer, value: str
) -> None:
    peer.answer = http(429, '{"ok": false, "error": "ratelimited"}', retry_after=value)

    response = await sender(client, peer).send(TO_CHANNEL, at=NOW)

    assert (response.outcome, response.retry_after) == (AttemptOutcome.DEFERRED, timedelta(seconds=30))


@pytest.mark.parametrize("mood", ["silent", "close", "deaf", "drip", "endless"])
async def test_a_message_in_doubt_is_posted_again(client: GatewayClient, peer: Peer, mood: str) -> None:
    peer.mood = mood

    response = await sender(client, peer).send(TO_CHANNEL, at=NOW)

    assert (response.outcome, response.is_permanent) == (AttemptOutcome.AMBIGUOUS, False)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (http(200, "<html>"), AttemptOutcome.AMBIGUOUS),
        (http(200, '{"ok": "yes"}'), AttemptOutcome.AMBIGUOUS),
        (http(500, "oops"), AttemptOutcome.AMBIGUOUS),
        (http(503, ""), AttemptOutcome.DEFERRED),
        (http(302, location="https://elsewhere.example/"), AttemptOutcome.UNREACHED),
        (http(404, ""), AttemptOutcome.REFUSED),
    ],
)
async def test_an_answer_that_is_not_of_slack_is_read_by_its_status(
    client: GatewayClient, peer: Peer, answer: bytes, outcome: AttemptOutcome
) -> None:
    peer.answer = answer

    assert (await sender(client, peer).send(TO_CHANNEL, at=NOW)).outcome is outcome


async def test_messages_to_one_channel_are_apart_and_those_to_others_do_not_wait(
    client: GatewayClient, peer: Peer
) -> None:
    slack, clock = sender(client, peer, between=0.4), asyncio.get_running_loop().time
    ends: dict[str, float] = {}

    async def send(name: str, to: str) -> None:
        await slack.send(replace(TO_CHANNEL, to=to), at=NOW)
        ends[name] = clock()

    begin = clock()
    await asyncio.gather(send("one", "C1"), send("other", "C2"), send("two", "C1"))

    assert ends["two"] - begin >= 0.4
    assert max(ends["one"], ends["other"]) < ends["two"]


async def test_a_message_whose_turn_is_far_away_is_tried_later_without_waiting(
    client: GatewayClient, peer: Peer
) -> None:
    slack, handover = sender(client, peer, between=6.0), Recorded()
    await slack.send(TO_CHANNEL, at=NOW)

    response = await slack.send(TO_CHANNEL, at=NOW, handover=handover)

    assert response.outcome is AttemptOutcome.UNREACHED
    assert response.retry_after is not None
    assert timedelta(seconds=5) < response.retry_after <= timedelta(seconds=6)
    assert (handover.began, len(peer.requests)) == (0, 1)


async def test_a_message_that_may_not_go_any_more_is_not_posted(client: GatewayClient, peer: Peer) -> None:
    response = await sender(client, peer).send(TO_CHANNEL, at=NOW, handover=Recorded(is_allowed=False))

    assert response.outcome is AttemptOutcome.UNREACHED
    assert peer.connections == 0
