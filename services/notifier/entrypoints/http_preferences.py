"""What a contact allows: over HTTP for tools, by signed link for the contact."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse

from schemas.vocabulary import Channel, Frequency, Topic
from services.chassis.problems import Problem
from services.chassis.web import require
from services.notifier.application.read_models import ChoiceBook
from services.notifier.domain.consent import Choice, Preference, choices
from services.notifier.domain.message import Render
from services.notifier.domain.unsubscribe import TokenRejected, opened

TOPICS: tuple[Topic, ...] = get_args(Topic)
ContactId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Token = Annotated[str, Path(min_length=1, max_length=1000)]
PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
}

UNKNOWN_LINK: dict[int | str, dict[str, Any]] = {
    404: {"description": "a page that says so: the link is not ours", "content": {"text/html": {}}}
}


class TopicWish(BaseModel):
    """`opted_in` false is meant for every channel; what is absent stays as it is."""

    model_config = ConfigDict(extra="forbid")

    opted_in: bool | None = None
    channel: Channel | None = None
    frequency: Frequency | None = None


class Wishes(BaseModel):
    """Topics that are not named stay as they are."""

    model_config = ConfigDict(extra="forbid")

    topics: Annotated[dict[Topic, TopicWish], Field(max_length=len(TOPICS))]


@dataclass(frozen=True, slots=True)
class TopicShown:
    opted_in: bool
    channel: str | None
    frequency: str | None


@dataclass(frozen=True, slots=True)
class PreferencesShown:
    topics: dict[str, TopicShown]


def _shown(words: Sequence[Preference]) -> PreferencesShown:
    return PreferencesShown(
        {
            topic: TopicShown(each.opted_in, each.channel, each.frequency)
            for topic, each in choices(words, TOPICS).items()
        }
    )


def _nobody(contact_id: str) -> Problem:
    return Problem(404, f"There is no contact {contact_id}.")


def preference_routes(book: ChoiceBook) -> APIRouter:
    router = APIRouter(prefix="/v1/contacts", tags=["preferences"])

    @router.get("/{contact_id}/preferences", dependencies=[require("read")], summary="What a contact allows")
    async def get_preferences(contact_id: ContactId) -> PreferencesShown:
        words = await book.of(contact_id)
        if words is None:
            raise _nobody(contact_id)
        return _shown(words)

    @router.put(
        "/{contact_id}/preferences", dependencies=[require("act")], summary="Set what a contact allows"
    )
    async def put_preferences(contact_id: ContactId, wishes: Wishes) -> PreferencesShown:
        chosen = [
            Choice(topic, wish.opted_in, wish.channel, wish.frequency)
            for topic, wish in wishes.topics.items()
            if wish.model_fields_set
        ]
        words = await book.choose(contact_id, chosen)
        if words is None:
            raise _nobody(contact_id)
        return _shown(words)

    return router


def unsubscribe_routes(book: ChoiceBook, secret: bytes, render: Render) -> APIRouter:
    """The link in every customer mail. Looking at it changes nothing: scanners look at every link."""
    router = APIRouter(prefix="/v1/unsubscribe", tags=["preferences"])

    def page(template: str, status: int = 200, **context: str) -> HTMLResponse:
        return HTMLResponse(render(template, context, html=True), status, PAGE_HEADERS)

    @router.get(
        "/{token}",
        summary="The page behind an unsubscribe link",
        response_class=HTMLResponse,
        responses=UNKNOWN_LINK,
    )
    async def show(token: Token) -> HTMLResponse:
        try:
            _, topic = opened(secret, token)
        except TokenRejected as problem:
            return page("page_unknown_link.html", 404, problem=str(problem))
        return page("page_unsubscribe.html", topic=_spoken(topic))

    @router.post(
        "/{token}",
        summary="Unsubscribe (RFC 8058, one click)",
        response_class=HTMLResponse,
        responses=UNKNOWN_LINK,
    )
    async def unsubscribe(token: Token, everything: bool = False) -> HTMLResponse:
        try:
            contact_id, topic = opened(secret, token)
        except TokenRejected as problem:
            return page("page_unknown_link.html", 404, problem=str(problem))
        left = None if everything else topic
        await book.choose(contact_id, [Choice(left, opted_in=False)], known=False)
        return page("page_unsubscribed.html", topic=_spoken(left))

    return router


def _spoken(topic: str | None) -> str:
    return (topic or "").replace("_", " ")
