"""Questions to the three HTTP APIs with the key of whoever asks; trouble is an answer in plain words."""

from dataclasses import dataclass
from typing import Final, cast

import httpx

from services.chassis.settings import Settings
from services.console.calls import Service
from services.console.reading import Json

PATIENCE: Final = 5.0  # real seconds
NAMES: Final[dict[Service, str]] = {
    "rules_engine": "The rules engine",
    "scheduler": "The scheduler",
    "notifier": "The notifier",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no answer. `status` is the HTTP status, None when nothing answered."""

    service: Service
    status: int | None
    text: str


Answer = Json | Trouble
Query = dict[str, str | int | list[str]]


class Apis:
    """The APIs of one deployment. One pool of connections; the key comes with each question."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._client = httpx.AsyncClient(timeout=PATIENCE, transport=transport, trust_env=False)

    async def get(self, key: str, service: Service, path: str, query: Query | None = None) -> Answer:
        """The JSON document at `path`, or the trouble that was met."""
        address = self._settings.url_of(service)
        try:
            answer = await self._client.get(
                f"{address}{path}", params=query, headers={"Authorization": f"Bearer {key}"}
            )
        except httpx.TimeoutException:
            return Trouble(service, None, f"{NAMES[service]} did not answer within {PATIENCE:.0f} seconds.")
        except (httpx.HTTPError, UnicodeError):
            return Trouble(service, None, f"{NAMES[service]} does not answer at {address}.")
        if answer.is_success:
            return _document(answer)
        return Trouble(service, answer.status_code, _refusal(service, answer))

    async def close(self) -> None:
        await self._client.aclose()


def _document(answer: httpx.Response) -> Json:
    try:
        found: object = answer.json()
    except ValueError:
        return {}
    return cast("Json", found) if isinstance(found, dict) else {}


def _refusal(service: Service, answer: httpx.Response) -> str:
    name = NAMES[service]
    detail = str(_document(answer).get("detail") or "no reason given")[:300]
    match answer.status_code:
        case 401:
            return f"{name} does not accept this key. Sign out, and in again with one that is valid."
        case 403:
            return f"This key may not read from {name[0].lower()}{name[1:]}: it lacks the scope “read”."
        case 404:
            return detail
        case 429 | 503:
            return f"{name} is not available just now: {detail}"
        case status:
            return f"{name} answered {status}: {detail}"
