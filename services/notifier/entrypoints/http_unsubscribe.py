"""The link at the end of every customer mail: it ends its topics or all, and takes that back."""

from collections.abc import Sequence

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from schemas.facts import PreferenceChanged
from schemas.vocabulary import Topic
from services.chassis.clock import real_now
from services.chassis.web import by_link
from services.notifier.application.phrases import Phrases
from services.notifier.domain.link_token import TokenRejected
from services.notifier.domain.unsubscribe import read_token
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
            contact_id, topics = read_token(services.keys, token, now=real_now())
        except TokenRejected:
            return show_lost(services, languages, "../unsubscribe")
        phrases = await phrases_of(contact_id, languages)
        stop_all = phrases.text("page", "stop_all")
        context = {
            "title": phrases.text("unsubscribe", "title"),
            "heading": _about(phrases, "ask", topics),
            "text": phrases.text("unsubscribe", "unchanged"),
            "stop": phrases.text("mail", "unsubscribe", topic=_named(phrases, topics))
            if topics
            else stop_all,
            "stop_all": stop_all if topics else "",
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
            contact_id, topics = read_token(services.keys, token, now=real_now())
        except TokenRejected:
            return show_lost(services, languages, "../unsubscribe")
        is_all, is_back = everything.lower() in _ON, again.lower() in _ON
        topics = () if is_all else topics
        changes = [
            PreferenceChanged.of_valid(contact_id=contact_id, topic=topic, opted_in=is_back, by_contact=True)
            for topic in topics or [None]
        ]
        await services.preferences.change(contact_id, changes, must_exist=False)
        phrases = await phrases_of(contact_id, languages)
        done = "back" if is_back else "done"
        context = {
            "heading": phrases.text("unsubscribe", f"{done}_title"),
            "text": _about(phrases, done, topics),
            "again": "" if is_back else "?again=true&everything=true" if is_all else "?again=true",
            "again_words": phrases.text("unsubscribe", "again"),
        }
        return show_page(services, "page_unsubscribed.html", phrases, context)

    return router


def _about(phrases: Phrases, key: str, topics: Sequence[Topic]) -> str:
    """The sentence about these topics, or about all messages."""
    if not topics:
        return phrases.text("unsubscribe", f"{key}_all")
    return phrases.text("unsubscribe", key, topic=_named(phrases, topics))


def _named(phrases: Phrases, topics: Sequence[Topic]) -> str:
    return phrases.formatter.enumeration([phrases.topic(topic) for topic in topics])
