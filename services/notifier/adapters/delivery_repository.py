"""Deliveries as rows: created from events, suppressed when their touchpoint is withdrawn."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.ids import derived_id
from services.chassis.database import Connection
from services.chassis.outbox import Outgoing
from services.notifier.adapters.messages import delivery_finished, delivery_finished_of_row
from services.notifier.application.ports import InAppMessage, NewDelivery, Now
from services.notifier.domain.delivery import Delivery, Recipient
from services.notifier.domain.event import Event, News

ADD = """
INSERT INTO delivery (id, event_key, message_id, touchpoint_id, touchpoint_type, account_id, channel,
    recipient_kind, recipient_id, state, reason, next_at, rouse_at, waits_until, deadline, finished_at, fold_key,
    planned_at)
SELECT u.id, u.event_key, u.id, u.touchpoint_id, u.touchpoint_type, u.account_id, u.channel,
    u.kind, u.recipient_id, u.state, u.reason, u.next_at, u.rouse_at, u.waits_until, u.deadline, u.finished_at,
    u.fold_key, u.planned_at
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[],
    $15::timestamptz[], $16::text[], $17::timestamptz[])
  AS u(id, event_key, touchpoint_id, touchpoint_type, account_id, channel, kind, recipient_id, state, reason,
    next_at, rouse_at, waits_until, deadline, finished_at, fold_key, planned_at)
ON CONFLICT (id) DO NOTHING RETURNING id
"""
ADD_IN_APP = """
INSERT INTO in_app (id, recipient_kind, recipient_id, account_id, touchpoint_id, touchpoint_type, title, body,
    due_at, at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::timestamptz[], $10::timestamptz[])
ON CONFLICT (id) DO NOTHING
"""
# A delivery under a lease may be sent already; its sender decides once more before another attempt.
SUPPRESS_WITHDRAWN = """
WITH affected AS (
    SELECT d.id, u.reason FROM unnest($1::text[], $2::text[]) AS u(touchpoint_id, reason)
    JOIN delivery d ON d.touchpoint_id = u.touchpoint_id
    WHERE d.state = 'pending' AND d.channel <> 'webhook'
        AND (d.lease_until IS NULL OR d.lease_until < $3)
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery d SET state = 'suppressed', reason = 'withdrawn: ' || affected.reason,
    next_at = NULL, rouse_at = NULL, lease_token = NULL, finished_at = $4
FROM affected WHERE d.id = affected.id
RETURNING d.id, d.channel, d.recipient_kind, d.recipient_id, d.state, d.reason, d.account_id, d.touchpoint_id,
    d.touchpoint_type
"""


def event_key(event_id: str) -> str:
    return derived_id("event", event_id)


def delivery_id(event_id: str, channel: str, recipient: Recipient, *, recovery: int = 0) -> str:
    """The id that follows from event, channel and recipient; each recovery of a failed delivery has its own."""
    recipient_id = f"nobody:{recipient.kind}" if recipient.id is None else recipient.id
    parts = ["recovery", str(recovery)] if recovery else []
    return derived_id("delivery", event_id, channel, recipient_id, *parts)


async def add_deliveries(
    connection: Connection, deliveries: Sequence[NewDelivery], now: Now
) -> list[Outgoing]:
    """Create those that do not exist, with their in-app messages; returns the reports of the final ones."""
    by_id = {delivery_id(new.cause or new.event.id, new.channel, new.recipient): new for new in deliveries}
    ids = sorted(by_id)
    rows = [by_id[identity] for identity in ids]
    added = await connection.fetch(
        ADD,
        ids,
        [event_key(row.event.id) for row in rows],
        [row.event.content.touchpoint_id for row in rows],
        [row.event.content.touchpoint_type for row in rows],
        [row.event.content.account_id for row in rows],
        [row.channel for row in rows],
        [row.recipient.kind for row in rows],
        [row.recipient.id for row in rows],
        [row.state for row in rows],
        [row.reason for row in rows],
        [None if row.send_after else row.next_at for row in rows],
        [None if row.state.is_final else wake_at(row.channel, row.send_after, row.event) for row in rows],
        [row.waits_until for row in rows],
        [row.event.content.deadline for row in rows],
        [now.service if row.state.is_final else None for row in rows],
        [row.timing.fold_key if row.timing else None for row in rows],
        [row.timing.planned_at if row.timing else None for row in rows],
    )
    created = [(str(row[0]), by_id[str(row[0])]) for row in added]
    messages = [(id_, new.recipient, new.event, new.in_app) for id_, new in created if new.in_app]
    await post_in_app(connection, messages, now.service)
    return [_report(id_, new, now.service) for id_, new in created if new.state.is_final]


def _report(id_: str, new: NewDelivery, at: datetime) -> Outgoing:
    content = new.event.content
    return delivery_finished(
        Delivery(id_, new.channel, new.recipient, new.state, new.reason),
        account_id=content.account_id,
        touchpoint=(content.touchpoint_id, content.touchpoint_type),
        at=at,
    )


def wake_at(channel: str, send_after: datetime | None, event: Event) -> datetime | None:
    """The service time at which a pending delivery is decided on again, whatever it waits for."""
    if channel == "webhook":
        return None
    # What tells of a touchpoint after its deadline has none of its own.
    moments = (send_after, event.content.deadline if event.news is News.DUE else None)
    return min((moment for moment in moments if moment is not None), default=None)


async def post_in_app(
    connection: Connection, messages: Sequence[tuple[str, Recipient, Event, InAppMessage]], at: datetime
) -> None:
    """Post messages, each with the id of its delivery, in the feeds of their recipients."""
    if not messages:
        return
    await connection.execute(
        ADD_IN_APP,
        [id_ for id_, _, _, _ in messages],
        [recipient.kind for _, recipient, _, _ in messages],
        [recipient.id for _, recipient, _, _ in messages],
        [event.content.account_id for _, _, event, _ in messages],
        [event.content.touchpoint_id for _, _, event, _ in messages],
        [event.content.touchpoint_type for _, _, event, _ in messages],
        [message.title for _, _, _, message in messages],
        [message.body for _, _, _, message in messages],
        [event.content.due_at for _, _, event, _ in messages],
        [at for _ in messages],
    )


async def suppress_withdrawn(connection: Connection, reasons: Mapping[str, str], now: Now) -> list[Outgoing]:
    """Suppress the pending messages about these touchpoints, by id with the reason; returns the reports."""
    ids = sorted(reasons)
    rows = await connection.fetch(
        SUPPRESS_WITHDRAWN, ids, [reasons[touchpoint_id] for touchpoint_id in ids], now.real, now.service
    )
    return [delivery_finished_of_row(row, now.service) for row in rows]
