"""The link at the end of every customer mail: it ends one topic or all, and takes that back."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from schemas.facts import PreferenceChanged
from services.chassis.web import by_link
from services.notifier.application.phrases import Phrases
from services.notifier.domain.unsubscribe import TokenRejected, read_token
from services.notifier.entrypoints.customer_pages import (
    UNKNOWN_LINK,
    Languages,
    PageServices,
    Token,
    phrases_for,
    show_lost,
    show_page,
)

_ON = frozenset({"true", "1", "yes", "on"})


def unsubscribe_routes(services: PageServices) -> APIRouter:
    """GET changes nothing, because mail scanners open every link. Pages are in the language of the contact."""
    router = APIRouter(prefix="/v1/unsubscribe", tags=["preferences"], dependencies=[by_link])

    async def phrases_of(contact_id: str, languages: str | None) -> Phrases:
        return phrases_for(services, await services.people.reader(contact_id), languages)

    @router.get(
        "/{token}",
        summary="The page of an unsubscribe link",
        response_class=HTMLResponse,
        responses=UNKNOWN_LINK,
    )
    async def show(token: Token, languages: Languages = None) -> HTMLResponse:
        try:
            contact_id, topic = read_token(services.key, token)
        except TokenRejected:
            return show_lost(services, languages)
        phrases = await phrases_of(contact_id, languages)
        stop_all = phrases.text("page", "stop_all")
        context = {
            "title": phrases.text("unsubscribe", "title"),
            "heading": _about(phrases, "ask", topic),
            "text": phrases.text("unsubscribe", "unchanged"),
            "stop": phrases.text("mail", "unsubscribe", topic=phrases.topic(topic)) if topic else stop_all,
            "stop_all": stop_all if topic else "",
        }
        return show_page(services, "page_unsubscribe.html", phrases, context)

    @router.post(
        "/{token}",
        summary="Unsubscribe (RFC 8058, one click), or with `again` subscribe again",
        response_class=HTMLResponse,
        responses=UNKNOWN_LINK,
    )
    async def unsubscribe(
        token: Token, everything: str = "", again: str = "", languages: Languages = None
    ) -> HTMLResponse:
        try:
            contact_id, topic = read_token(services.key, token)
        except TokenRejected:
            return show_lost(services, languages)
        is_all, is_back = everything.lower() in _ON, again.lower() in _ON
        topic = None if is_all else topic
        change = PreferenceChanged.of_valid(
            contact_id=contact_id, topic=topic, opted_in=is_back, by_contact=True
        )
        await services.preferences.change(contact_id, [change], must_exist=False)
        phrases = await phrases_of(contact_id, languages)
        done = "back" if is_back else "done"
        context = {
            "heading": phrases.text("unsubscribe", f"{done}_title"),
            "text": _about(phrases, done, topic),
            "again": "" if is_back else "?again=true&everything=true" if is_all else "?again=true",
            "again_words": phrases.text("unsubscribe", "again"),
        }
        return show_page(services, "page_unsubscribed.html", phrases, context)

    return router


def _about(phrases: Phrases, key: str, topic: str | None) -> str:
    """The sentence about a topic, or about all messages."""
    if topic is None:
        return phrases.text("unsubscribe", f"{key}_all")
    return phrases.text("unsubscribe", key, topic=phrases.topic(topic))
