"""What goes in and out over HTTP, as the OpenAPI tells it."""

from typing import Annotated, Literal

import orjson
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from schemas.base import Id, LongText, Name, SchemaModel, Text
from schemas.plans import Reason
from schemas.times import Instant, Window
from schemas.vocabulary import Channel, Owner, Role, Topic, TouchpointStatus
from schemas.vocabulary import Outcome as OutcomeWord
from services.chassis.outbox import timestamp
from services.scheduler.application.look import Entry
from services.scheduler.domain.touchpoint import Origin as OriginWord
from services.scheduler.domain.touchpoint import Touchpoint

Version = Annotated[int, Field(ge=0, description="the `sequence` that was read last")]


class Asked(BaseModel):
    """A body of a request: strict, and without members nobody knows, so that a typo is found."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class PlanByHand(Asked):
    """A touchpoint that a person plans."""

    account_id: Id
    type: Annotated[Name, Field(validation_alias=AliasChoices("type", "touchpoint_type"))]
    due_at: Instant
    window: Window | None = None
    deadline: Instant | None = None
    owner: Owner = "csm"
    csm_id: Id | None = None
    channel: Channel = "call"
    topic: Topic | None = "account"
    purpose: Text = ""
    minutes: Annotated[int, Field(ge=0, le=1440)] = 30
    audience: tuple[Role, ...] = ()
    reason: Annotated[LongText, Field(description="why, in a sentence")] = "Planned by hand."


class Settle(Asked):
    outcome: OutcomeWord
    version: Version
    notes: LongText | None = None


class Reschedule(Asked):
    to: Instant
    version: Version


class Reassign(Asked):
    csm_id: Id
    version: Version


class Cancel(Asked):
    reason: LongText
    version: Version


class OutcomeItem(SchemaModel):
    outcome: OutcomeWord
    time: Instant
    source: str
    id: str
    notes: str | None


class TouchpointItem(SchemaModel):
    """A touchpoint as it stands. `projected`: not planned yet, but this is where its rhythm will put it."""

    id: Id
    account_id: Id
    type: Name
    status: TouchpointStatus
    due_at: Instant
    released_at: Instant | None
    window: Window
    deadline: Instant | None
    owner: Owner
    csm_id: Id | None
    channel: Channel
    purpose: Text
    topic: Topic | None
    audience: tuple[Role, ...]
    minutes: int
    reason: Reason
    note: Annotated[
        str | None, Field(description="why it was cancelled, moved out of a time to avoid, or is held")
    ]
    sequence: int
    origin: Literal["rhythm", "one_off", "hand"]
    occurrence: int | None
    follows: Annotated[Id | None, Field(description="the one that was rescheduled to this")]
    outcome: OutcomeItem | None
    updated_at: Instant | None
    projected: bool


class TouchpointPage(SchemaModel):
    """`resume_cursor` goes on after the last item even when there is nothing more yet (change feed)."""

    items: tuple[TouchpointItem, ...]
    next_cursor: str | None
    resume_cursor: str | None = None


class CapacityWeek(SchemaModel):
    csm_id: Id
    week: Annotated[str, Field(description="ISO week, as 2026-W14")]
    weekly_minutes: int
    available_minutes: int
    planned_minutes: int
    touches: int


class Capacity(SchemaModel):
    weeks: tuple[CapacityWeek, ...]


def item(entry: Entry) -> dict[str, object]:
    """The members of TouchpointItem, ready for orjson."""
    each, face = entry.touchpoint, entry.face
    verdict = None if each.verdict is None else f"{each.verdict.closure}: {each.verdict.text}"
    note = verdict or each.shift
    return {
        "id": each.id,
        "account_id": each.account_id,
        "type": each.type,
        "status": each.status,
        "due_at": each.due_at,
        "released_at": each.released_at,
        "window": {"from": min(each.start, each.due_at), "to": each.end},
        "deadline": each.deadline,
        "owner": each.owner,
        "csm_id": each.csm_id,
        "channel": face.channel,
        "purpose": face.purpose,
        "topic": face.topic,
        "audience": face.audience,
        "minutes": each.minutes,
        "reason": _reason(face.reason, verdict),
        "note": note,
        "sequence": each.sequence,
        "origin": each.origin,
        "occurrence": each.number,
        "follows": each.follows,
        "outcome": _outcome(each),
        "updated_at": entry.changed_at,
        "projected": entry.change is None,
    }


def _reason(text: str, verdict: str | None) -> object:
    """The reason as decided; of a cancelled touchpoint, its text says why it was cancelled."""
    if verdict is None:
        return orjson.Fragment(text)
    return {**orjson.loads(text), "text": verdict}


def _outcome(touchpoint: Touchpoint) -> dict[str, object] | None:
    outcome = touchpoint.outcome
    if outcome is None:
        return None
    return {
        "outcome": outcome.kind,
        "time": timestamp(outcome.time),
        "source": outcome.source,
        "id": outcome.id,
        "notes": outcome.notes,
    }


def by_hand_reason(text: str) -> str:
    return orjson.dumps({"rule": "by_hand", "policy": "", "facts": [], "text": text}).decode()


BY_HAND = OriginWord.HAND
