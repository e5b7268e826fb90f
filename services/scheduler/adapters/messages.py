"""The scheduler's events on `touchpoint.events` and `touchpoint.outcomes`.

A release writes thousands of events a second: `touchpoint_data` writes what the model `TouchpointData` would write,
without building one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple, TypedDict

import orjson

from schemas.links import account_page
from schemas.outcomes import TOUCHPOINT_SETTLED, TouchpointSettled
from schemas.times import format_instant
from schemas.touchpoints import Kind, touchpoint_event_type
from services.calendar.touchpoint import Holder, RecordedOutcome, Touchpoint
from services.chassis.outbox import Outgoing
from services.chassis.tracing import traces
from services.scheduler.application.ports import Changer, TouchpointUpdate

EVENTS = "touchpoint.events"
LONGEST_NOTE = 2000
"""Characters of a note in an event; what a person wrote may be longer."""
OUTCOMES = "touchpoint.outcomes"


class OwnerDetails(NamedTuple):
    """An owner as the directory describes them."""

    name: str | None = None
    email: str | None = None


NO_OWNER = OwnerDetails()


class TypeDetails(TypedDict):
    """What the catalogue of the policy in force says of a type."""

    agenda: Sequence[str]
    expects: str


NO_DETAILS: TypeDetails = {"agenda": (), "expects": ""}


class EventContext(NamedTuple):
    """What an event says beside the touchpoint: the account's name, the owner, the type, the address of the console."""

    account_name: str | None
    owner: OwnerDetails
    console_url: str
    details: TypeDetails = NO_DETAILS


class ChangeDetails(NamedTuple):
    """What an event says of a change: why, the time and the owner before it, who made it; of an alarm the risk."""

    note: str | None = None
    previous_due_at: datetime | None = None
    changed_by: Changer | None = None
    previous_owner: Mapping[str, object] | None = None
    actor_id: str | None = None
    risk: Mapping[str, object] | None = None


NO_CHANGE = ChangeDetails()


class DirectoryDetails(NamedTuple):
    """The names of accounts and the people of a batch, by id."""

    account_names: Mapping[str, str | None]
    people: Mapping[str, OwnerDetails]
    types: Mapping[str, TypeDetails] = MappingProxyType({})

    def context_of(self, touchpoint: Touchpoint, console_url: str) -> EventContext:
        owner = self.people.get(touchpoint.csm_id or "", NO_OWNER)
        details = self.types.get(touchpoint.type, NO_DETAILS)
        return EventContext(self.account_names.get(touchpoint.account_id), owner, console_url, details)

    def change_of(self, update: TouchpointUpdate) -> ChangeDetails:
        former = None
        if update.previous_owner is not None:
            former = owner_data(
                update.previous_owner, self.people.get(update.previous_owner[1] or "", NO_OWNER)
            )
        note = None if update.note is None else update.note[:LONGEST_NOTE]
        risk = None if update.risk is None else update.risk.model_dump(mode="json")
        return ChangeDetails(note, update.previous_due_at, update.changed_by, former, update.actor_id, risk)


def owner_data(holder: Holder, person: OwnerDetails) -> dict[str, object]:
    """The owner in an event: its kind, and the person when there is one."""
    return {"kind": holder[0], "csm_id": holder[1], "name": person.name, "email": person.email}


def touchpoint_data(
    touchpoint: Touchpoint,
    content: Mapping[str, Any],
    context: EventContext,
    change: ChangeDetails = NO_CHANGE,
) -> bytes:
    """The data of an event as JSON; `content` is a `TouchpointContent` as parsed JSON.

    The text of the reason of a cancelled touchpoint says why it was cancelled; the rule and the facts stay.
    """
    earliest_at, latest_at = touchpoint.window
    data: dict[str, object] = {
        "touchpoint_id": touchpoint.id,
        "account_id": touchpoint.account_id,
        "account_name": context.account_name,
        "touchpoint_type": touchpoint.type,
        "status": touchpoint.status,
        "due_at": touchpoint.due_at,
        "released_at": touchpoint.released_at,
        "deadline": touchpoint.deadline,
        "window": {"from": earliest_at, "to": latest_at},
        "owner": owner_data(touchpoint.holder, context.owner),
        "sequence": touchpoint.sequence,
        "minutes": touchpoint.minutes,
        "occurrence": touchpoint.number,
        "group": touchpoint.group,
        "url": context.console_url + account_page(touchpoint.account_id),
        **change._asdict(),
        **context.details,
        **content,
    }
    if touchpoint.cancellation is not None:
        data["reason"] = {**content["reason"], "text": touchpoint.cancellation.note}
    return orjson.dumps(data, option=orjson.OPT_UTC_Z)


def touchpoint_event(touchpoint: Touchpoint, kind: Kind, data: bytes, now: datetime) -> Outgoing:
    event_id = f"{touchpoint.id}:{touchpoint.sequence}:{kind}"
    headers = traces().event_headers(f"touchpoint {kind}", touchpoint.id, touchpoint.account_id)
    return Outgoing(EVENTS, touchpoint.account_id, event_id, touchpoint_event_type(kind), now, data, headers)


def update_events(
    updates: Sequence[TouchpointUpdate], directory: DirectoryDetails, console_url: str, now: datetime
) -> list[Outgoing]:
    """The events of the updates that have one."""
    contents: dict[int, Mapping[str, Any]] = {}
    events: list[Outgoing] = []
    for update in updates:
        if update.event_kind is None:
            continue
        content = contents.get(id(update.content))  # the occurrences of a rhythm share one
        if content is None:
            content = contents[id(update.content)] = update.content.model_dump(mode="json")
        context = directory.context_of(update.touchpoint, console_url)
        data = touchpoint_data(update.touchpoint, content, context, directory.change_of(update))
        event = touchpoint_event(update.touchpoint, update.event_kind, data, now)
        events.append(event._replace(id=_name_event(event, update)))
    return events


def _name_event(event: Outgoing, update: TouchpointUpdate) -> str:
    """The id of the event. What changes no touchpoint is named by what it is about, so that nothing is said twice:
    a reminder by the hours and the state that it reminds of, since a date may come back after a move, an alarm by the
    cause and when it was found.
    """
    touchpoint, risk = update.touchpoint, update.risk
    if update.reminder_hours is not None:
        return f"{event.id}:{update.reminder_hours}"
    if risk is not None:
        return f"{touchpoint.id}:{format_instant(risk.since)}:at_risk:{risk.cause}"
    return event.id


def settled_event(touchpoint: Touchpoint, outcome: RecordedOutcome, to: datetime | None) -> Outgoing:
    """The outcome that a person entered here, for the readers of `touchpoint.outcomes`, under the outcome's id."""
    # Not validated: notes that a person entered may have blanks around them, which the readers cut off.
    data = TouchpointSettled.of_valid(
        touchpoint_id=touchpoint.id,
        touchpoint_type=touchpoint.type,
        outcome=outcome.kind,
        at=outcome.time,
        to=to,
        notes=outcome.notes,
    )
    return Outgoing(
        OUTCOMES, touchpoint.account_id, outcome.id, TOUCHPOINT_SETTLED, outcome.time, data.write()
    )
