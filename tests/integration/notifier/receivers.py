"""Those who hear of it in the tests: a postbox that keeps mails, a tool that keeps webhooks."""

from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web
from aiohttp.test_utils import TestServer

from services.notifier.application.ports import Mail
from services.notifier.domain.delivery import Outcome, Receipt


class Postbox:
    """A mailer that keeps mails; the next answers may be chosen."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.answers: list[Receipt] = []

    async def send(self, mail: Mail, *, at: datetime) -> Receipt:
        self.mails.append(mail)
        return self.answers.pop(0) if self.answers else Receipt(Outcome.DELIVERED, "250 kept")


@dataclass
class Receiver:
    """Somebody's tool: keeps what it hears, answers what `status` says."""

    status: int = 204
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])
    server: TestServer = field(init=False)

    def __post_init__(self) -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.answer)
        self.server = TestServer(app)

    async def answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.heard.append((headers, await request.read()))
        return web.Response(status=self.status)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/hook"))
