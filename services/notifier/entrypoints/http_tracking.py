"""The addresses in customers' mails that measure clicks and opens, and the choice of a contact about it."""

import base64
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.chassis.clock import real_now
from services.chassis.problems import Problem
from services.chassis.web import by_link, require
from services.notifier.application.measure_engagement import EngagementRequests, Objections
from services.notifier.domain.engagement_requests import EngagementKind, EngagementRequest
from services.notifier.domain.link_token import LinkKeys, TokenRejected
from services.notifier.domain.tracking_link import CLICK_PATH, OPEN_PATH, read_click_token, read_open_token
from services.notifier.entrypoints.customer_pages import (
    UNKNOWN_LINK,
    Languages,
    PageServices,
    Token,
    show_lost,
)
from services.notifier.entrypoints.http_preferences import ContactId

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
IMAGE: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
"""A GIF (89a) of one transparent pixel, 43 bytes."""
_REDIRECT: Final[dict[int | str, dict[str, Any]]] = {
    302: {"description": "where the link in the mail leads"},
    **UNKNOWN_LINK,
}
_IMAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "a transparent image", "content": {"image/gif": {}}},
    404: {"description": "the same: the token is not valid", "content": {"image/gif": {}, "text/html": {}}},
}


@dataclass(frozen=True, slots=True)
class TrackingServices:
    """`pages`: of the page about a wrong link."""

    keys: LinkKeys
    requests: EngagementRequests
    objections: Objections
    pages: PageServices


class MeasuringChange(BaseModel):
    """`wanted` false: the contact objects to measuring their opens and clicks."""

    model_config = ConfigDict(extra="forbid")

    wanted: bool


@dataclass(frozen=True, slots=True)
class MeasuringItem:
    """`wanted`: whether the contact allows it; `opens`, `clicks`: whether this deployment measures them."""

    wanted: bool
    opens: bool
    clicks: bool


def tracking_routes(services: TrackingServices) -> APIRouter:
    router = APIRouter(tags=["tracking"])
    router.include_router(_links(services))
    router.include_router(_measuring(services.objections))
    return router


def _links(services: TrackingServices) -> APIRouter:
    """HEAD answers like GET and counts nothing."""
    router = APIRouter(dependencies=[by_link])

    @router.head(f"{CLICK_PATH}{{token}}", include_in_schema=False)
    @router.get(
        f"{CLICK_PATH}{{token}}",
        summary="A measured link of a mail: leads where the link in the mail leads, and nowhere else",
        status_code=302,
        response_class=RedirectResponse,
        responses=_REDIRECT,
    )
    async def follow(token: Token, request: Request, languages: Languages = None) -> Response:
        try:
            link = read_click_token(services.keys, token, now=real_now())
        except TokenRejected:
            return _lost(services, languages)
        await _add(services, link.delivery_id, "clicked", link.url, request)
        return RedirectResponse(link.url, 302, HEADERS)

    @router.head(f"{OPEN_PATH}{{token}}.gif", include_in_schema=False)
    @router.get(
        f"{OPEN_PATH}{{token}}.gif",
        summary="The image that mail programs load when a measured mail is opened",
        response_class=Response,
        responses=_IMAGE,
    )
    async def show_image(token: Token, request: Request) -> Response:
        try:
            delivery_id = read_open_token(services.keys, token, now=real_now())
        except TokenRejected:
            return Response(IMAGE, 404, HEADERS, "image/gif")
        await _add(services, delivery_id, "opened", None, request)
        return Response(IMAGE, 200, HEADERS, "image/gif")

    return router


async def _add(
    services: TrackingServices, delivery_id: str, kind: EngagementKind, link: str | None, request: Request
) -> None:
    """Nothing of a reader whose program asks not to be tracked (`DNT: 1`) or for privacy (`Sec-GPC: 1`)."""
    headers = request.headers
    if "1" in (headers.get("dnt"), headers.get("sec-gpc")):
        return
    is_head, agent = request.method == "HEAD", headers.get("user-agent", "")
    await services.requests.add(
        delivery_id, EngagementRequest(kind, link, is_head, agent.replace("\x00", ""), real_now())
    )


def _lost(services: TrackingServices, languages: str | None) -> HTMLResponse:
    return show_lost(services.pages, languages, "../v1/unsubscribe")


def _measuring(objections: Objections) -> APIRouter:
    router = APIRouter(prefix="/v1/contacts")

    @router.get(
        "/{contact_id}/measuring",
        dependencies=[require("read")],
        summary="Whether opens and clicks of a contact may be measured",
    )
    async def get_measuring(contact_id: ContactId) -> MeasuringItem:
        return await _item(objections, contact_id)

    @router.put(
        "/{contact_id}/measuring",
        dependencies=[require("consent", "act")],
        summary="Set whether opens and clicks of a contact may be measured",
    )
    async def put_measuring(contact_id: ContactId, body: MeasuringChange) -> MeasuringItem:
        if not await objections.change(contact_id, is_wanted=body.wanted):
            raise Problem(404, f"There is no contact {contact_id}.")
        return await _item(objections, contact_id)

    return router


async def _item(objections: Objections, contact_id: str) -> MeasuringItem:
    measuring = await objections.of_contact(contact_id)
    if measuring is None:
        raise Problem(404, f"There is no contact {contact_id}.")
    return MeasuringItem(measuring.is_wanted, "opened" in measuring.kinds, "clicked" in measuring.kinds)
