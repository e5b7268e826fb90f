"""Webhooks out: one signed POST, within a deadline, to nowhere but where it was meant to go."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import urlsplit

import aiohttp

from services.notifier.adapters.channels.guard import (
    ForbiddenAddress,
    ForbiddenUrl,
    GuardedResolver,
    check_addresses,
    check_url,
    resolve,
)
from services.notifier.domain.delivery import Outcome, Receipt

DEADLINE = 30.0
DRAIN_DEADLINE = 2.0
MOST_READ = 64 * 1024
THROTTLES = frozenset({429, 502, 503, 504})
FIXED_HEADERS = {"content-type": "application/json", "user-agent": "Drumbeat-Webhooks/1.0"}


class WebhookClient:
    """Keep-alive connections to every endpoint. No proxies, cookies or redirects, no decompression."""

    def __init__(self, *, allow_private: bool, deadline: float = DEADLINE) -> None:
        self._allow_private = allow_private
        self._deadline = deadline
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        connector = aiohttp.TCPConnector(
            limit=0,
            use_dns_cache=False,
            resolver=GuardedResolver(allow_private=self._allow_private),
            keepalive_timeout=30,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers=FIXED_HEADERS,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=self._deadline),  # of the whole attempt, name to last byte
            skip_auto_headers=("accept-encoding",),
        )

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def check(self, url: str) -> None:
        """Whether the URL may be subscribed now; `ForbiddenUrl` says why not. Nothing is sent."""
        check_url(url, allow_private=self._allow_private)
        if self._allow_private:
            return
        parts = urlsplit(url)
        host = parts.hostname or ""
        try:
            async with asyncio.timeout(5):
                found = await resolve(host, parts.port or 443)
            check_addresses(host, (literal for _, literal in found))
        except ForbiddenAddress as problem:
            raise ForbiddenUrl(str(problem)) from problem
        except (OSError, UnicodeError) as problem:
            raise ForbiddenUrl(f"{host} cannot be resolved: {problem}") from problem

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, at: datetime) -> Receipt:
        """One attempt at this real moment. Never raises for what the other side does."""
        session = self._session
        if session is None:
            return Receipt(Outcome.UNREACHED, "the sender is stopping")
        try:
            check_url(url, allow_private=self._allow_private)
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                receipt = _receipt(answer.status, answer.headers.get("retry-after"), at)
                if not answer.content.at_eof():
                    await _drain(answer)
                return receipt
        except (ForbiddenUrl, aiohttp.InvalidURL) as problem:
            return Receipt(Outcome.REFUSED, f"forbidden: {problem}")
        except TimeoutError:
            return Receipt(Outcome.AMBIGUOUS, f"no answer within {self._deadline:g} s")
        except aiohttp.ClientConnectorError as problem:
            return _unreached(problem)
        except (aiohttp.ClientError, OSError, UnicodeError, ValueError) as problem:
            return Receipt(Outcome.AMBIGUOUS, f"connection failed: {type(problem).__name__}")


async def _drain(answer: aiohttp.ClientResponse) -> None:
    """Read what little is allowed, so that the connection can be used again; else close it."""
    read = 0
    try:
        async with asyncio.timeout(DRAIN_DEADLINE):
            while not answer.content.at_eof():
                read += len(await answer.content.read(MOST_READ))
                if read > MOST_READ:
                    break
    except (TimeoutError, aiohttp.ClientError, OSError):
        read = MOST_READ + 1
    if read > MOST_READ:
        answer.close()


def _receipt(status: int, retry_after: str | None, at: datetime) -> Receipt:
    if 200 <= status < 300:
        return _delivered(status)
    detail = f"HTTP {status}"
    if status == 410:
        return Receipt(Outcome.REFUSED, f"{detail}: the endpoint is gone", gone=True)
    if 300 <= status < 400:
        return Receipt(Outcome.REFUSED, f"{detail}: redirects are not followed")
    if status in THROTTLES:
        return Receipt(Outcome.DEFERRED, detail, retry_after=parse_retry_after(retry_after, at))
    return Receipt(Outcome.REFUSED, detail)


@cache
def _delivered(status: int) -> Receipt:
    return Receipt(Outcome.DELIVERED, f"HTTP {status}")


def _unreached(problem: aiohttp.ClientConnectorError) -> Receipt:
    cause = problem.os_error
    if isinstance(cause, ForbiddenAddress):
        return Receipt(Outcome.REFUSED, f"forbidden: {cause}")
    return Receipt(Outcome.UNREACHED, f"no connection: {cause.strerror or type(cause).__name__}")


def parse_retry_after(value: str | None, at: datetime) -> timedelta | None:
    """Seconds or an HTTP date; anything else counts as absent."""
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
