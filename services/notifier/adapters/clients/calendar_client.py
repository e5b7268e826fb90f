"""Reads the scheduler's calendar and acts on it over HTTP."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, cast
from urllib.parse import quote

import httpx
import orjson

from schemas.problems import Malformed
from schemas.schedule import AccountSchedule
from schemas.times import format_instant
from schemas.touchpoints import TouchpointData
from services.notifier.adapters.clients.service_client import ServiceAway, ServiceClient
from services.notifier.application.calendar import CalendarAway, CalendarEntry, Refusal, TooManyFeeds

MOST_PAGES: Final = 10
PAGE: Final = 500
OPEN: Final = ("planned", "due")
RENAMED: Final = {"id": "touchpoint_id", "type": "touchpoint_type"}


class CalendarClient:
    """Implements the ports `Calendar` and `AccountCalendar`. `scheduler` is the address of the service."""

    def __init__(self, scheduler: str, client: ServiceClient) -> None:
        self._scheduler, self._client = scheduler, client

    async def day_of(self, csm_id: str, start: datetime, end: datetime) -> Sequence[TouchpointData]:
        """What the person has planned or due from `start` up to, not including, `end`. Raises CalendarAway."""
        found: list[TouchpointData] = []
        params: dict[str, str | list[str]] = {
            "csm_id": csm_id,
            "from": format_instant(start),
            "to": format_instant(end),
            "status": list(OPEN),
            "limit": str(PAGE),
        }
        for _ in range(MOST_PAGES):
            page = await self._json("GET", "/v1/touchpoints", params=params)
            found += [read_entry(row).data for row in page.get("items", ())]
            if not page.get("next_cursor"):
                break
            params["cursor"] = str(page["next_cursor"])
        return found

    async def next_of(self, account_id: str, touchpoint_type: str) -> TouchpointData | None:
        """The first of this type that the account has open or planned, None: none. Raises CalendarAway."""
        params = {
            "account_id": account_id,
            "type": touchpoint_type,
            "status": [*OPEN, "overdue"],
            "limit": "1",
        }
        page = await self._json("GET", "/v1/touchpoints", params=params)
        return next((read_entry(row).data for row in page.get("items", ())), None)

    async def find(self, touchpoint_id: str) -> CalendarEntry | None:
        """None when there is no such touchpoint. Raises CalendarAway."""
        response = await self._send("GET", f"/v1/touchpoints/{quote(touchpoint_id, safe='')}")
        return None if response.status_code == 404 else read_entry(_document(response))

    async def act(self, touchpoint_id: str, act: str, body: Mapping[str, object]) -> CalendarEntry | Refusal:
        """`act` is the last part of the scheduler's path, such as `settle`. Raises CalendarAway."""
        path = f"/v1/touchpoints/{quote(touchpoint_id, safe='')}/{act}"
        response = await self._send("POST", path, content=orjson.dumps(body))
        if response.status_code in (404, 409, 422):
            return Refusal(_problem(response), is_stale=response.status_code == 409)
        return read_entry(_document(response))

    async def schedule_of(self, account_id: str) -> AccountSchedule:
        """What the account has before it within a year. Raises CalendarAway."""
        response = await self._send("GET", "/v1/schedule", params={"account_id": account_id})
        _document(response)
        try:
            return AccountSchedule.read(response.content)
        except Malformed as problem:
            raise CalendarAway(f"the scheduler answers in a form that is not known: {problem}") from problem

    async def make_feed(self, account_id: str) -> str:
        """The secret address of the account's calendar as a feed. Raises CalendarAway and TooManyFeeds."""
        body = orjson.dumps({"account_id": account_id})
        response = await self._send("POST", "/v1/calendars", content=body)
        if response.status_code == 409:
            raise TooManyFeeds(_problem(response))
        url = _document(response).get("url")
        if not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise CalendarAway("the scheduler's answer names no address of a feed")
        return url

    async def _json(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        return _document(await self._send(method, path, **request))

    async def _send(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            return await self._client.request(method, f"{self._scheduler}{path}", **request)
        except ServiceAway as problem:
            raise CalendarAway(str(problem)) from problem


def _document(response: httpx.Response) -> dict[str, Any]:
    """Raises CalendarAway."""
    if not response.is_success:
        raise CalendarAway(f"the scheduler answers {response.status_code}")
    try:
        document: object = orjson.loads(response.content)
    except ValueError as problem:
        raise CalendarAway(f"the scheduler's answer is no JSON ({problem})") from problem
    if not isinstance(document, dict):
        raise CalendarAway("the scheduler's answer is no object")
    return cast("dict[str, Any]", document)


def _problem(response: httpx.Response) -> str:
    try:
        document: object = orjson.loads(response.content)
    except ValueError:
        document = None
    fields = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    return str(fields.get("detail") or fields.get("title") or response.status_code)


def read_entry(row: Mapping[str, Any]) -> CalendarEntry:
    """An item of the scheduler's lists, with the data of its events. Raises CalendarAway."""
    fields = {RENAMED.get(name, name): value for name, value in row.items()}
    note = fields.get("note")
    outcome = cast("dict[str, Any]", fields.get("outcome") or {})
    try:
        data = TouchpointData.read(orjson.dumps(fields))
    except (Malformed, TypeError) as problem:
        raise CalendarAway(f"the scheduler answers in a form that is not known: {problem}") from problem
    return CalendarEntry(data, outcome.get("outcome"), note)
