"""The webhook client against a real receiver, which answers in many ways or not at all."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.chassis.private_targets import EVERYTHING, NONE, parse_private_targets
from services.chassis.secret_box import SecretBox
from services.chassis.target_guard import ForbiddenUrl
from services.notifier.adapters.channels.webhook import WebhookClient, parse_retry_after
from services.notifier.domain.delivery import AttemptOutcome, Response

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Receiver:
    """An HTTP receiver; the path says how it behaves."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes, dict[str, str]]] = []
        self.connections: set[object] = set()
        app = web.Application()
        app.router.add_post("/{mood:.*}", self.answer)
        self.server = TestServer(app)

    def url(self, mood: str) -> str:
        return str(self.server.make_url(f"/{mood}"))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.connections.add(request.transport)
        mood = request.match_info["mood"]
        self.requests.append(
            (mood, await request.read(), {name.lower(): value for name, value in request.headers.items()})
        )
        match mood:
            case "redirect":
                return web.Response(status=302, headers={"location": self.url("ok")})
            case "throttle":
                return web.Response(status=429, headers={"retry-after": "120"})
            case "hang":
                await asyncio.Event().wait()
            case "drop":
                assert request.transport is not None
                request.transport.close()
            case "endless":
                return await self.drip(request, b"x" * 65_536, pause=0)
            case "drip":
                return await self.drip(request, b"x", pause=0.2)
            case _ if mood.isdigit():
                return web.Response(status=int(mood))
            case _:
                pass
        return web.Response(status=200, text="thanks")

    async def drip(self, request: web.Request, piece: bytes, *, pause: float) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(piece)
                await asyncio.sleep(pause)
        except ConnectionError:
            return response


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    made = Receiver()
    await made.server.start_server(shutdown_timeout=0.1)
    yield made
    await made.server.close()


@pytest.fixture
async def client() -> AsyncGenerator[WebhookClient]:
    made = WebhookClient(EVERYTHING, SecretBox(()), deadline_seconds=1.0)
    await made.start()
    yield made
    await made.stop()


async def post(client: WebhookClient, url: str) -> Response:
    return await client.post(url, b'{"a":1}', {"webhook-id": "d-1"}, at=NOW)


async def test_a_2xx_is_delivered_with_body_and_headers_as_given(
    client: WebhookClient, receiver: Receiver
) -> None:
    response = await post(client, receiver.url("ok"))

    assert response == Response(AttemptOutcome.DELIVERED, "HTTP 200")
    ((_, body, headers),) = receiver.requests
    assert body == b'{"a":1}'
    assert headers["webhook-id"] == "d-1"
    assert headers["content-type"] == "application/json"
    assert "cookie" not in headers


@pytest.mark.parametrize("status", [400, 401, 404, 500, 501])
async def test_other_answers_are_refusals_that_may_pass(
    client: WebhookClient, receiver: Receiver, status: int
) -> None:
    response = await post(client, receiver.url(str(status)))

    assert response == Response(AttemptOutcome.REFUSED, f"HTTP {status}")


async def test_410_means_that_the_endpoint_is_gone(client: WebhookClient, receiver: Receiver) -> None:
    assert (await post(client, receiver.url("410"))).is_gone


async def test_429_says_when_to_retry(client: WebhookClient, receiver: Receiver) -> None:
    response = await post(client, receiver.url("throttle"))

    assert response == Response(AttemptOutcome.DEFERRED, "HTTP 429", retry_after=timedelta(minutes=2))


async def test_redirects_are_not_followed(client: WebhookClient, receiver: Receiver) -> None:
    response = await post(client, receiver.url("redirect"))

    assert response.outcome is AttemptOutcome.REFUSED
    assert [mood for mood, *_ in receiver.requests] == ["redirect"]


async def test_an_endpoint_that_hangs_is_given_up_at_the_deadline(
    client: WebhookClient, receiver: Receiver
) -> None:
    response = await post(client, receiver.url("hang"))

    assert response.outcome is AttemptOutcome.AMBIGUOUS


async def test_a_connection_that_breaks_after_the_request_is_ambiguous(
    client: WebhookClient, receiver: Receiver
) -> None:
    assert (await post(client, receiver.url("drop"))).outcome is AttemptOutcome.AMBIGUOUS


@pytest.mark.parametrize("mood", ["endless", "drip"])
async def test_the_status_counts_however_long_the_body(
    client: WebhookClient, receiver: Receiver, mood: str
) -> None:
    async with asyncio.timeout(5):
        response = await post(client, receiver.url(mood))

    assert response.outcome in (AttemptOutcome.DELIVERED, AttemptOutcome.AMBIGUOUS)


async def test_a_closed_port_is_unreached(client: WebhookClient, receiver: Receiver) -> None:
    url = receiver.url("ok")
    await receiver.server.close()

    assert (await post(client, url)).outcome is AttemptOutcome.UNREACHED


async def test_connections_are_reused(client: WebhookClient, receiver: Receiver) -> None:
    for _ in range(20):
        await post(client, receiver.url("ok"))

    assert len(receiver.connections) == 1


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "127.1", "0x7f.1", "2130706433"])
async def test_the_guard_lets_no_request_reach_this_machine(receiver: Receiver, host: str) -> None:
    guarded = WebhookClient(NONE, SecretBox(()), deadline_seconds=2.0)
    await guarded.start()

    plain = await post(guarded, receiver.url("ok"))
    named = await post(guarded, f"https://{host}:8443/hook")
    await guarded.stop()

    assert "forbidden" in plain.detail
    assert named.outcome is AttemptOutcome.REFUSED
    assert "forbidden" in named.detail
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("listed", "host", "is_reached"),
    [
        ("127.0.0.0/8", "127.0.0.1", True),
        ("127.0.0.0/8", "localhost", True),
        ("localhost", "localhost", True),
        ("localhost", "127.0.0.1", False),
        ("10.1.0.0/16", "localhost", False),
        ("hooks.internal,10.1.0.0/16", "127.0.0.1", False),
    ],
)
async def test_with_a_list_only_its_targets_are_reached(
    receiver: Receiver, listed: str, host: str, *, is_reached: bool
) -> None:
    """Issue 11 B: private webhook targets are a list of hosts or networks, with plain HTTP and any port."""
    guarded = WebhookClient(parse_private_targets(listed), SecretBox(()), deadline_seconds=2.0)
    await guarded.start()

    response = await post(guarded, receiver.url("ok").replace("127.0.0.1", host))
    await guarded.stop()

    assert (response.outcome is AttemptOutcome.DELIVERED) is is_reached
    assert bool(receiver.requests) is is_reached
    assert is_reached or "forbidden" in response.detail


async def test_a_name_that_resolves_to_a_forbidden_address_cannot_be_subscribed() -> None:
    guarded = WebhookClient(NONE, SecretBox(()))

    with pytest.raises(ForbiddenUrl):
        await guarded.check("https://localhost/hook")
    with pytest.raises(ForbiddenUrl):
        await guarded.check("https://no-such-host.invalid/hook")


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("0", timedelta()),
        ("30", timedelta(seconds=30)),
        ("99999999999999999999", timedelta(days=1)),
        ("Mon, 05 Jan 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Mon, 05 Jan 2026 11:00:00 GMT", timedelta()),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, wait: timedelta | None) -> None:
    assert parse_retry_after(value, NOW) == wait
