"""Clients of the three HTTP APIs: a blocking one for the terminal, an asynchronous one for the pages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal, Self, cast, get_args

import httpx

from services.chassis.clock import real_now
from services.chassis.settings import Settings, load_settings
from services.chassis.tracing import traces
from services.console.json_fields import Json, items, nested, text, texts
from services.console.key_file import KeyFileUnusable, read_key
from services.console.posted_events import PostedEvents, read_posted
from services.console.refusal_text import refusal_text

Service = Literal["rules_engine", "scheduler", "notifier"]
SERVICES: Final[tuple[Service, ...]] = get_args(Service)
NAMES: Final[dict[Service, str]] = {
    "rules_engine": "The rules engine",
    "scheduler": "The scheduler",
    "notifier": "The notifier",
}
TERMINAL_TIMEOUT_SECONDS: Final = 30.0
TABLE_TIMEOUT_SECONDS: Final = 600.0  # a table is read whole, and what comes of it is simulated twice
ITEM_BY_ITEM: Final = frozenset({"results", "refused"})
"""Members of errors that say what became of each item: they are no failure of the call."""
READ_TIMEOUT_SECONDS: Final = 5.0
EVENTS_TIMEOUT_SECONDS: Final = 60.0  # each 500 events of a request may wait for the broker
WRITE_TIMEOUT_SECONDS: Final = 60.0  # a policy is checked against every account before it is accepted


class CallFailed(Exception):
    """A service refused a request; the message names the service and its reason. `status`: None without an answer."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(CallFailed):
    """A service does not answer, or there is no key to call it with."""


@dataclass(frozen=True, slots=True)
class Health:
    """Readiness of a service. `reason`: what it waits for; `warnings`: what to repair although it works.

    `halted`: `topic/partition` -> why nothing more of it is read.
    """

    status: int | None
    reason: str = ""
    warnings: tuple[str, ...] = ()
    halted: Mapping[str, str] = field(default_factory=dict[str, str])


class ApiClient:
    """Calls the APIs with the key of the data directory; an error is an exception."""

    def __init__(self, settings: Settings, timeout_seconds: float = TERMINAL_TIMEOUT_SECONDS) -> None:
        """`timeout_seconds`: until an answer. Raises `Unreachable` when the key file cannot be read."""
        try:
            key = read_key(settings.key_file)
        except KeyFileUnusable as problem:
            raise Unreachable(str(problem)) from problem
        self._settings = settings
        self._client = httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=timeout_seconds)

    def address_of(self, service: Service) -> str:
        return self._settings.url_of(service)

    def get(self, service: Service, path: str, **query: str | int | list[str] | None) -> Json:
        """The JSON document at `path`. Raises `CallFailed`."""
        params = {name: value for name, value in query.items() if value is not None}
        return self._request("GET", service, path, params=params)

    def list_all(self, service: Service, path: str) -> Iterator[Json]:
        """Every item of a list, page by page. Raises `CallFailed`."""
        page = self.get(service, path, limit=500)
        yield from items(page)
        while cursor := page.get("next_cursor"):
            page = self.get(service, path, limit=500, cursor=str(cursor))
            yield from items(page)

    def send(
        self,
        method: Literal["POST", "PUT", "DELETE"],
        service: Service,
        path: str,
        body: Json | None = None,
        *,
        seconds: float = TERMINAL_TIMEOUT_SECONDS,
    ) -> Json:
        """The answer to a request with a JSON body, within `seconds`. Raises `CallFailed`."""
        return self._request(method, service, path, json=body, timeout=seconds)

    def post_events(self, content: bytes, media_type: str) -> list[Json]:
        """The result of each event, also where none was accepted. Raises `CallFailed`."""
        headers = {"Content-Type": media_type}
        return items(
            self._request("POST", "rules_engine", "/v1/events", content=content, headers=headers), "results"
        )

    def offer_events(self, content: bytes, media_type: str) -> PostedEvents:
        """What the rules engine answers, whatever it is. Raises `Unreachable`."""
        headers = {"Content-Type": media_type}
        options: dict[str, Any] = {"content": content, "headers": headers, "timeout": EVENTS_TIMEOUT_SECONDS}
        response = self._respond("POST", "rules_engine", "/v1/events", **options)
        retry_after = response.headers.get("Retry-After")
        return read_posted(response.status_code, _document(response), retry_after, real_now())

    def post_table(self, content: bytes, query: Mapping[str, str | None]) -> Json:
        """The answer of an import, also where no row was accepted. Raises `CallFailed`."""
        params = {name: value for name, value in query.items() if value is not None}
        headers = {"Content-Type": "text/csv"}
        options = {"params": params, "headers": headers, "timeout": TABLE_TIMEOUT_SECONDS}
        return self._request("POST", "rules_engine", "/v1/imports", content=content, **options)

    def download(self, service: Service, path: str) -> Iterator[bytes]:
        """The body of an answer in pieces. Raises `CallFailed`."""
        address = self._settings.url_of(service)
        try:
            with self._client.stream("GET", f"{address}{path}", timeout=TABLE_TIMEOUT_SECONDS) as response:
                if response.is_error:
                    response.read()
                    raise _failed(service, response)
                yield from response.iter_bytes()
        except httpx.HTTPError as error:
            raise _unreachable(service, address, error) from error

    def read_health(self, service: Service) -> Health:
        """What `/readyz` answers; no status when the service does not answer."""
        try:
            response = self._client.get(f"{self._settings.url_of(service)}/readyz", timeout=3)
        except httpx.HTTPError:
            return Health(None)
        document = _document(response)
        halted = {name: str(reason) for name, reason in nested(document, "halted").items()}
        warnings = tuple(texts(document, "warnings"))
        return Health(response.status_code, text(document, "detail"), warnings, halted)

    def _request(self, method: str, service: Service, path: str, **options: Any) -> Json:
        response = self._respond(method, service, path, **options)
        document = _document(response)
        if response.is_error and document.keys().isdisjoint(ITEM_BY_ITEM):
            raise _failed(service, response)
        return document

    def _respond(self, method: str, service: Service, path: str, **options: Any) -> httpx.Response:
        address = self._settings.url_of(service)
        try:
            return self._client.request(method, f"{address}{path}", **options)
        except httpx.HTTPError as error:
            raise _unreachable(service, address, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


def _unreachable(service: Service, address: str, error: httpx.HTTPError) -> Unreachable:
    return Unreachable(
        f"{NAMES[service]} does not answer at {address} ({error}). Is `drumbeat run` running, on the ports of these"
        f" settings?"
    )


def _failed(service: Service, response: httpx.Response) -> CallFailed:
    document = _document(response)
    reason = document.get("detail") or document.get("title") or "no reason given"
    return CallFailed(f"{NAMES[service]} answered {response.status_code}: {reason}", response.status_code)


def connect() -> ApiClient:
    """A client with the settings of this process. Raises `SettingsRejected` and `Unreachable`."""
    return ApiClient(load_settings())


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a page got no answer. `status`: HTTP status, None without a response; `document`: its body."""

    status: int | None
    text: str
    document: Json = field(default_factory=dict[str, object])


Answer = Json | Failure
Query = dict[str, str | int | list[str]]


class AsyncApiClient:
    """Calls the APIs for each reader over one pool of connections; an error is a `Failure`.

    `key` is a token or an API key, "" for a call that needs none, or the id of a key or a user for which `use` named the
    token of a session: equal reads of several sessions of one key are then made once.
    """

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._client = httpx.AsyncClient(timeout=READ_TIMEOUT_SECONDS, transport=transport, trust_env=False)
        self._tokens: dict[str, str] = {}

    def use(self, key_id: str, token: str) -> None:
        """Read with this token, which was just found valid, where `key` is this id."""
        self._tokens[key_id] = token

    async def get(
        self, key: str, service: Service, path: str, query: Query | None = None, seconds: float | None = None
    ) -> Answer:
        """`seconds`: until an answer, where they are more than for a page."""
        timeout = seconds or READ_TIMEOUT_SECONDS
        return await self._request("GET", service, path, key=key, params=query, timeout=timeout)

    async def ask(self, key: str, service: Service, path: str, body: Json) -> Answer:
        """A POST that changes nothing: its question is too long for an address."""
        return await self._request("POST", service, path, key=key, json=body, reading=True)

    async def send(
        self,
        method: Literal["POST", "PUT", "DELETE"],
        key: str,
        service: Service,
        path: str,
        body: Json | None = None,
    ) -> Answer:
        return await self._request(method, service, path, key=key, json=body, timeout=WRITE_TIMEOUT_SECONDS)

    async def upload(
        self,
        key: str,
        service: Service,
        path: str,
        content: bytes,
        media_type: str,
        query: Query | None = None,
    ) -> Answer:
        """The answer to a POST of a body that is no JSON document."""
        media = {"Content-Type": media_type}
        options: dict[str, Any] = {"content": content, "params": query, "timeout": WRITE_TIMEOUT_SECONDS}
        return await self._request("POST", service, path, key=key, media=media, **options)

    async def _request(
        self,
        method: str,
        service: Service,
        path: str,
        *,
        key: str,
        reading: bool = False,
        media: Mapping[str, str] = MappingProxyType({}),
        **options: Any,
    ) -> Answer:
        name, address = NAMES[service], self._settings.url_of(service)
        proof = {"Authorization": f"Bearer {self._tokens.get(key, key)}"} if key else {}
        headers = {**proof, **media}
        timeout: float = options.get("timeout", READ_TIMEOUT_SECONDS)
        try:
            with traces().span(method, "client", attributes={"http.request.method": method}) as span:
                headers |= span.headers
                response = await self._client.request(method, f"{address}{path}", headers=headers, **options)
                span.note({"http.response.status_code": response.status_code})
        except httpx.TimeoutException:
            return Failure(None, f"{name} did not answer within {timeout:.0f} seconds.")
        except (httpx.HTTPError, UnicodeError):
            return Failure(None, f"{name} does not answer at {address}.")
        document, status = _document(response), response.status_code
        if response.is_success:
            return document
        detail = str(document.get("detail") or "no reason given")[:300]
        return Failure(
            status, refusal_text(name, status, detail, reading=reading or method == "GET"), document
        )

    async def close(self) -> None:
        await self._client.aclose()


def _document(response: httpx.Response) -> Json:
    """The JSON object of a response; empty for any other body."""
    try:
        body: object = response.json()
    except ValueError:
        return {}
    return cast("Json", body) if isinstance(body, dict) else {}
