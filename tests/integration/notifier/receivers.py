"""Receivers for the tests: a mailer that keeps mails, an endpoint that keeps webhooks, services that have facts."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from services.notifier.application.mail_ports import Handover, Mail
from services.notifier.domain.delivery import AttemptOutcome, Response


class KeptMail:
    """A mailer that keeps its mails; `responses` are its next ones."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.responses: list[Response] = []

    async def send(self, mail: Mail, *, at: datetime, handover: Handover | None = None) -> Response:
        if handover is not None and not await handover.begin():
            return Response(AttemptOutcome.UNREACHED, "the mail was not handed over")
        self.mails.append(mail)
        response = self.responses.pop(0) if self.responses else Response(AttemptOutcome.DELIVERED, "250 kept")
        if handover is not None:
            await handover.end(response)
        return response


@dataclass
class Receiver:
    """An endpoint that keeps its requests and answers with `status`."""

    status: int = 204
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])
    server: TestServer = field(init=False)

    def __post_init__(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.answer)
        self.server = TestServer(app)

    async def answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((headers, await request.read()))
        return web.Response(status=self.status)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/hook"))


@dataclass
class Hanging:
    """An endpoint that answers nobody until it is released; `ended`: the requests that are over."""

    ended: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    server: TestServer = field(init=False)

    def __post_init__(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.answer)
        self.server = TestServer(app)

    async def answer(self, _: web.Request) -> web.Response:
        await self.released.wait()
        self.ended += 1
        return web.Response(status=204)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/hook"))


@dataclass
class Facts:
    """Answers for the rules engine and the scheduler on a real socket: by account, or with `status`."""

    figures: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    coming: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict[str, list[Mapping[str, Any]]])
    status: int = 200
    requests: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])
    server: TestServer = field(init=False)

    def __post_init__(self) -> None:
        app = web.Application()
        app.router.add_post("/v1/figures", self.answer_figures)
        app.router.add_post("/v1/coming", self.answer_coming)
        self.server = TestServer(app)

    async def answer_figures(self, request: web.Request) -> web.Response:
        wanted = await self._body(request)
        items = [
            {**self.figures.get(one["account_id"], {}), "account_id": one["account_id"]}
            for one in wanted["items"]
        ]
        return web.json_response({"items": items}, status=self.status)

    async def answer_coming(self, request: web.Request) -> web.Response:
        wanted = await self._body(request)
        items = [
            {"account_id": account_id, "touchpoints": self.coming.get(account_id, [])}
            for account_id in wanted["account_ids"]
        ]
        return web.json_response({"items": items}, status=self.status)

    async def _body(self, request: web.Request) -> Any:
        body = await request.json()
        self.requests.append((request.path, request.headers.get("Authorization", ""), body))
        return body

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")
