"""What a contact allows, over HTTP for tools."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Self, get_args

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.facts import PreferenceChanged
from schemas.vocabulary import PreferredChannel, PreferredFrequency, Topic
from services.chassis.problems import Problem
from services.chassis.web import require
from services.notifier.application.read_models import ContactPreferences, Preferences
from services.notifier.domain.consent import TopicPreference, preferences_by_topic
from services.notifier.domain.message import topic_name

TOPICS: tuple[Topic, ...] = get_args(Topic)
ContactId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class TopicChange(BaseModel):
    """`opted_in` false applies to every channel; an absent field stays as it is.

    `suggested` ends a wish: from then on as the policy suggests.
    """

    model_config = ConfigDict(extra="forbid")

    opted_in: bool | None = None
    channel: PreferredChannel | None = None
    frequency: PreferredFrequency | None = None

    @model_validator(mode="after")
    def _consent_names_a_channel(self) -> Self:
        if self.channel == "suggested" and self.opted_in is not None:
            raise ValueError("channel: suggested and opted_in are two changes; send them one after the other")
        return self


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
