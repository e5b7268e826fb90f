"""The scheduler's paths that the notifier calls, on a real socket: touchpoints that a test sets, and acts on them."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from schemas.times import parse_instant

SETTLES = {"settle": "settled", "cancel": "cancelled"}


@dataclass
class CalendarServer:
    """Touchpoints by id. `status` other than 200: that is the answer to everything."""

    touchpoints: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    acts: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    feeds: list[str] = field(default_factory=list[str])
    feed_url: str = "https://drumbeat.example/calendars/secret.ics"
    status: int = 200
    server: TestServer = field(init=False)

    def __post_init__(self) -> None:
        app = web.Application()
        app.router.add_get("/v1/touchpoints", self.list_touchpoints)
        app.router.add_get("/v1/touchpoints/{id}", self.find)
        app.router.add_post("/v1/touchpoints/{id}/{act}", self.act)
        app.router.add_get("/v1/schedule", self.schedule_of)
        app.router.add_post("/v1/calendars", self.make_feed)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    def add(self, data: dict[str, Any]) -> None:
        """A touchpoint, from the data of its events."""
        touchpoint_id = str(data["touchpoint_id"])
        more = {"id": touchpoint_id, "type": data["touchpoint_type"], "outcome": None}
        self.touchpoints[touchpoint_id] = {**data, **more}

    async def list_touchpoints(self, request: web.Request) -> web.Response:
        if "account_id" in request.query:
            wanted = (request.query["account_id"], request.query["type"])
            found = [
                item for item in self.touchpoints.values() if (item["account_id"], item["type"]) == wanted
            ]
            return web.json_response({"items": found[:1], "next_cursor": None}, status=self.status)
        start, end = (parse_instant(request.query[name]) for name in ("from", "to"))
        items = [
            item
            for item in self.touchpoints.values()
            if item["owner"]["csm_id"] == request.query["csm_id"]
            and item["status"] in request.query.getall("status")
            and start <= parse_instant(item["due_at"]) < end
        ]
        return web.json_response({"items": items, "next_cursor": None}, status=self.status)

    async def schedule_of(self, request: web.Request) -> web.Response:
        account_id = request.query["account_id"]
        return web.json_response(
            {"account_id": account_id, **self.schedules.get(account_id, {})}, status=self.status
        )

    async def make_feed(self, request: web.Request) -> web.Response:
        self.feeds.append((await request.json())["account_id"])
        status = 409 if len(self.feeds) > 2 else self.status
        return web.json_response({"token": "secret", "url": self.feed_url}, status=status)

    async def find(self, request: web.Request) -> web.Response:
        item = self.touchpoints.get(request.match_info["id"])
        if item is None:
            return web.json_response({"detail": "There is no touchpoint."}, status=404)
        return web.json_response(item, status=self.status)

    async def act(self, request: web.Request) -> web.Response:
        item, act = self.touchpoints[request.match_info["id"]], request.match_info["act"]
        body = await request.json()
        if body["version"] != item["sequence"]:
            return web.json_response({"detail": "It is at another version."}, status=409)
        self.acts.append((item["id"], act, body))
        item["sequence"] += 1
        item["status"] = SETTLES.get(act, "due")
        item["outcome"] = {"outcome": body["outcome"]} if act == "settle" else None
        item["owner"] = {**item["owner"], "csm_id": body.get("csm_id", item["owner"]["csm_id"])}
        return web.json_response(item, status=self.status)
