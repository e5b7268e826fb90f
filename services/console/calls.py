"""Calls from the terminal to the HTTP APIs, with the key of the data directory; trouble becomes one sentence."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, Self, cast, get_args

import httpx
import typer

from services.chassis.settings import Settings, SettingsRejected, load_settings

Service = Literal["rules_engine", "scheduler", "notifier"]
APIS: Final[tuple[Service, ...]] = get_args(Service)
Json = dict[str, object]


class CallFailed(Exception):
    """The answer was a refusal, or none came; the message says from where and what to do."""


def settings() -> Settings:
    """The settings of this command; wrong ones are wrong use."""
    try:
        return load_settings()
    except SettingsRejected as wrong:
        raise typer.BadParameter(str(wrong)) from wrong


class Api:
    """The three APIs of one deployment."""

    def __init__(self, settings: Settings) -> None:
        try:
            key = settings.key_file.read_text().strip()
        except OSError as trouble:
            raise CallFailed(
                f"There is no API key to read at {settings.key_file} ({trouble.strerror}): start `drumbeat run` "
                f"on this data directory, or name a key with DRUMBEAT_API_KEY_FILE."
            ) from trouble
        self._settings = settings
        self._client = httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=30)

    def get(self, service: Service, path: str, **query: str | int | None) -> Json:
        """The JSON document at `path`; `CallFailed` when it is not to be had."""
        wanted = {name: value for name, value in query.items() if value is not None}
        return self._call(service, "GET", path, params=wanted)

    def post(
        self, service: Service, path: str, content: bytes = b"", media_type: str = "application/json"
    ) -> Json:
        """The JSON answer to a POST."""
        return self._call(service, "POST", path, content=content, headers={"Content-Type": media_type})

    def put(self, service: Service, path: str, content: bytes) -> Json:
        """The JSON answer to a PUT."""
        return self._call(service, "PUT", path, content=content, headers={"Content-Type": "application/json"})

    def delete(self, service: Service, path: str) -> Json:
        """The JSON answer to a DELETE."""
        return self._call(service, "DELETE", path)

    def every(self, service: Service, path: str) -> Iterator[Json]:
        """Every item of a list, page after page."""
        cursor: str | None = None
        while True:
            page = self.get(service, path, limit=500, cursor=cursor)
            yield from cast("list[Json]", page.get("items") or [])
            cursor = cast("str | None", page.get("next_cursor"))
            if cursor is None:
                return

    def reachable(self, service: Service) -> int | None:
        """The status of `/readyz`; None when nothing answers."""
        try:
            return self._client.get(f"{self._settings.url_of(service)}/readyz", timeout=3).status_code
        except httpx.HTTPError:
            return None

    def _call(
        self,
        service: Service,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        url = f"{self._settings.url_of(service)}{path}"
        try:
            answer = self._client.request(method, url, params=params, content=content, headers=headers)
        except httpx.HTTPError as trouble:
            raise CallFailed(
                f"{service} does not answer at {self._settings.url_of(service)} ({trouble}): is `drumbeat run` "
                f"up, and on the ports of these settings?"
            ) from trouble
        document = _document(answer)
        if answer.is_error and "results" not in document:
            raise CallFailed(_refusal(service, answer.status_code, document))
        return document

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


def _document(answer: httpx.Response) -> Json:
    try:
        found: object = answer.json()
    except ValueError:
        return {"detail": answer.text[:500]}
    return cast("Json", found) if isinstance(found, dict) else {"items": found}


def _refusal(service: str, status: int, problem: Json) -> str:
    reason = problem.get("detail") or problem.get("title") or "no reason given"
    return f"{service} answered {status}: {reason}"
