"""HTTP requests to another service of the deployment, with its first key."""

import asyncio
from pathlib import Path
from typing import Any, Final

import httpx

from services.chassis.tracing import traces

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 8.0
"""Real time for one answer: a claim is leased for 90 s, in which its mail is sent too."""


class ServiceAway(Exception):
    """The service does not answer; the message says which address, and how it failed."""


class ServiceClient:
    """Without proxies and redirects; the key is read for each request, so that a new one counts at once."""

    def __init__(self, key_file: Path) -> None:
        self._key_file = key_file
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._client = httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def request(self, method: str, url: str, **request: Any) -> httpx.Response:
        """The answer, whatever its status; `request` as of httpx. Raises ServiceAway."""
        try:
            key = self._key_file.read_text(encoding="ascii").strip()
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            with traces().span(method, "client", attributes={"http.request.method": method}) as span:
                async with asyncio.timeout(ANSWER_SECONDS):
                    answer = await self._client.request(
                        method, url, headers={**headers, **span.headers}, **request
                    )
                span.note({"http.response.status_code": answer.status_code})
                return answer
        except (OSError, TimeoutError, UnicodeError, httpx.HTTPError, httpx.InvalidURL) as problem:
            raise ServiceAway(f"{url} does not answer ({type(problem).__name__})") from problem
