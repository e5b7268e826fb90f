"""What mail providers report over HTTP: Postmark, which shows a secret, and Amazon SES, which signs through SNS."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from fastapi import APIRouter, Request

from services.chassis.problems import Problem
from services.chassis.web import by_link
from services.notifier.application.provider_proof import ProofUnavailable, SnsProof
from services.notifier.application.receive_mail import Inbound, InboundResult
from services.notifier.domain.inbound_mail import Ignored, InboundMail
from services.notifier.domain.provider_events import ProviderEvent, read_postmark, read_ses
from services.notifier.domain.sns_message import ProofRejected, SnsMessage

PROOF_HEADER: Final = "X-Drumbeat-Secret"
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    401: {"description": "the sender does not prove who they are; the detail says what is wrong"}
}
_BODY: Final = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
}


@dataclass(frozen=True, slots=True)
class ProviderServices:
    """`postmark_secret` None: nothing of Postmark is taken in."""

    inbound: Inbound
    sns: SnsProof
    postmark_secret: str | None


def provider_routes(services: ProviderServices) -> APIRouter:
    router = APIRouter(prefix="/v1/inbound", tags=["inbound"], dependencies=[by_link])
    options: dict[str, Any] = {"status_code": 202, "openapi_extra": _BODY, "responses": _RESPONSES}

    @router.post(
        "/postmark", summary="Take in an event of Postmark, with the secret of the deployment", **options
    )
    async def postmark(request: Request) -> InboundResult:
        _check_secret(request, services.postmark_secret)
        return await _receive(services.inbound, read_postmark(_document(await request.body())))

    @router.post("/ses", summary="Take in an event of Amazon SES, as SNS signs and sends it", **options)
    async def ses(request: Request) -> InboundResult:
        message = _sns_message(_document(await request.body()))
        try:
            await services.sns.check(message)
            if message.type == "SubscriptionConfirmation":
                await services.sns.confirm(message)
        except ProofRejected as problem:
            raise _unproved(f"{problem}.") from problem
        except ProofUnavailable as problem:
            raise Problem(503, f"{problem}. Send it again.", headers={"Retry-After": "60"}) from problem
        if message.type != "Notification":
            return InboundResult("subscription", counted=False)
        return await _receive(services.inbound, read_ses(_notification(message["Message"])))

    return router


async def _receive(inbound: Inbound, event: ProviderEvent) -> InboundResult:
    ignored = Ignored("an event that says nothing that is taken in")
    return await inbound.receive(InboundMail(event.id, event.content or ignored, event.provider_id))


def _unproved(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": 'Basic realm="drumbeat"'})


def _check_secret(request: Request, secret: str | None) -> None:
    """Raises a `Problem`, 401."""
    if secret is None:
        raise _unproved("DRUMBEAT_INBOUND__POSTMARK_SECRET is not set: nothing of Postmark is taken in.")
    shown = request.headers.get(PROOF_HEADER) or _password(request.headers.get("authorization", ""))
    if not hmac.compare_digest(shown.encode("utf-8", "replace"), secret.encode()):
        raise _unproved(f"Show the secret as the password of basic authentication, or in {PROOF_HEADER}.")


def _password(authorization: str) -> str:
    """Of basic authentication (RFC 7617), whatever the user is; empty where there is none."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _document(body: bytes) -> Mapping[str, object]:
    """Raises a `Problem`, 400."""
    try:
        document: object = orjson.loads(body)
    except ValueError as problem:
        raise Problem(400, f"The body is no JSON: {problem}.") from problem
    if not isinstance(document, dict):
        raise Problem(400, "The body is no JSON object.")
    return cast("dict[str, object]", document)


def _sns_message(document: Mapping[str, object]) -> SnsMessage:
    return SnsMessage({name: value for name, value in document.items() if isinstance(value, str)})


def _notification(text: str) -> Mapping[str, object]:
    """What SNS carries; empty where it is no event of SES: SNS sends a text of its own to a new topic."""
    try:
        document: object = orjson.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, object]", document) if isinstance(document, dict) else {}
