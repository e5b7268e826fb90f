"""Fetches calendars by the rules of webhooks: no address of our own network, bounded in size and time.

Redirects are followed, because hosts of calendars use them, and each address on the way obeys the same rules.
"""

import asyncio
from typing import Final
from urllib.parse import urljoin, urlsplit

import aiohttp

from services.chassis.private_targets import PrivateTargets
from services.chassis.secret_box import SecretBox, SecretUnreadable
from services.chassis.target_guard import (
    ForbiddenAddress,
    ForbiddenUrl,
    GuardedResolver,
    check_target,
    check_url,
)
from services.scheduler.application.busy_calendars import CalendarToRead, CalendarUnreachable, Fetched

DEADLINE_SECONDS: Final = 30.0
MOST_BYTES: Final = 5_000_000
MOST_REDIRECTS: Final = 3
_PIECE: Final = 64 * 1024
_HEADERS: Final = {
    "user-agent": "Drumbeat-Calendars/1.0",
    "accept": "text/calendar, */*;q=0.1",
    "accept-encoding": "identity",
}
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_ADVICE: Final = {
    401: "the address asks for a password; give the secret address of the calendar instead",
    403: "the address may not be read any more; make a new secret address and set it here",
    404: "there is no calendar at the address any more; make a new secret address and set it here",
    410: "there is no calendar at the address any more; make a new secret address and set it here",
}


class CalendarClient:
    """Implements `Fetch`. `box` opens the addresses."""

    def __init__(
        self, private: PrivateTargets, box: SecretBox, *, deadline_seconds: float = DEADLINE_SECONDS
    ) -> None:
        self._private, self._box, self._deadline_seconds = private, box, deadline_seconds

    async def check(self, url: str) -> None:
        """Raises ForbiddenUrl when the address may not be read. Nothing is sent."""
        await check_target(url, self._private)

    async def fetch(self, wanted: CalendarToRead) -> Fetched:
        """Raises CalendarUnreachable."""
        try:
            url = self._box.open(wanted.sealed, wanted.csm_id).decode()
            async with asyncio.timeout(self._deadline_seconds):
                return await self._follow(url, wanted)
        except SecretUnreadable as problem:
            raise CalendarUnreachable(
                f"{problem}: put the key file of this deployment back, or set the address again"
            ) from None
        except TimeoutError:
            problem = f"the calendar was not read within {self._deadline_seconds:g} s"
            raise CalendarUnreachable(problem) from None
        except ForbiddenUrl as problem:
            raise CalendarUnreachable(f"forbidden: {problem}") from None
        except aiohttp.ClientConnectorError as problem:
            raise CalendarUnreachable(_describe(problem)) from None
        except (aiohttp.ClientError, OSError, UnicodeError, ValueError) as problem:
            raise CalendarUnreachable(f"the connection failed: {type(problem).__name__}") from None

    async def _follow(self, url: str, wanted: CalendarToRead) -> Fetched:
        connector = aiohttp.TCPConnector(use_dns_cache=False, resolver=GuardedResolver(self._private))
        headers = _HEADERS | _conditions(wanted)
        async with aiohttp.ClientSession(
            connector=connector, trust_env=False, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
        ) as session:
            for _ in range(MOST_REDIRECTS + 1):
                check_url(url, self._private)
                async with session.get(url, headers=headers, allow_redirects=False) as answer:
                    if answer.status not in _REDIRECTS:
                        return await _read(answer)
                    url = _find_target(url, answer)
        raise CalendarUnreachable(f"the address is redirected more than {MOST_REDIRECTS} times")


def _conditions(wanted: CalendarToRead) -> dict[str, str]:
    conditions = {"if-none-match": wanted.etag, "if-modified-since": wanted.modified}
    return {name: value for name, value in conditions.items() if value is not None}


def _find_target(url: str, answer: aiohttp.ClientResponse) -> str:
    target = urljoin(url, answer.headers.get("location", ""))
    if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
        raise CalendarUnreachable("the address is redirected to one without encryption")
    return target


async def _read(answer: aiohttp.ClientResponse) -> Fetched:
    if answer.status == 304:
        return Fetched(None)
    if answer.status != 200:
        advice = _ADVICE.get(answer.status)
        raise CalendarUnreachable(f"HTTP {answer.status}" + (f": {advice}" if advice else ""))
    if "content-encoding" in answer.headers and answer.headers["content-encoding"].lower() != "identity":
        raise CalendarUnreachable("the server sends compressed content, which was not asked for")
    content = bytearray()
    async for piece in answer.content.iter_chunked(_PIECE):
        content += piece
        if len(content) > MOST_BYTES:
            raise CalendarUnreachable(f"the calendar is larger than {MOST_BYTES:,} bytes")
    return Fetched(bytes(content), _short(answer, "etag"), _short(answer, "last-modified"))


def _short(answer: aiohttp.ClientResponse, name: str) -> str | None:
    value = answer.headers.get(name)
    return value if value is not None and len(value) <= 500 else None


def _describe(problem: aiohttp.ClientConnectorError) -> str:
    cause = problem.os_error
    if isinstance(cause, ForbiddenAddress):
        return f"forbidden: {cause}"
    return f"no connection: {cause.strerror or type(cause).__name__}"
