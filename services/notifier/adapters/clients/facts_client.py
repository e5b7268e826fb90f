"""Asks the rules engine for figures and the scheduler for what comes next, with the first key of the deployment."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import httpx
import orjson

from schemas.figures import MOST_WANTED, AccountFigures, FiguresFound, FiguresRequest, FiguresWanted
from schemas.problems import Malformed
from services.notifier.application.message_facts import ComingTouchpoint, NoAnswer

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 8.0
"""Real time for one answer, its retries included: a claim is leased for 90 s, in which its mail is sent too."""
COMING_DAYS, COMING_LIMIT = 60, 10


class FactsClient:
    """Implements the port `FactsSource`. `rules_engine` and `scheduler` are the addresses of the services."""

    def __init__(self, rules_engine: str, scheduler: str, key_file: Path) -> None:
        self._rules_engine, self._scheduler, self._key_file = rules_engine, scheduler, key_file
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._client = httpx.AsyncClient(timeout=timeout, trust_env=False, follow_redirects=False)

    async def close(self) -> None:
        await self._client.aclose()

    async def figures(self, requests: Sequence[FiguresRequest]) -> list[AccountFigures]:
        """The figures of each request, in order. Raises NoAnswer."""
        url, found = f"{self._rules_engine}/v1/figures", list[AccountFigures]()
        for start in range(0, len(requests), MOST_WANTED):
            batch = requests[start : start + MOST_WANTED]
            answer = await self._post(url, FiguresWanted.of_valid(items=tuple(batch)).write())
            try:
                items = FiguresFound.read(answer).items
            except Malformed as problem:
                raise NoAnswer(
                    f"the rules engine answers in a form that is not known: {problem}"
                ) from problem
            if len(items) != len(batch):
                raise NoAnswer(f"the rules engine answers {len(items)} of {len(batch)} accounts")
            found.extend(items)
        return found

    async def coming(self, account_ids: Sequence[str]) -> Mapping[str, Sequence[ComingTouchpoint]]:
        """The next touchpoints of each account, in order of time. Raises NoAnswer."""
        url, found = f"{self._scheduler}/v1/coming", dict[str, Sequence[ComingTouchpoint]]()
        for start in range(0, len(account_ids), MOST_WANTED):
            batch = list(account_ids[start : start + MOST_WANTED])
            body = {"account_ids": batch, "days": COMING_DAYS, "limit": COMING_LIMIT}
            answer = await self._post(url, orjson.dumps(body))
            try:
                found |= _coming(answer)
            except (ValueError, KeyError, TypeError) as problem:
                raise NoAnswer(f"the scheduler answers in a form that is not known: {problem!r}") from problem
        return found

    async def _post(self, url: str, body: bytes) -> bytes:
        try:
            key = self._key_file.read_text(encoding="ascii").strip()
            headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
            async with asyncio.timeout(ANSWER_SECONDS):
                response = await self._client.post(url, content=body, headers=headers)
        except (OSError, TimeoutError, UnicodeError, httpx.HTTPError, httpx.InvalidURL) as problem:
            raise NoAnswer(f"{url} does not answer ({type(problem).__name__})") from problem
        if not response.is_success:
            raise NoAnswer(f"{url} answers {response.status_code}")
        return response.content


def _coming(answer: bytes) -> dict[str, Sequence[ComingTouchpoint]]:
    document = cast("dict[str, Any]", orjson.loads(answer))
    return {
        str(item["account_id"]): tuple(ComingTouchpoint.read_item(row) for row in item["touchpoints"])
        for item in document["items"]
    }
