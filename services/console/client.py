"""Questions to the three HTTP APIs with the key of whoever asks; trouble is an answer in plain words."""

from dataclasses import dataclass, field
from typing import Any, Final, cast

import httpx

from services.chassis.settings import Settings
from services.console.calls import Service
from services.console.json_fields import Json

PATIENCE: Final = 5.0  # real seconds
LONG_PATIENCE: Final = 60.0
NAMES: Final[dict[Service, str]] = {
    "rules_engine": "The rules engine",
    "scheduler": "The scheduler",
    "notifier": "The notifier",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no answer. `status` is the HTTP status, None when nothing answered; `document` what it came with."""

    service: Service
    status: int | None
    text: str
    document: Json = field(default_factory=dict[str, object])


Answer = Json | Trouble
Query = dict[str, str | int | list[str]]


class Apis:
    """The APIs of one deployment. One pool of connections; the key comes with each question."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._client = httpx.AsyncClient(timeout=PATIENCE, transport=transport, trust_env=False)

    async def get(self, key: str, service: Service, path: str, query: Query | None = None) -> Answer:
        """The JSON document at `path`, or the trouble that was met."""
        return await self._call(service, "GET", path, key=key, params=query)

    async def post(self, key: str, service: Service, path: str, body: Json) -> Answer:
        """What came of posting `body`, within more time: it may be looked at thoroughly."""
        return await self._call(service, "POST", path, key=key, json=body, timeout=LONG_PATIENCE)

    async def put(self, key: str, service: Service, path: str, body: Json) -> Answer:
        return await self._call(service, "PUT", path, key=key, json=body, timeout=LONG_PATIENCE)

    async def _call(self, service: Service, method: str, path: str, *, key: str, **more: Any) -> Answer:
        address = self._settings.url_of(service)
        headers = {"Authorization": f"Bearer {key}"}
        patience: float = more.get("timeout", PATIENCE)
        try:
            answer = await self._client.request(method, f"{address}{path}", headers=headers, **more)
        except httpx.TimeoutException:
            return Trouble(service, None, f"{NAMES[service]} did not answer within {patience:.0f} seconds.")
        except (httpx.HTTPError, UnicodeError):
            return Trouble(service, None, f"{NAMES[service]} does not answer at {address}.")
        if answer.is_success:
            return _document(answer)
        return Trouble(service, answer.status_code, _refusal(service, answer, method), _document(answer))

    async def close(self) -> None:
        await self._client.aclose()


def _document(answer: httpx.Response) -> Json:
    try:
        found: object = answer.json()
    except ValueError:
        return {}
    return cast("Json", found) if isinstance(found, dict) else {}


def _refusal(service: Service, answer: httpx.Response, method: str) -> str:
    name = NAMES[service]
    detail = str(_document(answer).get("detail") or "no reason given")[:300]
    match answer.status_code:
        case 401:
            return f"{name} does not accept this key. Sign out, and in again with one that is valid."
        case 403 if method != "GET":
            return f"This key may not do this: {detail}"
        case 403:
            return f"This key may not read from {name[0].lower()}{name[1:]}: it lacks the scope “read”."
        case 404:
            return detail
        case 429 | 503:
            return f"{name} is not available just now: {detail}"
        case status:
            return f"{name} answered {status}: {detail}"
