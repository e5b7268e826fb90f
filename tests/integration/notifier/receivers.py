"""Receivers for the tests: a mailer that keeps mails, an endpoint that keeps webhooks."""

from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web
from aiohttp.test_utils import TestServer

from services.notifier.application.ports import Mail
from services.notifier.domain.delivery import AttemptOutcome, Response


class KeptMail:
    """A mailer that keeps its mails; `responses` are its next ones."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.responses: list[Response] = []

    async def send(self, mail: Mail, *, at: datetime) -> Response:
        self.mails.append(mail)
        return self.responses.pop(0) if self.responses else Response(AttemptOutcome.DELIVERED, "250 kept")


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
