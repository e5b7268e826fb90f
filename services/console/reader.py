"""The person in front of a page: the session, who they are, and what they read and change through the APIs."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from urllib.parse import quote

from services.chassis.clock import ServiceClock
from services.console.auth import Cookies
from services.console.client import Answer, AsyncApiClient, Query, Service
from services.console.json_fields import Json, items, text, texts
from services.console.people import Person, people
from services.console.shared_reads import Read, SharedReads

_ACCOUNT_SECONDS: Final = 20.0  # real seconds for which a name or a telephone number is not read again
_PEOPLE_SECONDS: Final = 10.0
_CONCURRENT: Final = 8


@dataclass(frozen=True, slots=True)
class Backend:
    """What all pages share."""

    apis: AsyncApiClient
    reads: SharedReads
    clock: ServiceClock
    cookies: Cookies


class Reader:
    """One signed-in reader. `person_id`: who they chose to be, "" before they chose.

    `key` names what sessions of one API key read together; `token` is the session's own, with which it changes things.
    `scopes` are those of the key, empty while the rules engine does not answer.
    """

    def __init__(self, backend: Backend, token: str, session: Json, person_id: str) -> None:
        self._backend, self.token, self.person_id = backend, token, person_id
        self.key = text(session, "key_id") or token
        self.scopes = frozenset(texts(session, "scopes"))

    def now(self) -> datetime:
        return self._backend.clock.now()

    @property
    def clock(self) -> ServiceClock:
        return self._backend.clock

    @property
    def apis(self) -> AsyncApiClient:
        return self._backend.apis

    async def read(
        self, service: Service, path: str, query: Query | None = None, *, max_age: float = 1.0
    ) -> Read:
        """The answer of a GET, which other readers with the same key share."""
        return await self._backend.reads.read(self.key, service, path, query, max_age=max_age)

    async def post(self, service: Service, path: str, body: Json) -> Answer:
        """Change something; the next read of anything is a new one."""
        answer = await self._backend.apis.send("POST", self.token, service, path, body)
        self._backend.reads.forget(self.key)
        return answer

    async def send(self, method: Literal["POST", "PUT", "DELETE"], service: Service, path: str) -> Answer:
        """Change something without a body; the next read of anything is a new one."""
        answer = await self._backend.apis.send(method, self.token, service, path)
        self._backend.reads.forget(self.key)
        return answer

    async def mode(self) -> str:
        read = await self.read("rules_engine", "/v1/mode", max_age=5.0)
        return text(read.document or {}, "mode")

    async def people(self) -> Mapping[str, Person]:
        """Everybody of ours who is known, by id."""
        read = await self.read("notifier", "/v1/people", {"limit": 500}, max_age=_PEOPLE_SECONDS)
        return people(items(read.document or {}))

    async def accounts(self, account_ids: Iterable[str]) -> dict[str, Json]:
        """The documents of these accounts, by id; those that cannot be read are left out."""
        gate = asyncio.Semaphore(_CONCURRENT)

        async def one(account_id: str) -> Read:
            async with gate:
                path = f"/v1/accounts/{quote(account_id, safe='')}"
                return await self.read("rules_engine", path, max_age=_ACCOUNT_SECONDS)

        wanted = list(dict.fromkeys(filter(None, account_ids)))
        found = await asyncio.gather(*map(one, wanted))
        return {
            account_id: read.document
            for account_id, read in zip(wanted, found, strict=True)
            if read.document is not None
        }
