"""The way out without a link: a form in which one gives the mail address, to which a fresh link goes if it is known."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from services.chassis.clock import real_now
from services.chassis.mailbox import parse_mailbox
from services.notifier.application.service_mail import ServiceMails
from services.notifier.domain.request_limit import RequestLimit
from services.notifier.entrypoints.customer_pages import (
    Languages,
    PageServices,
    opt_out_form,
    phrases_for,
    show_page,
)

HERE = "unsubscribe"
"""The form's own address, seen from itself."""
_PAGE: dict[str, dict[str, object]] = {"text/html": {}}
RESPONSES: dict[int | str, dict[str, object]] = {
    422: {"description": "the form again: that was no mail address", "content": _PAGE},
    429: {"description": "a page that asks to wait, with Retry-After", "content": _PAGE},
}


def opt_out_routes(services: PageServices, mails: ServiceMails, limit: RequestLimit) -> APIRouter:
    """The answer is the same for an address that is known and for one that is not, and takes as long."""
    router = APIRouter(prefix="/v1", tags=["preferences"])

    def page(
        languages: str | None, title: str, text: str, status: int = 200, problem: str | None = None
    ) -> HTMLResponse:
        phrases = phrases_for(services, None, languages)
        form = None if problem is None else opt_out_form(phrases, HERE, problem, offer="ask")
        context = {
            "heading": phrases.text(*title.split(".")),
            "text": phrases.text(*text.split(".")) if text else "",
            "role": "status",
            "form": form,
        }
        return show_page(services, "page_lost.html", phrases, context, status)

    @router.get("/unsubscribe", summary="A form that sends a fresh link", response_class=HTMLResponse)
    async def show(languages: Languages = None) -> HTMLResponse:
        return page(languages, "unsubscribe.title", "", problem="")

    @router.post(
        "/unsubscribe",
        summary="Send a fresh link to a mail address (form field `address`) if it is known",
        response_class=HTMLResponse,
        responses=RESPONSES,
    )
    async def request_link(request: Request, languages: Languages = None) -> HTMLResponse:
        address = _address(await request.body())
        if address is None:
            phrases = phrases_for(services, None, languages)
            problem = phrases.text("opt_out", "invalid")
            return page(languages, "unsubscribe.title", "", 422, problem)
        client = request.client.host if request.client else ""
        wait = limit.admit(client, real_now())
        if wait is not None:
            answer = page(languages, "opt_out.often_title", "opt_out.often", 429)
            answer.headers["Retry-After"] = str(int(wait.total_seconds()) + 1)
            return answer
        await mails.request_link(address)
        return page(languages, "opt_out.asked_title", "opt_out.asked")

    return router


def _address(body: bytes) -> str | None:
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
        return parse_mailbox(fields["address"][-1]).address
    except (KeyError, ValueError):
        return None
