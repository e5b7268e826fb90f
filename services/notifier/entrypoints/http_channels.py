"""How messages leave this deployment: whether the mail relay answers, and which channels are closed and why."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, Protocol

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Email
from services.chassis.ids import fresh
from services.chassis.web import require
from services.notifier.application.mail_ports import Mail
from services.notifier.domain.delivery import AttemptOutcome, Response
from services.notifier.domain.message import Message

CHECKED_FOR: Final = timedelta(seconds=20)
"""Real time for which the relay is not asked again."""
_SUBJECT: Final = "Drumbeat can send mail"
_TEXT: Final = "This is a test of the mail settings of Drumbeat. There is nothing to do."


@dataclass(frozen=True, slots=True)
class MailRoute:
    """`relay`: host and port; None: mail is stored on this machine and reaches nobody. `redirect_to`: gets all mail.

    `on_hold`: why customers get no mail although the relay takes it.
    """

    relay: str | None
    sender: str
    redirect_to: str | None
    on_hold: str | None


@dataclass(frozen=True, slots=True)
class Channels:
    """`problem`: why the mail relay takes no mail, with the remedy; None: it does, or there is none.

    `closed`: of text messages (sms), Slack and telephone tasks (call) those that do not work, with what is missing.
    """

    mail: MailRoute
    problem: str | None
    checked_at: datetime
    closed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TestMail:
    """What the mail server answered."""

    state: Literal["sent", "failed"]
    detail: str


class TestMailWanted(BaseModel):
    """The address that gets a test mail."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[Email, Field(description="who gets the test mail")]


class Mailer(Protocol):
    async def send(self, mail: Mail, *, at: datetime) -> Response: ...


@dataclass(slots=True)
class ChannelServices:
    """`find_problem`: why the relay takes no mail, None: it does; it takes some seconds at most."""

    mail: MailRoute
    closed: Mapping[str, str]
    find_problem: Callable[[], Awaitable[str | None]]
    mailer: Mailer
    real_now: Callable[[], datetime]
    _checking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _last: Channels | None = None

    async def check(self) -> Channels:
        """What the relay answered within the last seconds, whoever asked."""
        async with self._checking:
            now = self.real_now()
            if self._last is None or now - self._last.checked_at >= CHECKED_FOR:
                self._last = Channels(self.mail, await self.find_problem(), now, self.closed)
            return self._last


def channel_routes(services: ChannelServices) -> APIRouter:
    router = APIRouter(prefix="/v1/channels", tags=["channels"])

    @router.get("", dependencies=[require("read")], summary="How messages leave, and what keeps them from it")
    async def show() -> Channels:
        return await services.check()

    @router.post("/mail/test", dependencies=[require("act")], summary="Send a test mail")
    async def send_test(wanted: TestMailWanted) -> TestMail:
        """It goes the way of every mail: where all mail is redirected, this one is too."""
        message = Message(_SUBJECT, _TEXT, f"<p>{_TEXT}</p>")
        answer = await services.mailer.send(Mail(fresh(), wanted.to, message), at=services.real_now())
        is_sent = answer.outcome is AttemptOutcome.DELIVERED
        return TestMail("sent" if is_sent else "failed", answer.detail)

    return router
