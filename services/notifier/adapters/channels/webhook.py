"""Outgoing webhooks: one signed POST within a deadline, never to a forbidden address."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache

import aiohttp
import orjson

from schemas.times import format_instant
from services.chassis.private_targets import PrivateTargets
from services.chassis.secret_box import SecretBox
from services.chassis.target_guard import (
    ForbiddenAddress,
    ForbiddenUrl,
    GuardedResolver,
    check_target,
    check_url,
)
from services.notifier.adapters.channels.deadlines import Deadlines
from services.notifier.adapters.channels.signing import sign_headers
from services.notifier.adapters.channels.traced_attempts import trace_attempt
from services.notifier.application.ports import Endpoint, Webhook
from services.notifier.domain.delivery import AttemptOutcome, Response

DEADLINE_SECONDS = 30.0
DRAIN_SECONDS = 2.0
MOST_BYTES_READ = 64 * 1024
THROTTLES = frozenset({429, 502, 503, 504})
# A header of its own is cheaper than to have the client leave out the one that it adds.
FIXED_HEADERS = {
    "content-type": "application/json",
    "user-agent": "Drumbeat-Webhooks/1.0",
    "accept-encoding": "identity",
}


class WebhookClient:
    """Implements the port `WebhookClient`: keep-alive connections, no proxies, cookies, redirects or decompression."""

    def __init__(
        self, private: PrivateTargets, box: SecretBox, *, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._private, self._box = private, box
        self._deadline_seconds = deadline_seconds
        self._deadlines = Deadlines(deadline_seconds)
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        connector = aiohttp.TCPConnector(
            limit=0,
            use_dns_cache=False,
            resolver=GuardedResolver(self._private),
            keepalive_timeout=30,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=FIXED_HEADERS,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(),  # none of its own: `post` has a deadline for the whole attempt
        )

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def check(self, url: str) -> None:
        """Raises ForbiddenUrl when the URL may not be subscribed. Nothing is sent."""
        await check_target(url, self._private)

    async def send(self, endpoint: Endpoint, webhook: Webhook, *, at: datetime) -> Response:
        """Make one signed attempt at this real moment. Never raises for what the other side does."""
        body = webhook_body(webhook)
        secrets = [self._box.open(sealed, endpoint.id) for sealed in endpoint.secrets.valid_at(at)]
        headers = sign_headers(webhook.id, at, body, secrets)

        def attempt(trace: Mapping[str, str]) -> Awaitable[Response]:
            return self.post(endpoint.url, body, {**headers, **trace}, at=at)

        return await trace_attempt("POST webhook", webhook.id, {"drumbeat.event_type": webhook.type}, attempt)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, at: datetime) -> Response:
        """The same for a body and headers that are signed already.

        The deadline is for all of it, from the name lookup to the last byte.
        """
        session, task = self._session, asyncio.current_task()
        if session is None or task is None:
            return Response(AttemptOutcome.UNREACHED, "the notifier is stopping")
        self._deadlines.begin(task.get_loop(), task)
        try:
            check_url(url, self._private)
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                response = _response(answer, at)
                if not answer.content.at_eof():
                    await _drain(answer)
                return response
        except (ForbiddenUrl, aiohttp.InvalidURL) as problem:
            return Response(AttemptOutcome.REFUSED, f"forbidden: {problem}")
        except asyncio.CancelledError:
            if not self._deadlines.has_expired(task):
                raise
            return Response(AttemptOutcome.AMBIGUOUS, f"no answer within {self._deadline_seconds:g} s")
        except aiohttp.ClientConnectorError as problem:
            return _unreached(problem)
        except (aiohttp.ClientError, OSError, UnicodeError, ValueError) as problem:
            return Response(AttemptOutcome.AMBIGUOUS, f"connection failed: {type(problem).__name__}")
        finally:
            self._deadlines.end(task)


def webhook_body(webhook: Webhook) -> bytes:
    """The body of Standard Webhooks: `{type, timestamp, data}` with the data as received."""
    return orjson.dumps(
        {
            "type": webhook.type,
            "timestamp": format_instant(webhook.time),
            "data": orjson.Fragment(webhook.data),
        }
    )


async def _drain(answer: aiohttp.ClientResponse) -> None:
    """Read a bounded rest of the body so that the connection can be reused; else close it."""
    read = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while not answer.content.at_eof():
                read += len(await answer.content.read(MOST_BYTES_READ))
                if read > MOST_BYTES_READ:
                    break
    except (TimeoutError, aiohttp.ClientError, OSError):
        read = MOST_BYTES_READ + 1
    if read > MOST_BYTES_READ:
        answer.close()


def _response(answer: aiohttp.ClientResponse, at: datetime) -> Response:
    status = answer.status
    if 200 <= status < 300:
        return _delivered(status)
    detail = f"HTTP {status}"
    if status == 410:
        return Response(AttemptOutcome.REFUSED, f"{detail}: the endpoint is gone", is_gone=True)
    if 300 <= status < 400:
        return Response(AttemptOutcome.REFUSED, f"{detail}: redirects are not followed")
    if status in THROTTLES:
        retry_after = parse_retry_after(answer.headers.get("retry-after"), at)
        return Response(AttemptOutcome.DEFERRED, detail, retry_after=retry_after)
    return Response(AttemptOutcome.REFUSED, detail)


@cache
def _delivered(status: int) -> Response:
    return Response(AttemptOutcome.DELIVERED, f"HTTP {status}")


def _unreached(problem: aiohttp.ClientConnectorError) -> Response:
    cause = problem.os_error
    if isinstance(cause, ForbiddenAddress):
        return Response(AttemptOutcome.REFUSED, f"forbidden: {cause}")
    return Response(AttemptOutcome.UNREACHED, f"no connection: {cause.strerror or type(cause).__name__}")


def parse_retry_after(value: str | None, at: datetime) -> timedelta | None:
    """A Retry-After header: seconds or an HTTP date (RFC 9110, section 10.2.3); anything else counts as absent."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 86_400))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(zoned - at, timedelta())
