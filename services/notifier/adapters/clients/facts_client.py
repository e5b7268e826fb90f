"""Asks the rules engine for figures and the scheduler for what comes next."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson

from schemas.figures import MOST_WANTED, AccountFigures, FiguresFound, FiguresRequest, FiguresWanted
from schemas.problems import Malformed
from services.notifier.adapters.clients.service_client import ServiceAway, ServiceClient
from services.notifier.application.message_facts import ComingTouchpoint, NoAnswer

COMING_DAYS, COMING_LIMIT = 60, 20


class FactsClient:
    """Implements the port `FactsSource`. `rules_engine` and `scheduler` are the addresses of the services."""

    def __init__(self, rules_engine: str, scheduler: str, client: ServiceClient) -> None:
        self._rules_engine, self._scheduler, self._client = rules_engine, scheduler, client

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
            response = await self._client.request("POST", url, content=body)
        except ServiceAway as problem:
            raise NoAnswer(str(problem)) from problem
        if not response.is_success:
            raise NoAnswer(f"{url} answers {response.status_code}")
        return response.content


def _coming(answer: bytes) -> dict[str, Sequence[ComingTouchpoint]]:
    document = cast("dict[str, Any]", orjson.loads(answer))
    return {
        str(item["account_id"]): tuple(ComingTouchpoint.read_item(row) for row in item["touchpoints"])
        for item in document["items"]
    }
