"""What a gateway for text messages reports over HTTP: answers of people, and what became of messages of ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.chassis.problems import Problem
from services.chassis.web import by_link
from services.notifier.application.receive_mail import Inbound
from services.notifier.application.receive_text import TextConsents, receive_text
from services.notifier.domain.inbound_mail import InboundMail
from services.notifier.domain.sms_events import Form, is_signed, read_status, read_text_answer

PATH: Final = "/v1/inbound/sms"
STATUS_PATH: Final = f"{PATH}/status"
SIGNATURE_HEADER: Final = "X-Twilio-Signature"
MOST_FIELDS: Final = 200
NO_ANSWER: Final = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""The gateway sends nothing back by itself."""
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    401: {"description": "the signature is not that of the gateway; the detail says what is wrong"}
}
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}},
    }
}
_XML: Final[Mapping[int | str, dict[str, Any]]] = {200: {"content": {"text/xml": {}}}}


@dataclass(frozen=True, slots=True)
class SmsServices:
    """`token` None: nothing is taken in. `public_url`: the address of the notifier that the gateway calls and signs."""

    inbound: Inbound
    consents: TextConsents
    token: str | None
    public_url: str


def sms_routes(services: SmsServices) -> APIRouter:
    router = APIRouter(tags=["inbound"], dependencies=[by_link])

    @router.post(
        PATH,
        summary="Take in a text message: STOP, START, or an answer",
        response_class=Response,
        openapi_extra=_BODY,
        responses={**_RESPONSES, **_XML},
    )
    async def receive(request: Request) -> Response:
        form = await _signed_form(request, services)
        answer = read_text_answer(form)
        if answer is None:
            raise Problem(422, "The form needs MessageSid, and From with an international number.")
        await receive_text(answer, services.consents, services.inbound)
        return Response(NO_ANSWER, media_type="text/xml")

    @router.post(
        STATUS_PATH,
        status_code=204,
        summary="Take in what became of a text message of ours",
        openapi_extra=_BODY,
        responses=_RESPONSES,
    )
    async def report(request: Request, delivery: str = "") -> None:
        """`delivery`: as `StatusCallback` named it."""
        form = await _signed_form(request, services)
        found = read_status(form, delivery)
        if found is not None:
            id_, content = found
            await services.inbound.receive(InboundMail(id_, content))

    return router


async def _signed_form(request: Request, services: SmsServices) -> Form:
    """Raises a `Problem`: 401, or 400 for a body that is no form."""
    if services.token is None:
        raise _unproved("DRUMBEAT_SMS__TOKEN is not set: nothing of a gateway is taken in.")
    try:
        body = (await request.body()).decode("utf-8", "replace")
        form = parse_qs(body, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as problem:
        raise Problem(400, f"The body is no form: {problem}.") from problem
    query = f"?{request.url.query}" if request.url.query else ""
    url = f"{services.public_url}{request.url.path}{query}"
    if not is_signed(url, form, services.token, request.headers.get(SIGNATURE_HEADER, "")):
        raise _unproved(
            f"{SIGNATURE_HEADER} is not the signature of {services.public_url}{request.url.path} under"
            " DRUMBEAT_SMS__TOKEN: the gateway has to call the address in DRUMBEAT_PUBLIC_URL."
        )
    return form


def _unproved(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": f"{SIGNATURE_HEADER}"})
