"""Asks the scheduler for the calendar as it stands."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, cast

import httpx
import orjson

from services.chassis.tracing import traces
from services.rules_engine.application.publish_policy import SchedulerAway

ACCOUNTS_A_PAGE: Final = 200
ANSWER_SECONDS: Final = 30.0
SHARING_SECONDS: Final = 10.0
"""Real time for which the scheduler is asked again while it shares out the accounts of people who have left."""
_ASK_AGAIN_SECONDS: Final = 0.25


class StandingClient:
    """`url`: the address of the scheduler. The key is read for each simulation, so that a new one counts at once."""

    def __init__(self, url: str, key_file: Path) -> None:
        self._url, self._key_file = url, key_file

    async def read_pages(self) -> AsyncIterator[tuple[bytes, str | None]]:
        """The pages of `GET /v1/standing`, each with the id of its last account; None with the last page.

        The accounts of people who have left are shared out first, which takes the scheduler seconds; where it takes
        longer, the first page names these people. Raises SchedulerAway.
        """
        cursor: str | None = None
        until = asyncio.get_running_loop().time() + SHARING_SECONDS
        async with httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client:
            while True:
                content = await self._read(client, cursor)
                page = cast("dict[str, list[dict[str, str]]]", orjson.loads(content))
                if page.get("left") and asyncio.get_running_loop().time() < until:
                    await asyncio.sleep(_ASK_AGAIN_SECONDS)
                    continue
                cursor = cast("str | None", page.get("next_cursor"))
                yield content, page["items"][-1]["account_id"] if cursor is not None else None
                if cursor is None:
                    return

    async def _read(self, client: httpx.AsyncClient, cursor: str | None) -> bytes:
        params: dict[str, str | int] = {"limit": ACCOUNTS_A_PAGE}
        if cursor is not None:
            params["cursor"] = cursor
        try:
            key = self._key_file.read_text(encoding="ascii").strip()
            with traces().span("GET", "client", attributes={"http.request.method": "GET"}) as span:
                headers = {"Authorization": f"Bearer {key}", **span.headers}
                answer = await client.get(f"{self._url}/v1/standing", params=params, headers=headers)
        except (OSError, UnicodeError, httpx.HTTPError) as problem:
            raise SchedulerAway(f"{self._url} does not answer ({type(problem).__name__})") from problem
        if not answer.is_success:
            raise SchedulerAway(f"{self._url} answers {answer.status_code}")
        return answer.content
