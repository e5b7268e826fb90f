"""One POST to a gateway within a deadline, never to a forbidden address: what it answered, or why it did not.

Each request has a connection of its own: one that is kept may be closed by the other side while a message is written to
it, and then nobody knows whether it arrived.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

import aiohttp
import orjson

from services.chassis.private_targets import PrivateTargets
from services.chassis.target_guard import (
    ForbiddenAddress,
    ForbiddenUrl,
    GuardedResolver,
    check_url,
)
from services.notifier.adapters.channels.webhook import parse_retry_after
from services.notifier.domain.delivery import AttemptOutcome, Response

DEADLINE_SECONDS: Final = 20.0
CONNECT_SECONDS: Final = 8.0
MOST_BYTES: Final = 64 * 1024
AWAY_SECONDS: Final = 15.0
"""Real time for which a gateway that did not answer, or that asked to wait, is left alone."""
MOST_DETAIL: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """`body`: at most 64 KiB of it; None: it broke off or was larger. `retry_after`: how long we are asked to wait."""

    status: int
    body: bytes | None
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def document(self) -> Mapping[str, object]:
        """The body as a JSON object; empty where it is none."""
        try:
            document: object = orjson.loads(self.body or b"")
        except ValueError:
            return {}
        return cast("dict[str, object]", document) if isinstance(document, dict) else {}


class GatewayClient:
    """Posts to one gateway. `name` is what reasons call it; the loop's clock rules all waits, which are real time."""

    def __init__(
        self,
        private: PrivateTargets,
        name: str,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        away_seconds: float = AWAY_SECONDS,
    ) -> None:
        self._private, self._name = private, name
        self._deadline_seconds, self._away_seconds = deadline_seconds, away_seconds
        self._away_until = 0.0
        self._away_because = ""
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        connector = aiohttp.TCPConnector(
            limit=16, force_close=True, use_dns_cache=False, resolver=GuardedResolver(self._private)
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={"user-agent": "Drumbeat/1.0", "accept-encoding": "identity"},
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(connect=CONNECT_SECONDS),
        )

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def refuse_while_away(self) -> Response | None:
        """Unreached, while the gateway is left alone; None: it may be asked."""
        wait = self._away_until - asyncio.get_running_loop().time()
        if wait <= 0:
            return None
        return Response(AttemptOutcome.UNREACHED, self._away_because, retry_after=timedelta(seconds=wait))

    def leave_alone(self, wait: timedelta | None, because: str) -> None:
        """Ask nothing of it for so long, at the most a minute: the next message finds out again."""
        seconds = self._away_seconds if wait is None else min(wait.total_seconds(), 60.0)
        self._away_until = asyncio.get_running_loop().time() + seconds
        self._away_because = because

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, at: datetime
    ) -> Answer | Response:
        """The answer; a response where there is none. Never raises for what the other side does.

        `at`: the real moment from which a date of Retry-After is counted.
        """
        session = self._session
        if session is None:
            return Response(AttemptOutcome.UNREACHED, "the notifier is stopping")
        try:
            check_url(url, self._private)
            async with (
                asyncio.timeout(self._deadline_seconds) as deadline,
                session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                retry_after = parse_retry_after(answer.headers.get("retry-after"), at)
                content = await _read_body(answer, deadline)
                return Answer(answer.status, content, retry_after)
        except (ForbiddenUrl, aiohttp.InvalidURL) as problem:
            return Response(AttemptOutcome.UNREACHED, f"forbidden: {problem}"[:MOST_DETAIL])
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as problem:
            return self._unreached(problem)
        except TimeoutError:
            return self._in_doubt(f"no answer within {self._deadline_seconds:g} s")
        except (aiohttp.ClientError, OSError, UnicodeError, ValueError) as problem:
            return self._in_doubt(f"the connection was lost ({type(problem).__name__})")

    def _unreached(self, problem: Exception) -> Response:
        cause = problem.os_error if isinstance(problem, aiohttp.ClientConnectorError) else problem
        if isinstance(cause, ForbiddenAddress):
            return Response(AttemptOutcome.UNREACHED, f"forbidden: {cause}"[:MOST_DETAIL])
        why = getattr(cause, "strerror", None) or type(cause).__name__
        detail = f"{self._name} could not be reached ({why})"
        self.leave_alone(None, detail)
        return Response(AttemptOutcome.UNREACHED, detail)

    def _in_doubt(self, what: str) -> Response:
        self.leave_alone(None, f"{self._name} did not answer a moment ago")
        return Response(AttemptOutcome.AMBIGUOUS, f"{self._name}: {what}")


async def _read_body(answer: aiohttp.ClientResponse, deadline: asyncio.Timeout) -> bytes | None:
    """The body within the rest of the time: the status is known, so a body that breaks off leaves no doubt of its own."""
    content = bytearray()
    try:
        while len(content) <= MOST_BYTES:
            piece = await answer.content.read(MOST_BYTES)
            if not piece:
                return bytes(content)
            content += piece
    except (aiohttp.ClientError, OSError):
        return None
    except asyncio.CancelledError:
        if not deadline.expired():
            raise
        return None
    return None
