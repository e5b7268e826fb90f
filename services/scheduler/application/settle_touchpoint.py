"""Settle touchpoints by outcomes, in whatever order they arrive.

The latest (time, source, id) wins. What a delivery proves is weaker than what a person reports, and a message that
reached somebody outweighs those that did not. An outcome of an unknown touchpoint waits for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schemas.cleaning import read_clean
from schemas.envelope import Envelope
from schemas.ids import derived_id
from schemas.outcomes import DeliveryFinished, TouchpointSettled
from services.calendar.plan import check_uuid
from services.calendar.touchpoint import (
    Origin,
    RecordedOutcome,
    Status,
    Touchpoint,
    settle,
)
from services.scheduler.application.ports import CalendarRepository, StoredTouchpoint, TouchpointUpdate

DELIVERY = "/drumbeat/notifier"


@dataclass(frozen=True, slots=True)
class Settlement:
    """An outcome for the touchpoint with that id, else for the earliest open one of that type.

    `to`: the new time of a rescheduled one.
    """

    account_id: str
    touchpoint_id: str | None
    type: str
    outcome: RecordedOutcome
    to: datetime | None = None
    by_delivery: bool = False


def read_settlement(envelope: Envelope) -> Settlement:
    """The settlement in a `touchpoint.settled` event. Raises Malformed."""
    settled = read_clean(TouchpointSettled, envelope.data).message
    touchpoint_id = settled.touchpoint_id and check_uuid(settled.touchpoint_id, "data.touchpoint_id")
    outcome = RecordedOutcome(settled.outcome, envelope.time, envelope.source, envelope.id, settled.notes)
    return Settlement(envelope.subject, touchpoint_id, settled.touchpoint_type, outcome, settled.to)


def read_delivery(envelope: Envelope) -> Settlement | None:
    """What a `delivery.finished` event proves about its touchpoint, if anything. Raises Malformed."""
    delivery = DeliveryFinished.read(envelope.data)
    if delivery.touchpoint_id is None or delivery.recipient.kind == "subscription":
        return None
    if delivery.cause == "handed_off":
        return None  # the platform that took it over reports the outcome
    touchpoint_id = check_uuid(delivery.touchpoint_id, "data.touchpoint_id")
    kind = "completed" if delivery.state == "sent" else "missed"
    outcome = RecordedOutcome(kind, envelope.time, envelope.source, envelope.id, delivery.reason)
    touchpoint_type = delivery.touchpoint_type or ""
    return Settlement(envelope.subject, touchpoint_id, touchpoint_type, outcome, by_delivery=True)


async def settle_touchpoints(
    settlements: Sequence[Settlement], calendars: CalendarRepository, now: datetime
) -> int:
    """Apply a batch in its order; the number of those that matched nothing that can be settled."""
    await calendars.lock({settlement.account_id for settlement in settlements})
    named = await calendars.find(
        {settlement.touchpoint_id for settlement in settlements if settlement.touchpoint_id}
    )
    unnamed = {
        (settlement.account_id, settlement.type) for settlement in settlements if not settlement.touchpoint_id
    }
    open_ones = await calendars.find_open(unnamed) if unnamed else ()
    batch = _Batch([*named.values(), *open_ones])
    for settlement in settlements:
        batch.apply(settlement)
    await calendars.save(list(batch.updates.values()), now)
    await calendars.save_early_outcomes(batch.early)
    return batch.unmatched


class _Batch:
    """The touchpoints of one batch, as they are after the settlements applied so far."""

    def __init__(self, stored: Sequence[StoredTouchpoint]) -> None:
        self.by_id = {item.touchpoint.id: item for item in stored}
        self.updates: dict[str, TouchpointUpdate] = {}
        self.early: dict[str, tuple[str, RecordedOutcome]] = {}
        self.unmatched = 0

    def apply(self, settlement: Settlement) -> None:
        if settlement.touchpoint_id is None:
            stored = self._earliest_open(settlement.account_id, settlement.type)
        else:
            stored = self.by_id.get(settlement.touchpoint_id)
            if stored is None:
                self._wait(settlement, settlement.touchpoint_id)
                return
        if stored is None or not _applies(settlement, stored.touchpoint):
            self.unmatched += 1
            return
        after = settle(stored.touchpoint, _outweigh(settlement, stored.touchpoint.outcome))
        if after is stored.touchpoint:
            return
        self.by_id[after.id] = StoredTouchpoint(after, stored.content)
        self.updates[after.id] = TouchpointUpdate(after, stored.content, None)
        if settlement.outcome.kind == "rescheduled" and settlement.to is not None:
            following = follow_up(after, settlement.to, settlement.outcome)
            if following.id not in self.by_id:
                following = following._replace(content=stored.content)
                self.updates[following.id] = TouchpointUpdate(following, stored.content, "scheduled")

    def _earliest_open(self, account_id: str, touchpoint_type: str) -> StoredTouchpoint | None:
        waiting = [
            stored
            for stored in self.by_id.values()
            if stored.touchpoint.account_id == account_id
            and stored.touchpoint.type == touchpoint_type
            and stored.touchpoint.status in (Status.DUE, Status.OVERDUE)
        ]
        return min(waiting, key=lambda stored: (stored.touchpoint.due_at, stored.touchpoint.id), default=None)

    def _wait(self, settlement: Settlement, touchpoint_id: str) -> None:
        before = self.early.get(touchpoint_id)
        is_newer = before is None or before[1].stamp < settlement.outcome.stamp
        if is_newer and not settlement.by_delivery:
            self.early[touchpoint_id] = (settlement.account_id, settlement.outcome)


def _applies(settlement: Settlement, touchpoint: Touchpoint) -> bool:
    if touchpoint.account_id != settlement.account_id or touchpoint.status is Status.CANCELLED:
        return False
    if not settlement.by_delivery:
        return True
    if touchpoint.is_led_by_person or touchpoint.status is Status.PLANNED:
        return False  # a message to the person does not mean that the touchpoint took place
    if touchpoint.outcome is None or touchpoint.outcome.kind == "reopened":
        return True
    return touchpoint.outcome.source == DELIVERY and touchpoint.outcome.kind == "missed"


def _outweigh(settlement: Settlement, before: RecordedOutcome | None) -> RecordedOutcome:
    """A message that reached somebody counts above one that did not, whichever has the later stamp."""
    if not settlement.by_delivery or before is None or settlement.outcome.kind == "missed":
        return settlement.outcome
    time = max(settlement.outcome.time, before.time + timedelta(microseconds=1))
    return replace(settlement.outcome, time=time)


def follow_up(touchpoint: Touchpoint, to: datetime, outcome: RecordedOutcome) -> Touchpoint:
    """The touchpoint, planned by hand, that replaces a rescheduled one after it came due; its deadline stays."""
    return Touchpoint(
        id=derived_id("touchpoint", touchpoint.account_id, touchpoint.type, outcome.source, outcome.id),
        account_id=touchpoint.account_id, type=touchpoint.type, origin=Origin.HAND,
        due_at=to, start_at=to, end_at=to, deadline=touchpoint.deadline, owner=touchpoint.owner, csm_id=touchpoint.csm_id,
        minutes=touchpoint.minutes, content=touchpoint.content, pinned=True, follows=touchpoint.id,
    )  # fmt: skip
