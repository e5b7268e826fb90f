"""A contact's own page by signed link: which topics they get, and the current figures of their account."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from services.chassis.web import by_link
from services.notifier.application.customer_page import (
    TOPICS,
    PageTopic,
    changes_of,
    no_more_messages,
    page_figures,
    page_topics,
)
from services.notifier.application.phrases import Phrases
from services.notifier.application.write_customer_mail import Reader
from services.notifier.domain.page_link import read_page_token
from services.notifier.domain.unsubscribe import TokenRejected
from services.notifier.entrypoints.customer_pages import (
    UNKNOWN_LINK,
    Languages,
    PageServices,
    Token,
    phrases_for,
    show_lost,
    show_page,
)


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
            return show_lost(services, languages)
        reader = await services.people.reader(contact_id)
        phrases = phrases_for(services, reader, languages)
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
            return show_lost(services, languages)
        form = parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)
        reader = await services.people.reader(contact_id)
        phrases = phrases_for(services, reader, languages)
        before = page_topics(await services.preferences.of_contact(contact_id), phrases)
        wanted = frozenset(form.get("topic", ())) & frozenset(TOPICS)
        changes = [no_more_messages(contact_id)] if "none" in form else changes_of(contact_id, before, wanted)
        after = await services.preferences.change(contact_id, changes, must_exist=False)
        topics = page_topics(after, phrases)
        return await _page(services, reader, phrases, topics, saved=_saved(topics, phrases))

    return router


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
        "heading": phrases.text("page", "title", organization=services.organization),
        "hello": phrases.text("page", "hello", name=contact.name) if contact and contact.name else "",
        "words": words,
        "topics": topics,
        "saved": saved,
        "figures": figures,
    }
    return show_page(services, "page_customer.html", phrases, context)
