"""Mail that came in, as a mail server hands it over: it is accepted whatever it is, so that no mail bounces."""

import asyncio
from typing import Final

from fastapi import APIRouter, Request

from services.chassis.problems import Problem
from services.chassis.web import require
from services.notifier.application.receive_mail import Inbound, InboundResult
from services.notifier.domain.inbound_mail import read_mail
from services.notifier.domain.mail_parts import MOST_BYTES

PATH: Final = "/v1/inbound/mail"
LARGER_BODIES: Final = {PATH: MOST_BYTES}
MEDIA_TYPE: Final = "message/rfc822"
BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary", "maxLength": MOST_BYTES}}},
    }
}


def inbound_routes(inbound: Inbound) -> APIRouter:
    router = APIRouter(tags=["inbound"])
    one_at_a_time = asyncio.Lock()

    @router.post(
        PATH,
        dependencies=[require("consent")],
        status_code=202,
        summary="Take in a mail: a reply, an answer to an invitation, a bounce or a complaint",
        openapi_extra=BODY,
        responses={415: {"description": "the body is no message/rfc822"}},
    )
    async def receive(request: Request) -> InboundResult:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != MEDIA_TYPE:
            raise Problem(415, f"Send the mail as it came in, with Content-Type: {MEDIA_TYPE}.")
        raw = await request.body()
        if not raw.strip():
            raise Problem(400, "The body is empty. Send the mail as it came in.")
        # The largest mails take seconds to read: they wait for each other, other requests for none of them.
        async with one_at_a_time:
            mail = await asyncio.to_thread(read_mail, raw)
        return await inbound.receive(mail)

    return router
