"""Preview and test send: a message as it would be written now, for one account and language."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from schemas.base import Email, Id, Language, Name
from schemas.vocabulary import Reader
from services.chassis.ids import fresh
from services.chassis.problems import Problem
from services.chassis.web import require
from services.notifier.application.mail_ports import Mail
from services.notifier.application.ports import Now
from services.notifier.application.preview import (
    FactsMissing,
    NotFound,
    Preview,
    PreviewRequest,
    PreviewSources,
    preview_customer_message,
    without_test_mark,
)
from services.notifier.application.preview_invitation import preview_invitation
from services.notifier.application.preview_owner_mail import preview_owner_mail
from services.notifier.domain.delivery import AttemptOutcome
from services.notifier.domain.invitation import INVITATION
from services.notifier.domain.message import Message


@dataclass(frozen=True, slots=True)
class PreviewServices:
    """What previews are made of, how a test is sent, and the time on both clocks."""

    sources: PreviewSources
    now: Callable[[], datetime]
    real_now: Callable[[], datetime]


class PreviewWanted(BaseModel):
    """A message about a type for an account. `contact_id` absent: its first contact; `language` absent: the contact's."""

    model_config = ConfigDict(extra="forbid")

    touchpoint_type: Name
    account_id: Id
    contact_id: Id | None = None
    language: Language | None = None
    reader: Reader = "customer"


class TestWanted(PreviewWanted):
    """A preview, and the address that gets it."""

    to: Email


@dataclass(frozen=True, slots=True)
class TestSent:
    """What the mail server answered, and what was sent to it."""

    state: Literal["sent", "failed"]
    detail: str
    subject: str
    language: str
    missing: tuple[str, ...]


NOT_FOUND: dict[int | str, dict[str, object]] = {404: {"description": "no such account, contact or content"}}


def preview_routes(services: PreviewServices) -> APIRouter:
    router = APIRouter(prefix="/v1/preview", tags=["content"])

    @router.get(
        "",
        dependencies=[require("read")],
        summary="A message as it would be written now",
        responses=NOT_FOUND,
    )
    async def preview(wanted: Annotated[PreviewWanted, Query()]) -> Preview:
        """With the figures of the account as of now. Blocks with a value of `missing` are left out."""
        return without_test_mark(await _write(wanted, services))

    @router.post(
        "/send", dependencies=[require("act")], summary="Send a preview as a test", responses=NOT_FOUND
    )
    async def send(wanted: TestWanted) -> TestSent:
        """The subject begins with [Test], and no link in it changes anything."""
        written = await _write(wanted, services)
        if written.not_sent is not None:
            raise Problem(422, f"Nothing would be sent: {written.not_sent}.")
        message = Message(written.subject, written.text, written.html)
        answer = await services.sources.sending.mailer.send(
            Mail(fresh(), wanted.to, message), at=services.real_now()
        )
        is_sent = answer.outcome is AttemptOutcome.DELIVERED
        state: Literal["sent", "failed"] = "sent" if is_sent else "failed"
        return TestSent(state, answer.detail, written.subject, written.language, written.missing)

    return router


async def _write(wanted: PreviewWanted, services: PreviewServices) -> Preview:
    request = PreviewRequest(
        wanted.touchpoint_type, wanted.account_id, wanted.contact_id, wanted.language, wanted.reader
    )
    try:
        now = Now(services.real_now(), services.now())
        if request.reader == "owner":
            return await preview_owner_mail(request, services.sources, now)
        if request.touchpoint_type == INVITATION:
            return await preview_invitation(request, services.sources, now)
        return await preview_customer_message(request, services.sources, services.now())
    except NotFound as problem:
        raise Problem(404, str(problem)) from problem
    except FactsMissing as problem:
        text = f"Figures are not available yet: {problem}"
        raise Problem(503, text, headers={"Retry-After": "5"}) from problem
