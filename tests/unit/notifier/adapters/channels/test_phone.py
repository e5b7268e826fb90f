"""Telephone tasks against a peer on a real socket: what is handed over, and what each answer means for the task."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta

import pytest

from services.chassis.private_targets import EVERYTHING
from services.notifier.adapters.channels.gateway_client import GatewayClient
from services.notifier.adapters.channels.phone import PhoneSender, PhoneTasks
from services.notifier.domain.delivery import AttemptOutcome
from tests.unit.notifier.adapters.channels.gateway_peer import MESSAGE, NOW, Peer, Recorded, http, listening

TASK = replace(MESSAGE, to="carl", text='{"type":"call"}')


@pytest.fixture
async def peer() -> AsyncGenerator[Peer]:
    async with listening() as made:
        made.answer = http(202)
        yield made


@pytest.fixture
async def client() -> AsyncGenerator[GatewayClient]:
    made = GatewayClient(EVERYTHING, "the receiver", deadline_seconds=1.0)
    await made.start()
    yield made
    await made.stop()


def sender(client: GatewayClient, peer: Peer, *, has_token: bool = True) -> PhoneSender:
    return PhoneSender(client, PhoneTasks(f"{peer.url}/tasks", "a-token" if has_token else None))


async def test_a_task_is_json_under_the_key_of_its_delivery(client: GatewayClient, peer: Peer) -> None:
    handover = Recorded()

    response = await sender(client, peer).send(TASK, at=NOW, handover=handover)

    assert response.outcome is AttemptOutcome.DELIVERED
    first, headers, body = peer.requests[0]
    assert first == "POST /tasks HTTP/1.1"
    assert (headers["idempotency-key"], headers["authorization"]) == (TASK.delivery_id, "Bearer a-token")
    assert (headers["content-type"], body) == ("application/json", TASK.text)
    assert handover.ended == [response]


async def test_without_a_token_there_is_no_authorization(client: GatewayClient, peer: Peer) -> None:
    await sender(client, peer, has_token=False).send(TASK, at=NOW)

    assert "authorization" not in peer.requests[0][1]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (http(429, retry_after="30"), AttemptOutcome.DEFERRED),
        (http(503, retry_after="30"), AttemptOutcome.DEFERRED),
        (http(500), AttemptOutcome.AMBIGUOUS),
        (http(401), AttemptOutcome.UNREACHED),
        (http(307, location="http://elsewhere.example/"), AttemptOutcome.UNREACHED),
        (http(422), AttemptOutcome.REFUSED),
    ],
)
async def test_an_answer_says_whether_to_try_again(
    client: GatewayClient, peer: Peer, answer: bytes, outcome: AttemptOutcome
) -> None:
    peer.answer = answer

    response = await sender(client, peer).send(TASK, at=NOW)

    assert response.outcome is outcome
    assert response.is_permanent == (outcome is AttemptOutcome.REFUSED)
    assert response.retry_after == (timedelta(seconds=30) if outcome is AttemptOutcome.DEFERRED else None)


@pytest.mark.parametrize("mood", ["silent", "close", "deaf", "drip_head"])
async def test_a_task_in_doubt_is_handed_over_again(client: GatewayClient, peer: Peer, mood: str) -> None:
    peer.mood = mood

    response = await sender(client, peer).send(TASK, at=NOW)

    assert (response.outcome, response.is_permanent) == (AttemptOutcome.AMBIGUOUS, False)


async def test_a_task_that_may_not_go_any_more_is_not_handed_over(client: GatewayClient, peer: Peer) -> None:
    response = await sender(client, peer).send(TASK, at=NOW, handover=Recorded(is_allowed=False))

    assert response.outcome is AttemptOutcome.UNREACHED
    assert peer.connections == 0
