"""One POST to a gateway that answers, does not, or answers badly: what is known of it, and when it is left alone."""

import socket
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from services.chassis.private_targets import EVERYTHING, NONE, PrivateTargets
from services.notifier.adapters.channels.gateway_client import MOST_BYTES, Answer, GatewayClient
from services.notifier.domain.delivery import AttemptOutcome, Response
from tests.unit.notifier.adapters.channels.gateway_peer import NOW, Peer, http, listening


@pytest.fixture
async def peer() -> AsyncGenerator[Peer]:
    async with listening() as made:
        yield made


@pytest.fixture
async def client() -> AsyncGenerator[GatewayClient]:
    made = await started()
    yield made
    await made.stop()


async def started(private: PrivateTargets = EVERYTHING) -> GatewayClient:
    made = GatewayClient(private, "the gateway", deadline_seconds=1.0, away_seconds=30)
    await made.start()
    return made


async def post(client: GatewayClient, peer: Peer) -> Answer | Response:
    return await client.post(f"{peer.url}/x", b"a=b", {}, at=NOW)


async def test_an_answer_has_its_status_and_its_document(client: GatewayClient, peer: Peer) -> None:
    peer.answer = http(201, '{"sid": "SM1"}')

    answer = await post(client, peer)

    assert isinstance(answer, Answer)
    assert (answer.status, answer.document, answer.is_success) == (201, {"sid": "SM1"}, True)
    assert client.refuse_while_away() is None


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7), ("Mon, 05 Jan 2026 12:00:30 GMT", 30), ("soon", None), ("-5", None)]
)
async def test_retry_after_is_seconds_or_a_date(
    client: GatewayClient, peer: Peer, value: str, seconds: int | None
) -> None:
    peer.answer = http(429, retry_after=value)

    answer = await post(client, peer)

    assert isinstance(answer, Answer)
    assert answer.retry_after == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize("mood", ["silent", "close", "drip_head"])
async def test_what_was_written_and_not_answered_is_in_doubt(
    client: GatewayClient, peer: Peer, mood: str
) -> None:
    peer.mood = mood

    response = await post(client, peer)

    assert isinstance(response, Response)
    assert response.outcome is AttemptOutcome.AMBIGUOUS
    assert response.detail.startswith("the gateway: ")


async def test_a_peer_that_accepts_and_reads_nothing_is_in_doubt(client: GatewayClient, peer: Peer) -> None:
    peer.mood = "deaf"

    response = await post(client, peer)

    assert isinstance(response, Response)
    assert (response.outcome, response.detail) == (
        AttemptOutcome.AMBIGUOUS, "the gateway: no answer within 1 s",
    )  # fmt: skip


@pytest.mark.parametrize("mood", ["drip", "endless"])
async def test_a_body_that_does_not_end_leaves_the_status(
    client: GatewayClient, peer: Peer, mood: str
) -> None:
    peer.mood = mood

    answer = await post(client, peer)

    assert isinstance(answer, Answer)
    assert answer.is_success
    assert answer.body is None
    assert answer.document == {}


async def test_a_body_that_breaks_off_or_is_too_large_leaves_the_status(
    client: GatewayClient, peer: Peer
) -> None:
    for answer in (
        b"HTTP/1.1 201 Created\r\ncontent-length: 99\r\n\r\n{",
        http(201, b"x" * (MOST_BYTES + 1)),
    ):
        peer.answer = answer

        read = await post(client, peer)

        assert isinstance(read, Answer)
        assert (read.status, read.body) == (201, None)


async def test_a_redirect_is_an_answer_and_is_not_followed(client: GatewayClient, peer: Peer) -> None:
    peer.answer = http(302, location=f"{peer.url}/elsewhere")

    answer = await post(client, peer)

    assert isinstance(answer, Answer)
    assert answer.status == 302
    assert len(peer.requests) == 1


async def test_every_request_has_a_connection_of_its_own(client: GatewayClient, peer: Peer) -> None:
    peer.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"  # would be kept alive

    for _ in range(3):
        await post(client, peer)

    assert peer.connections == 3


async def test_a_closed_port_is_unreached_and_left_alone_for_a_while(client: GatewayClient) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    response = await client.post(f"http://127.0.0.1:{port}/", b"", {}, at=NOW)

    assert isinstance(response, Response)
    assert response.outcome is AttemptOutcome.UNREACHED
    away = client.refuse_while_away()
    assert away is not None
    assert away.outcome is AttemptOutcome.UNREACHED
    assert away.retry_after is not None
    assert timedelta(seconds=25) < away.retry_after <= timedelta(seconds=30)


async def test_a_gateway_that_asks_to_wait_for_days_is_asked_again_within_a_minute(
    client: GatewayClient,
) -> None:
    client.leave_alone(timedelta(days=3), "HTTP 429")

    away = client.refuse_while_away()

    assert away is not None
    assert away.retry_after is not None
    assert away.retry_after <= timedelta(seconds=60)


async def test_forbidden_addresses_are_not_reached(peer: Peer) -> None:
    client = await started(NONE)
    try:
        for url in (f"{peer.url}/x", f"https://localhost:{peer.port}/x", "https://user:word@example.com/"):
            response = await client.post(url, b"", {}, at=NOW)

            assert isinstance(response, Response)
            assert response.outcome is AttemptOutcome.UNREACHED
            assert response.detail.startswith("forbidden: ")
    finally:
        await client.stop()
    assert peer.connections == 0


async def test_after_the_end_nothing_is_asked(peer: Peer) -> None:
    client = await started()
    await client.stop()

    response = await post(client, peer)

    assert isinstance(response, Response)
    assert response.outcome is AttemptOutcome.UNREACHED
