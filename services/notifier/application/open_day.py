"""Open the day of a person: what the calendar has for it, and what waited for this morning, goes in one mail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.directory import CsmRecord, TouchpointTypeRecord
from schemas.touchpoints import TouchpointData
from services.notifier.application.calendar import Calendar
from services.notifier.application.ingest_events import GATHERS
from services.notifier.application.ports import NewDelivery, Now, UnitOfWork
from services.notifier.domain.decision import Action, Timing
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.delivery_policy import decide_delivery
from services.notifier.domain.event import TODAY, Event
from services.notifier.domain.situation import Directory
from services.notifier.domain.working_day import DayCause, covered_from_to, day_cause, local_day


@dataclass(frozen=True, slots=True)
class Opening:
    """The morning of a person, at this service time."""

    person: CsmRecord
    at: datetime

    @property
    def fold_key(self) -> str:
        return f"day:{self.person.csm_id}"


class DayWork(UnitOfWork, Protocol):
    """One transaction in which a day is opened."""

    async def release_day_mail(self, fold_key: str, planned_at: datetime, causes: Sequence[DayCause]) -> None:
        """Make ready what waited for this moment, and the deliveries with these causes."""
        ...


class Days(Protocol):
    """Whose day begins, and opening it."""

    async def mornings(self) -> Sequence[Opening]:
        """Whose day begins now."""
        ...

    async def open(self, opening: Opening, touchpoints: Sequence[TouchpointData]) -> None:
        """Open the day. Doing it again adds nothing."""
        ...


async def read_day(opening: Opening, calendar: Calendar) -> Sequence[TouchpointData]:
    """What the person has until the next working day. Raises CalendarAway."""
    start, end = covered_from_to(opening.person, opening.at)
    return await calendar.day_of(opening.person.csm_id, start, end)


def complete_touchpoint(
    touchpoint: TouchpointData, catalogue: Mapping[str, TouchpointTypeRecord]
) -> TouchpointData:
    """The touchpoint with agenda and outcome of its type, where the calendar lists none."""
    kind = catalogue.get(touchpoint.touchpoint_type)
    if kind is None:
        return touchpoint
    more = {"agenda": touchpoint.agenda or kind.agenda, "expects": touchpoint.expects or kind.expects}
    return touchpoint.model_copy(update=more)


async def open_day(
    opening: Opening, touchpoints: Sequence[TouchpointData], *, work: DayWork, now: Now
) -> None:
    """Give each touchpoint of the day a delivery of its own, unless it has one, and let the mail go."""
    events = [_event(touchpoint, opening) for touchpoint in touchpoints]
    if events:
        await work.add_events(events)
        directory = await work.directory_of(events)
        new = [one for event in events if (one := _delivery(event, opening, directory, now)) is not None]
        if new:
            await work.add_deliveries(new, now)
    causes = [day_cause(one.touchpoint_id, opening.person, one.due_at) for one in touchpoints]
    await work.release_day_mail(opening.fold_key, opening.at, causes)


def _event(touchpoint: TouchpointData, opening: Opening) -> Event:
    """An event of the opening: the same each time that the day is opened."""
    day = local_day(opening.person, opening.at)
    event_id = f"{touchpoint.touchpoint_id}:{touchpoint.sequence}:today:{opening.person.csm_id}:{day}"
    return Event(event_id, TODAY, opening.at, touchpoint.write(), touchpoint)


def _delivery(event: Event, opening: Opening, directory: Directory, now: Now) -> NewDelivery | None:
    """The delivery of a touchpoint in the mail of the day; None where its own event tells of it."""
    recipient = Recipient(RecipientKind.CSM, opening.person.csm_id)
    situation = directory.situation_of(event, planned_at=opening.at)
    content = event.content
    if content.touchpoint_id is None or content.owner.csm_id != recipient.id:
        return None
    if content.status != "planned" and recipient.id in situation.notified:
        return None
    if decide_delivery(event, recipient, "email", situation, now.service).action is not Action.SEND:
        return None
    return NewDelivery(
        event,
        "email",
        recipient,
        next_at=now.real + GATHERS,
        timing=Timing(opening.fold_key, opening.at),
        cause=day_cause(content.touchpoint_id, opening.person, content.due_at),
    )
