"""What a contact allows: over HTTP for tools, by signed link for the contact."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse

from schemas.directory import PreferenceRecord
from schemas.facts import PreferenceChanged
from schemas.vocabulary import Channel, Frequency, Topic
from services.chassis.problems import Problem
from services.chassis.web import require
from services.notifier.application.read_models import Preferences
from services.notifier.domain.consent import TopicPreference, preferences_by_topic
from services.notifier.domain.message import Render, topic_name
from services.notifier.domain.unsubscribe import TokenRejected, read_token

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
    404: {"description": "a page that says that the link is not valid", "content": {"text/html": {}}}
}


class TopicChange(BaseModel):
    """`opted_in` false applies to every channel; an absent field stays as it is."""

    model_config = ConfigDict(extra="forbid")

    opted_in: bool | None = None
    channel: Channel | None = None
    frequency: Frequency | None = None


class PreferenceChanges(BaseModel):
    """A topic that is not named stays as it is."""

    model_config = ConfigDict(extra="forbid")

    topics: Annotated[dict[Topic, TopicChange], Field(max_length=len(TOPICS))]


@dataclass(frozen=True, slots=True)
class ContactPreferences:
    topics: dict[str, TopicPreference]


def _no_contact(contact_id: str) -> Problem:
    return Problem(404, f"There is no contact {contact_id}.")


def _by_topic(preferences: Sequence[PreferenceRecord] | None, contact_id: str) -> ContactPreferences:
    if preferences is None:
        raise _no_contact(contact_id)
    return ContactPreferences(preferences_by_topic(preferences, TOPICS))


def preference_routes(preferences: Preferences) -> APIRouter:
    router = APIRouter(prefix="/v1/contacts", tags=["preferences"])

    @router.get("/{contact_id}/preferences", dependencies=[require("read")], summary="What a contact allows")
    async def get_preferences(contact_id: ContactId) -> ContactPreferences:
        return _by_topic(await preferences.of_contact(contact_id), contact_id)

    @router.put(
        "/{contact_id}/preferences", dependencies=[require("act")], summary="Set what a contact allows"
    )
    async def put_preferences(contact_id: ContactId, body: PreferenceChanges) -> ContactPreferences:
        if await preferences.of_contact(contact_id) is None:
            raise _no_contact(contact_id)
        changes = [
            PreferenceChanged.of_valid(
                contact_id=contact_id,
                topic=topic,
                channel=change.channel,
                frequency=change.frequency,
                opted_in=change.opted_in,
            )
            for topic, change in body.topics.items()
            if change.model_fields_set
        ]
        return _by_topic(await preferences.change(contact_id, changes), contact_id)

    return router


def unsubscribe_routes(preferences: Preferences, key: bytes, render: Render) -> APIRouter:
    """The link in every customer mail. GET changes nothing, because mail scanners open every link."""
    router = APIRouter(prefix="/v1/unsubscribe", tags=["preferences"])

    def page(template: str, status: int = 200, **context: str) -> HTMLResponse:
        return HTMLResponse(render(template, context, html=True), status, PAGE_HEADERS)

    @router.get(
        "/{token}",
        summary="The page of an unsubscribe link",
        response_class=HTMLResponse,
        responses=UNKNOWN_LINK,
    )
    async def show(token: Token) -> HTMLResponse:
        try:
            _, topic = read_token(key, token)
        except TokenRejected as problem:
            return page("page_unknown_link.html", 404, problem=str(problem))
        return page("page_unsubscribe.html", topic=_name(topic))

    @router.post(
        "/{token}",
        summary="Unsubscribe (RFC 8058, one click)",
        response_class=HTMLResponse,
        responses=UNKNOWN_LINK,
    )
    async def unsubscribe(token: Token, everything: bool = False) -> HTMLResponse:
        try:
            contact_id, topic = read_token(key, token)
        except TokenRejected as problem:
            return page("page_unknown_link.html", 404, problem=str(problem))
        topic = None if everything else topic
        opt_out = PreferenceChanged.of_valid(contact_id=contact_id, topic=topic, opted_in=False)
        await preferences.change(contact_id, [opt_out], must_exist=False)
        return page("page_unsubscribed.html", topic=_name(topic))

    return router


def _name(topic: str | None) -> str:
    return topic_name(topic) if topic else ""
