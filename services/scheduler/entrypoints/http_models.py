"""The bodies of requests and answers, as the OpenAPI document describes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from schemas.base import Id, LongText, Name, SchemaModel, Text
from schemas.directory import PolicyRecord, TouchpointTypeRecord
from schemas.plans import Reason
from schemas.standing import TouchpointContent
from schemas.times import USUAL_QUIET_HOURS, Instant, Window
from schemas.touchpoints import TouchpointRisk
from schemas.vocabulary import Channel, Outcome, Owner, Role, Topic, TouchpointStatus
from services.calendar.touchpoint import OPEN, Origin, Touchpoint
from services.chassis.problems import Problem
from services.scheduler.application.ports import StoredTouchpoint
from services.scheduler.application.read_touchpoints import Person, TouchpointEntry, TouchpointReader
from services.scheduler.domain.catalogue import find_type

Version = Annotated[int, Field(ge=0, description="the `sequence` last read")]


class Body(BaseModel):
    """The body of a request. An unknown member is refused, so that a typo is found."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


NO_GROUPS: Final[Mapping[str, Sequence[str]]] = MappingProxyType({})
CATALOGUE = "left out: what the policy in force says of the type"
WITHOUT_POLICY: Final = TouchpointTypeRecord(
    touchpoint_type="any", owner="csm", channel="call", topic="account", purpose="", minutes=30
)
"""What is left out of a request before the rules engine has published its policy."""


class PlanByHand(Body):
    """A touchpoint that a person plans."""

    account_id: Id
    type: Annotated[Name, Field(validation_alias=AliasChoices("type", "touchpoint_type"))]
    due_at: Instant
    window: Window | None = None
    deadline: Instant | None = None
    owner: Annotated[Owner | None, Field(description=CATALOGUE)] = None
    csm_id: Id | None = None
    channel: Annotated[Channel | None, Field(description=CATALOGUE)] = None
    topic: Annotated[Topic | None, Field(description=f"null: internal work; {CATALOGUE}")] = None
    purpose: Annotated[Text | None, Field(description=CATALOGUE)] = None
    minutes: Annotated[int | None, Field(ge=0, le=1440, description=CATALOGUE)] = None
    audience: Annotated[tuple[Role, ...] | None, Field(description=CATALOGUE)] = None
    reason: Annotated[LongText, Field(description="why, in a sentence")] = "Planned by hand."

    def complete(self, touchpoint_id: str, policy: PolicyRecord | None) -> StoredTouchpoint:
        """The touchpoint and its content; what is left out comes from the policy. Raises UnknownType."""
        usual = WITHOUT_POLICY if policy is None else find_type(policy, self.type)
        content = TouchpointContent(
            channel=self.channel or usual.channel,
            purpose=usual.purpose if self.purpose is None else self.purpose,
            topic=self.topic if "topic" in self.model_fields_set else usual.topic,
            audience=usual.audience if self.audience is None else self.audience,
            reason=Reason(rule="by_hand", policy="", text=self.reason),
            quiet_hours=USUAL_QUIET_HOURS if policy is None else policy.quiet_hours,
        )
        touchpoint = Touchpoint(
            id=touchpoint_id,
            account_id=self.account_id,
            type=self.type,
            origin=Origin.HAND,
            due_at=self.due_at,
            start_at=self.due_at if self.window is None else self.window.from_,
            end_at=self.due_at if self.window is None else self.window.to,
            deadline=self.deadline,
            owner=self.owner or usual.owner,
            csm_id=self.csm_id,
            minutes=usual.minutes if self.minutes is None else self.minutes,
            pinned=True,
            content=content,
        )
        return StoredTouchpoint(touchpoint, content)


class Act(Body):
    """What every act on a touchpoint says."""

    version: Version
    only: Annotated[
        bool, Field(description="only this one; left out: also those in `together_with`, each as its own")
    ] = False


class Settle(Act):
    outcome: Outcome
    notes: LongText | None = None


Actor = Annotated[
    Id | None, Field(description="the person who acts: they are not told of what they did themselves")
]


class ByPerson(Act):
    """An act that tells others of it."""

    actor_id: Actor = None


class Reschedule(ByPerson):
    to: Instant
    force: Annotated[bool, Field(description="also into the past or after the deadline; needs a reason")] = (
        False
    )
    reason: Annotated[Text | None, Field(description="why; shown with the touchpoint")] = None


class Reassign(ByPerson):
    csm_id: Annotated[Id, Field(description="whom the directory describes or an account names")]


class Claim(Act):
    csm_id: Annotated[Id, Field(description="who takes it; the directory describes them")]


class Cancel(ByPerson):
    reason: LongText


class Undo(Body):
    version: Version
    actor_id: Actor = None


class OutcomeItem(SchemaModel):
    outcome: Outcome
    time: Instant
    source: str
    id: str
    notes: str | None


class OwnerItem(SchemaModel):
    """Who does it. `csm_id`: the person, whatever their role; null while nobody has it. Name and address are null for
    a person whom the directory does not describe.
    """

    kind: Owner
    csm_id: Id | None
    name: Name | None
    email: str | None


class TouchpointItem(SchemaModel):
    """A touchpoint in its current state. `projected`: not planned yet, but its rhythm will plan it so."""

    id: Id
    account_id: Id
    type: Name
    status: TouchpointStatus
    due_at: Instant
    released_at: Instant | None
    window: Window
    deadline: Instant | None
    owner: OwnerItem
    csm_id: Annotated[Id | None, Field(description="that of the owner")]
    channel: Channel
    purpose: Text
    topic: Topic | None
    audience: tuple[Role, ...]
    minutes: int
    reason: Reason
    note: Annotated[
        str | None, Field(description="why it was cancelled, moved (also by a person), or is held back")
    ]
    sequence: int
    origin: Literal["rhythm", "one_off", "hand", "calendar"]
    occurrence: int | None
    follows: Annotated[Id | None, Field(description="the rescheduled one that this one replaces")]
    outcome: OutcomeItem | None
    group: Annotated[
        Id | None,
        Field(description="the same for touchpoints of one cause and one person; null: it stands alone"),
    ]
    together_with: Annotated[
        tuple[Id, ...],
        Field(
            description="the other open ones of its group; after an act: those on which it was done as well"
        ),
    ]
    updated_at: Instant | None
    projected: bool
    risk: Annotated[
        TouchpointRisk | None,
        Field(description="what will break its promise if nothing changes; null: it is not at risk"),
    ] = None
    undo_until: Annotated[
        Instant | None,
        Field(description="after an act by hand: until when it can be undone, by the real clock"),
    ] = None


class TouchpointPage(SchemaModel):
    """`resume_cursor` continues after the last item even when there is nothing more yet (change feed)."""

    items: tuple[TouchpointItem, ...]
    next_cursor: str | None
    resume_cursor: str | None = None


async def show_touchpoints(
    entries: Sequence[TouchpointEntry], reader: TouchpointReader, undo_until: datetime | None = None
) -> list[dict[str, object]]:
    """The same of several, with the people of the directory and those that belong together."""
    owners = {entry.touchpoint.csm_id for entry in entries}
    people = await reader.load_people([csm_id for csm_id in owners if csm_id is not None])
    groups = {entry.touchpoint.group for entry in entries if entry.touchpoint.status in OPEN}
    together = await reader.load_groups([group for group in groups if group is not None])
    risks = await reader.find_risks([entry.touchpoint.id for entry in entries])
    shown = {touchpoint_id: risk.model_dump(mode="json") for touchpoint_id, risk in risks.items()}
    return [
        {**show_touchpoint(entry, people, together, undo_until), "risk": shown.get(entry.touchpoint.id)}
        for entry in entries
    ]


def show_touchpoint(
    entry: TouchpointEntry,
    people: Mapping[str, Person],
    groups: Mapping[str, Sequence[str]] = NO_GROUPS,
    undo_until: datetime | None = None,
) -> dict[str, object]:
    """A TouchpointItem as JSON; the reason of a cancelled one says why it was cancelled."""
    touchpoint, content = entry.touchpoint, entry.content
    cancelled = None if touchpoint.cancellation is None else touchpoint.cancellation.note
    reason = content.reason if cancelled is None else content.reason.model_copy(update={"text": cancelled})
    return TouchpointItem.model_construct(
        id=touchpoint.id,
        account_id=touchpoint.account_id,
        type=touchpoint.type,
        status=touchpoint.status.value,
        due_at=touchpoint.due_at,
        released_at=touchpoint.released_at,
        window=Window(from_=touchpoint.window[0], to=touchpoint.window[1]),
        deadline=touchpoint.deadline,
        owner=_show_owner(touchpoint, people),
        csm_id=touchpoint.csm_id,
        channel=content.channel,
        purpose=content.purpose,
        topic=content.topic,
        audience=content.audience,
        minutes=touchpoint.minutes,
        reason=reason,
        note=cancelled or touchpoint.move_reason or touchpoint.shift,
        sequence=touchpoint.sequence,
        origin=touchpoint.origin.value,
        occurrence=touchpoint.number,
        follows=touchpoint.follows,
        outcome=_show_outcome(touchpoint),
        group=touchpoint.group,
        together_with=_others_of(touchpoint, groups),
        updated_at=entry.changed_at,
        projected=entry.change is None,
        undo_until=undo_until,
    ).model_dump(mode="json")


def _others_of(touchpoint: Touchpoint, groups: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    if touchpoint.status not in OPEN:
        return ()
    return tuple(other for other in groups.get(touchpoint.group or "", ()) if other != touchpoint.id)


def _show_owner(touchpoint: Touchpoint, people: Mapping[str, Person]) -> OwnerItem:
    person = people.get(touchpoint.csm_id or "", Person(None, None))
    return OwnerItem.model_construct(
        kind=touchpoint.owner, csm_id=touchpoint.csm_id, name=person.name, email=person.email
    )


def _show_outcome(touchpoint: Touchpoint) -> OutcomeItem | None:
    outcome = touchpoint.outcome
    if outcome is None or outcome.kind == "reopened":
        return None
    return OutcomeItem.model_construct(
        outcome=outcome.kind, time=outcome.time, source=outcome.source, id=outcome.id, notes=outcome.notes
    )


def parse_id(text: str) -> str:
    """The canonical spelling of a touchpoint's id. Raises Problem (404) for what cannot be one."""
    try:
        return str(UUID(text))
    except ValueError:
        raise Problem(404, f"There is no touchpoint {text[:100]!r}: ids are UUIDs.") from None
