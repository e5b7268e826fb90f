"""The person in front of a page: the session, who they are, and what they read and change through the APIs."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final, Literal
from urllib.parse import quote

from schemas.figures import MOST_WANTED
from schemas.zones import UnknownZone, find_zone
from services.chassis.clock import ServiceClock
from services.console.auth import Cookies
from services.console.client import Answer, AsyncApiClient, Query, Service
from services.console.json_fields import Json, items, nested, text, texts
from services.console.people import Person, people
from services.console.shared_reads import Read, SharedReads

_ACCOUNT_SECONDS: Final = 20.0  # real seconds for which a name or a telephone number is not read again
_PEOPLE_SECONDS: Final = 10.0
_COUNT_SECONDS: Final = 5.0
_CONCURRENT: Final = 8
ROLE_NAMES: Final = {"csm": "CSM", "manager": "manager", "ops": "ops", "admin": "admin"}


@dataclass(frozen=True, slots=True)
class Backend:
    """What all pages share."""

    apis: AsyncApiClient
    reads: SharedReads
    clock: ServiceClock
    cookies: Cookies


def known_zone(name: str) -> tzinfo | None:
    """None for "" and for a zone that is not known."""
    try:
        return find_zone(name) if name else None
    except UnknownZone:
        return None


class Reader:
    """One signed-in reader.

    `person_id`: who they chose to be, before that the person with the mail address of their user (`own_id`), else "";
    `browser_zone`: "" without a script. `key` names what sessions of one API key or one user read together; `token` is
    the session's own, with which it changes things. `scopes` are those of the key or the role, empty while the rules
    engine does not answer; `user` is empty for a key.
    """

    def __init__(
        self, backend: Backend, token: str, session: Json, person_id: str, browser_zone: str = ""
    ) -> None:
        self._backend, self.token, self.person_id = backend, token, person_id
        self.key = text(session, "key_id") or token
        self.user = nested(session, "user")
        self._key_name = text(session, "key_name") or text(session, "key_id")
        self.scopes = frozenset(texts(session, "scopes"))
        self.own_id = ""
        self._browser_zone = browser_zone

    async def find_own_person(self) -> None:
        """Link the user who has signed in to the person of ours with the same mail address."""
        address = text(self.user, "email").casefold()
        if address:
            found = (one.id for one in (await self.people()).values() if one.email.casefold() == address)
            self.own_id = next(found, "")
        self.person_id = self.person_id or self.own_id

    def shown_name(self) -> str:
        """`Kim Okafor, CSM` of a user, `key crm` of an API key; "" while the rules engine does not answer."""
        if not self.user:
            return f"key {self._key_name}" if self._key_name else ""
        role = text(self.user, "role")
        return f"{text(self.user, 'name')}, {ROLE_NAMES.get(role, role)}"

    def opens_on_own(self) -> bool:
        """Whether lists open on what is theirs: those of a CSM do."""
        return bool(self.own_id) and text(self.user, "role") == "csm"

    def now(self) -> datetime:
        return self._backend.clock.now()

    async def local_now(self) -> datetime:
        """Now in the zone of the person whom they chose to be, else in that of the browser, else in UTC."""
        for name in (await self.person_zone(), self._browser_zone):
            if (zone := known_zone(name)) is not None:
                return self.now().astimezone(zone)
        return self.now()

    async def person_zone(self) -> str:
        """The zone of the person whom they chose to be; "" where it is not known."""
        if not self.person_id:
            return ""
        person = (await self.people()).get(self.person_id)
        return person.timezone if person is not None and known_zone(person.timezone) is not None else ""

    async def actor(self) -> Json:
        """Who acts, for the body of an act that others are told of: nobody is told of their own. Empty if unknown.

        A user acts as the person whom they are, whomever they look at.
        """
        acting = self.own_id if self.user else self.person_id
        return {"actor_id": acting} if acting in await self.people() else {}

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

    async def put(self, service: Service, path: str, body: Json) -> Answer:
        """Replace something; the next read of anything is a new one."""
        answer = await self._backend.apis.send("PUT", self.token, service, path, body)
        self._backend.reads.forget(self.key)
        return answer

    async def send(self, method: Literal["POST", "PUT", "DELETE"], service: Service, path: str) -> Answer:
        """Change something without a body; the next read of anything is a new one."""
        answer = await self._backend.apis.send(method, self.token, service, path)
        self._backend.reads.forget(self.key)
        return answer

    async def upload(
        self, service: Service, path: str, content: bytes, media_type: str, query: Query | None = None
    ) -> Answer:
        """Send a body that is no JSON document; the next read of anything is a new one."""
        answer = await self._backend.apis.upload(self.token, service, path, content, media_type, query)
        self._backend.reads.forget(self.key)
        return answer

    async def mode(self) -> str:
        read = await self.read("rules_engine", "/v1/mode", max_age=5.0)
        return text(read.document or {}, "mode")

    async def pending_drafts(self) -> Json:
        """How many messages wait for an approval, as the notifier counts them."""
        query: Query = {"state": "pending", "limit": 1}
        return (await self.read("notifier", "/v1/drafts", query, max_age=_COUNT_SECONDS)).document or {}

    async def people(self) -> Mapping[str, Person]:
        """Everybody of ours who is known, by id."""
        read = await self.read("notifier", "/v1/people", {"limit": 500}, max_age=_PEOPLE_SECONDS)
        return people(items(read.document or {}))

    async def figures(self, account_ids: Iterable[str]) -> tuple[dict[str, Json], str]:
        """The figures of these accounts by id, asked for a hundred at a time, and why some are missing ("": none is)."""
        wanted = sorted(set(filter(None, account_ids)))
        batches = [wanted[start : start + MOST_WANTED] for start in range(0, len(wanted), MOST_WANTED)]

        async def ask(batch: list[str]) -> Read:
            body: Json = {"items": [{"account_id": account_id} for account_id in batch]}
            return await self._backend.reads.ask(
                self.key, "rules_engine", "/v1/figures", body, max_age=_ACCOUNT_SECONDS
            )

        reads = await asyncio.gather(*map(ask, batches))
        found = [item for read in reads for item in items(read.document or {})]
        error = next((read.error for read in reads if read.error), "")
        return {text(item, "account_id"): item for item in found}, error

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
