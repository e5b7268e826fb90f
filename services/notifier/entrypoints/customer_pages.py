"""What the pages of contacts share: what they are made of, their language, and the page about a wrong link."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Annotated, Any, Final

from fastapi import Header, Path, Request
from starlette.responses import HTMLResponse, Response

from services.notifier.application.customer_page import People
from services.notifier.application.customer_schedule import AccountCalendar
from services.notifier.application.measure_engagement import Objections
from services.notifier.application.message_facts import FactsSource
from services.notifier.application.phrases import PhraseBook, Phrases, preferred_language
from services.notifier.application.read_models import Preferences
from services.notifier.application.write_customer_mail import Reader
from services.notifier.domain.link_token import LinkKeys
from services.notifier.domain.message import Render
from services.notifier.domain.situation import NOT_SET_UP

PAGE_HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
}
UNKNOWN_LINK: dict[int | str, dict[str, Any]] = {
    404: {"description": "a page that says that the link is not valid", "content": {"text/html": {}}}
}
Token = Annotated[str, Path(min_length=1)]
Languages = Annotated[str | None, Header(alias="accept-language", include_in_schema=False)]


@dataclass(frozen=True, slots=True)
class PageServices:
    """What the pages are made of. `keys`: of their links; `organization`: who writes to the contact.

    `objections`: whether contacts allow measuring their opens and clicks.
    `closed`: the channels over which no customer is reached.
    """

    keys: LinkKeys
    render: Render
    book: PhraseBook
    people: People
    preferences: Preferences
    facts: FactsSource
    calendar: AccountCalendar
    organization: str
    objections: Objections
    closed: Mapping[str, str] = field(default_factory=lambda: NOT_SET_UP)


def phrases_for(services: PageServices, reader: Reader | None, languages: str | None) -> Phrases:
    """The words of a known contact's language, which is that of their mail; of the browser's for anybody else."""
    if reader is not None and reader.contact is not None:
        return services.book.phrases(reader.tag, reader.zone)
    return services.book.phrases(preferred_language(languages, services.book.languages), UTC)


def show_page(
    services: PageServices, template: str, phrases: Phrases, context: Mapping[str, object], status: int = 200
) -> HTMLResponse:
    common = {"language": phrases.language, "direction": phrases.direction}
    return HTMLResponse(services.render(template, {**common, **context}, html=True), status, PAGE_HEADERS)


def missing_page(services: PageServices) -> Callable[[Request, int], Response | None]:
    """The page of an address that does not exist, for people with a broken link; the APIs keep their problems."""

    def show(request: Request, status: int) -> Response | None:
        path = request.url.path
        if path.startswith("/v1/") and not path.startswith("/v1/unsubscribe"):
            return None
        return show_lost(services, request.headers.get("accept-language"), "/v1/unsubscribe", status)

    return show


def show_lost(
    services: PageServices, languages: str | None, form_url: str, status: int = 404
) -> HTMLResponse:
    """The page for a link that was not made here, is too old, or not completely copied: with the form for a fresh one."""
    phrases = phrases_for(services, None, languages)
    context = {
        "heading": phrases.text("page", "lost_title"),
        "text": phrases.text("page", "lost"),
        "role": "alert",
        "form": opt_out_form(phrases, form_url, ""),
    }
    return show_page(services, "page_lost.html", phrases, context, status)


def opt_out_form(phrases: Phrases, url: str, problem: str, *, offer: str = "offer") -> Mapping[str, str]:
    """The form in which one gives the mail address; `url` is where it goes, relative to the page.

    `offer`: the key of its sentence, which follows another one or stands alone (`ask`).
    """
    words = {key: phrases.text("opt_out", key) for key in ("address", "send")}
    return {**words, "offer": phrases.text("opt_out", offer), "action": url, "problem": problem}
