"""A contact's own page by signed link: which topics they get, and the current figures of their account."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Header, Path, Request
from starlette.responses import HTMLResponse, Response

from services.chassis.web import by_link
from services.notifier.application.customer_page import (
    TOPICS,
    PageTopic,
    People,
    changes_of,
    no_more_messages,
    page_figures,
    page_topics,
)
from services.notifier.application.message_facts import FactsSource
from services.notifier.application.phrases import PhraseBook, Phrases
from services.notifier.application.read_models import Preferences
from services.notifier.application.write_customer_mail import Reader
from services.notifier.domain.message import Render
from services.notifier.domain.page_link import read_page_token
from services.notifier.domain.unsubscribe import TokenRejected
from services.notifier.entrypoints.http_preferences import PAGE_HEADERS, UNKNOWN_LINK

Token = Annotated[str, Path(min_length=1)]
Languages = Annotated[str | None, Header(alias="accept-language", include_in_schema=False)]


@dataclass(frozen=True, slots=True)
class PageServices:
    """What the page is made of. `organization`: who writes to the contact."""

    key: bytes
    render: Render
    book: PhraseBook
    people: People
    preferences: Preferences
    facts: FactsSource
    now: Callable[[], datetime]
    organization: str


def page_routes(services: PageServices) -> APIRouter:
    """GET changes nothing, because mail scanners open every link; POST saves and says so. No script is needed."""
    router = APIRouter(prefix="/p", tags=["preferences"], dependencies=[by_link])

    @router.get(
        "/{token}", summary="A contact's own page", response_class=HTMLResponse, responses=UNKNOWN_LINK
    )
    async def show(token: Token, languages: Languages = None) -> HTMLResponse:
        try:
            contact_id = read_page_token(services.key, token)
        except TokenRejected:
            return _lost(services, languages)
        reader = await services.people.reader(contact_id)
        phrases = _phrases(services, reader, languages)
        topics = page_topics(await services.preferences.of_contact(contact_id), phrases)
        return await _page(services, reader, phrases, topics)

    @router.post(
        "/{token}", summary="Save what the contact chose", response_class=HTMLResponse, responses=UNKNOWN_LINK
    )
    async def save(token: Token, request: Request, languages: Languages = None) -> HTMLResponse:
        """Takes a form: `topic` once for each topic that the contact gets from now on, or `none` for no topic at all."""
        try:
            contact_id = read_page_token(services.key, token)
        except TokenRejected:
            return _lost(services, languages)
        form = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
        reader = await services.people.reader(contact_id)
        phrases = _phrases(services, reader, languages)
        before = page_topics(await services.preferences.of_contact(contact_id), phrases)
        wanted = frozenset(form.get("topic", ())) & frozenset(TOPICS)
        changes = [no_more_messages(contact_id)] if "none" in form else changes_of(contact_id, before, wanted)
        after = await services.preferences.change(contact_id, changes, must_exist=False)
        topics = page_topics(after, phrases)
        return await _page(services, reader, phrases, topics, saved=_saved(topics, phrases))

    return router


def _phrases(services: PageServices, reader: Reader | None, languages: str | None) -> Phrases:
    """The words of the contact's language, else of the browser's."""
    if reader is not None:
        return services.book.phrases(reader.tag or _preferred(languages), reader.zone)
    return services.book.phrases(_preferred(languages), UTC)


def _preferred(languages: str | None) -> str | None:
    """The first language of `Accept-Language` (RFC 9110 section 12.5.4)."""
    first = (languages or "").partition(",")[0].partition(";")[0].strip()
    return first if first.replace("-", "").isalnum() and len(first) <= 35 else None


def _saved(topics: list[PageTopic], phrases: Phrases) -> str:
    names = [one.name for one in topics if one.opted_in]
    if not names:
        return phrases.text("page", "saved_none")
    return phrases.text("page", "saved", topics=phrases.formatter.enumeration(names))


async def _page(
    services: PageServices, reader: Reader | None, phrases: Phrases, topics: list[PageTopic], saved: str = ""
) -> HTMLResponse:
    contact = reader.contact if reader else None
    figures = await page_figures(reader, services.facts, phrases, services.now())
    words = {
        key: phrases.text("page", key)
        for key in ("intro", "topic_legend", "save", "stop_all", "figures", "coming")
    }
    context = {
        "language": phrases.language,
        "direction": phrases.direction,
        "heading": phrases.text("page", "title", organization=services.organization),
        "hello": phrases.text("page", "hello", name=contact.name) if contact and contact.name else "",
        "words": words,
        "topics": topics,
        "saved": saved,
        "figures": figures,
    }
    return HTMLResponse(services.render("page_customer.html", context, html=True), 200, PAGE_HEADERS)


def missing_page(book: PhraseBook, render: Render) -> Callable[[Request, int], Response | None]:
    """The page of an address that does not exist, for people who followed a broken link; the APIs keep their problems."""

    def show(request: Request, status: int) -> Response | None:
        path = request.url.path
        if path.startswith("/v1/") and not path.startswith("/v1/unsubscribe"):
            return None
        return _lost_page(book, render, request.headers.get("accept-language"), status)

    return show


def _lost(services: PageServices, languages: str | None) -> HTMLResponse:
    return _lost_page(services.book, services.render, languages, 404)


def _lost_page(book: PhraseBook, render: Render, languages: str | None, status: int) -> HTMLResponse:
    phrases = book.phrases(_preferred(languages))
    context = {
        "language": phrases.language,
        "direction": phrases.direction,
        "heading": phrases.text("page", "lost_title"),
        "text": phrases.text("page", "lost"),
    }
    return HTMLResponse(render("page_lost.html", context, html=True), status, PAGE_HEADERS)
