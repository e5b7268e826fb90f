"""What a contact allows: over HTTP for tools, by signed link for the contact."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import HTMLResponse

from schemas.facts import PreferenceChanged
from schemas.vocabulary import Channel, Frequency, Topic
from services.chassis.problems import Problem
from services.chassis.web import require
from services.notifier.application.read_models import ContactPreferences, Preferences
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
    """A topic that is not named stays as it is.

    `by_contact`: the contact does this, for instance on your preference page. Only that lifts an opt-out by the contact.
    """

    model_config = ConfigDict(extra="forbid")

    topics: Annotated[dict[Topic, TopicChange], Field(max_length=len(TOPICS))]
    by_contact: bool = False


@dataclass(frozen=True, slots=True)
class PreferencesByTopic:
    """`warnings`: why an opt-in of this call lifts no opt-out."""

    topics: dict[str, TopicPreference]
    warnings: list[str] = field(default_factory=list[str])


def _no_contact(contact_id: str) -> Problem:
    return Problem(404, f"There is no contact {contact_id}.")


def _by_topic(preferences: ContactPreferences | None, contact_id: str) -> PreferencesByTopic:
    if preferences is None:
        raise _no_contact(contact_id)
    return PreferencesByTopic(preferences_by_topic(preferences.own, TOPICS, preferences.same_address))


def _still_out(shown: PreferencesByTopic, changes: PreferenceChanges) -> list[str]:
    return [
        f"topics.{topic}.opted_in: the person opted out of {topic_name(topic)}; only the person can opt in again, by "
        "the link in a mail or with by_contact: true"
        for topic, change in changes.topics.items()
        if change.opted_in and not shown.topics[topic].opted_in
    ]


def preference_routes(preferences: Preferences) -> APIRouter:
    router = APIRouter(prefix="/v1/contacts", tags=["preferences"])

    @router.get("/{contact_id}/preferences", dependencies=[require("read")], summary="What a contact allows")
    async def get_preferences(contact_id: ContactId) -> PreferencesByTopic:
        return _by_topic(await preferences.of_contact(contact_id), contact_id)

    @router.put(
        "/{contact_id}/preferences",
        dependencies=[require("consent", "act")],
        summary="Set what a contact allows",
    )
    async def put_preferences(contact_id: ContactId, body: PreferenceChanges) -> PreferencesByTopic:
        if await preferences.of_contact(contact_id) is None:
            raise _no_contact(contact_id)
        changes = [
            PreferenceChanged.of_valid(
                contact_id=contact_id,
                topic=topic,
                channel=change.channel,
                frequency=change.frequency,
                opted_in=change.opted_in,
                by_contact=body.by_contact or None,
            )
            for topic, change in body.topics.items()
            if change.model_fields_set
        ]
        shown = _by_topic(await preferences.change(contact_id, changes), contact_id)
        return replace(shown, warnings=_still_out(shown, body))

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
        summary="Unsubscribe (RFC 8058, one click), or with `again` subscribe again",
        response_class=HTMLResponse,
        responses=UNKNOWN_LINK,
    )
    async def unsubscribe(token: Token, everything: bool = False, again: bool = False) -> HTMLResponse:
        try:
            contact_id, topic = read_token(key, token)
        except TokenRejected as problem:
            return page("page_unknown_link.html", 404, problem=str(problem))
        topic = None if everything else topic
        change = PreferenceChanged.of_valid(
            contact_id=contact_id, topic=topic, opted_in=again, by_contact=True
        )
        await preferences.change(contact_id, [change], must_exist=False)
        if again:
            return page("page_subscribed.html", topic=_name(topic))
        query = "?again=true&everything=true" if everything else "?again=true"
        return page("page_unsubscribed.html", topic=_name(topic), again=query)

    return router


def _name(topic: str | None) -> str:
    return topic_name(topic) if topic else ""
