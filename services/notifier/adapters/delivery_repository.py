"""Deliveries as rows: created from events, suppressed when their touchpoint is withdrawn.

A delivery is a row of `delivery`, its record, and while it is pending one of `delivery_queue`. What ends without
being sent is also listed in `delivery_unsent`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from schemas.ids import derived_id
from services.chassis.database import Connection
from services.chassis.outbox import Outgoing
from services.notifier.adapters.merging import STAYS
from services.notifier.adapters.messages import report_finished, report_finished_row
from services.notifier.adapters.undelivered_events import keep_events
from services.notifier.application.ports import InAppMessage, NewDelivery, Now
from services.notifier.domain.delivery import CALENDAR, IN_DOUBT, Delivery, Recipient
from services.notifier.domain.event import Event, News

# A delivery for a cause may be one of before its cause had a time: that one has another key.
ADD = f"""
WITH wanted AS MATERIALIZED (
    SELECT u.*, {STAYS} AS stays
    FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[],
        $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[],
        $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::text[],
        $19::timestamptz[])
      AS u(id, caused_at, event_key, event_at, touchpoint_id, touchpoint_type, account_id, channel, kind, recipient_id,
        state, reason, next_at, rouse_at, waits_until, deadline, finished_at, fold_key, planned_at)
), added AS (
    INSERT INTO delivery (id, caused_at, event_key, message_id, touchpoint_id, touchpoint_type, account_id, channel,
        recipient_kind, recipient_id, state, reason, finished_at)
    SELECT id, caused_at, event_key, id, touchpoint_id, touchpoint_type, stays, channel, kind, recipient_id, state,
        reason, finished_at
    FROM wanted WHERE caused_at = event_at OR NOT EXISTS (SELECT FROM delivery d WHERE d.id = wanted.id)
    ON CONFLICT (id, caused_at) DO NOTHING RETURNING id, seq, created_at
), queued AS (
    INSERT INTO delivery_queue (delivery_id, caused_at, event_key, event_at, seq, message_id, account_id, channel,
        recipient_kind, recipient_id, touchpoint_id, touchpoint_type, reason, next_at, rouse_at, waits_until, deadline,
        fold_key, planned_at, created_at)
    SELECT id, caused_at, event_key, event_at, seq, id, stays, channel, kind, recipient_id, touchpoint_id,
        touchpoint_type, reason, next_at, rouse_at, waits_until, deadline, fold_key, planned_at, created_at
    FROM added JOIN wanted USING (id) WHERE state = 'pending'
), unsent AS (
    INSERT INTO delivery_unsent (delivery_id, caused_at, seq, state, account_id, channel, recipient_kind, recipient_id,
        created_at)
    SELECT id, caused_at, seq, state, stays, channel, kind, recipient_id, created_at
    FROM added JOIN wanted USING (id) WHERE state NOT IN ('pending', 'sent')
), ended AS (
    SELECT channel, state AS end_state, event_key, event_at FROM added JOIN wanted USING (id)
), {keep_events("ended")}
SELECT id FROM added
"""
ADD_IN_APP = f"""
INSERT INTO in_app (id, recipient_kind, recipient_id, account_id, touchpoint_id, touchpoint_type, title, body,
    due_at, at)
SELECT id, kind, recipient_id, {STAYS}, touchpoint_id, touchpoint_type, title, body, due_at, at
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::timestamptz[])
  AS u(id, kind, recipient_id, account_id, touchpoint_id, touchpoint_type, title, body, due_at, at)
ON CONFLICT DO NOTHING
"""
# Of `ended`: what was taken from the queue, with the `end_state` and the `end_reason` of each. $1: service time.
END = f"""
, counted AS (
    SELECT *, CASE WHEN ambiguous THEN end_reason || '; {IN_DOUBT}' ELSE end_reason END AS final_reason FROM ended
), record AS (
    UPDATE delivery d SET state = end_state, reason = final_reason, finished_at = $1, ambiguous = c.ambiguous,
        message_id = c.message_id
    FROM counted c WHERE d.id = c.delivery_id AND d.caused_at = c.caused_at
), unsent AS (
    INSERT INTO delivery_unsent (delivery_id, caused_at, seq, state, account_id, channel, recipient_kind, recipient_id,
        created_at)
    SELECT delivery_id, caused_at, seq, end_state, account_id, channel, recipient_kind, recipient_id, created_at
    FROM counted
), {keep_events("counted")}
SELECT delivery_id, channel, recipient_kind, recipient_id, end_state, final_reason, account_id, touchpoint_id,
    touchpoint_type, erase_when_final
FROM counted
"""
# A delivery under a lease may be sent already; its sender decides once more before another attempt.
# $5: a type to which it is limited, or null.
SUPPRESS_WITHDRAWN = f"""
WITH affected AS (
    SELECT q.delivery_id, u.reason FROM unnest($3::text[], $4::text[]) AS u(touchpoint_id, reason)
    JOIN delivery_queue q ON q.touchpoint_id = u.touchpoint_id
    WHERE q.channel <> 'webhook' AND ($5::text IS NULL OR q.touchpoint_type = $5)
        AND (q.lease_until IS NULL OR q.lease_until < $2)
    FOR UPDATE OF q SKIP LOCKED
), ended AS (
    DELETE FROM delivery_queue q USING affected a WHERE q.delivery_id = a.delivery_id
    RETURNING q.*, 'suppressed' AS end_state, 'withdrawn: ' || a.reason AS end_reason
){END}
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
    by_id = {_id_of(new): new for new in deliveries}
    ids = sorted(by_id)
    rows = [by_id[identity] for identity in ids]
    added = await connection.fetch(
        ADD,
        ids,
        [row.cause.at if row.cause else row.event.time for row in rows],
        [event_key(row.event.id) for row in rows],
        [row.event.time for row in rows],
        [row.event.content.touchpoint_id for row in rows],
        [row.event.message_type for row in rows],
        [row.event.content.account_id for row in rows],
        [row.channel for row in rows],
        [row.recipient.kind for row in rows],
        [row.recipient.id for row in rows],
        [row.state for row in rows],
        [row.reason for row in rows],
        [None if row.send_after else row.next_at for row in rows],
        [None if row.state.is_final else wake_at(row.channel, row.send_after, row.event) for row in rows],
        [row.waits_until for row in rows],
        [deadline_of(row.channel, row.event) for row in rows],
        [now.service if row.state.is_final else None for row in rows],
        [(row.timing.fold_key or None) if row.timing else None for row in rows],
        [row.timing.planned_at if row.timing else None for row in rows],
    )
    created = [(str(row[0]), by_id[str(row[0])]) for row in added]
    messages = [(id_, new.recipient, new.event, new.in_app) for id_, new in created if new.in_app]
    await post_in_app(connection, messages, now.service)
    final = [(id_, new) for id_, new in created if new.state.is_final]
    return [report for id_, new in final for report in _report(id_, new, now.service)]


def _id_of(new: NewDelivery) -> str:
    return delivery_id(new.cause.id if new.cause else new.event.id, new.channel, new.recipient)


def _report(id_: str, new: NewDelivery, at: datetime) -> list[Outgoing]:
    content = new.event.content
    return report_finished(
        Delivery(id_, new.channel, new.recipient, new.state, new.reason),
        account_id=content.account_id,
        touchpoint=(content.touchpoint_id, new.event.message_type),
        at=at,
    )


def wake_at(channel: str, send_after: datetime | None, event: Event) -> datetime | None:
    """The service time at which a pending delivery is decided on again, whatever it waits for."""
    if channel == "webhook":
        return None
    moments = (send_after, _ends_at(channel, event))
    return min((moment for moment in moments if moment is not None), default=None)


def _ends_at(channel: str, event: Event) -> datetime | None:
    """When its messages come too late. What tells of a touchpoint after its deadline has no such moment."""
    if event.news is News.REMINDER:
        return event.ends_at
    return deadline_of(channel, event) if event.news is News.DUE or channel == CALENDAR else None


def deadline_of(channel: str, event: Event) -> datetime | None:
    """Until when a message is worth sending: an invitation until its touchpoint takes place."""
    return event.content.due_at if channel == CALENDAR else event.content.deadline


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
        [event.message_type for _, _, event, _ in messages],
        [message.title for _, _, _, message in messages],
        [message.body for _, _, _, message in messages],
        [event.content.due_at for _, _, event, _ in messages],
        [at for _ in messages],
    )


async def suppress_withdrawn(
    connection: Connection, reasons: Mapping[str, str], now: Now, only: str | None = None
) -> list[Outgoing]:
    """Suppress the pending messages about these touchpoints, by id with the reason; returns the reports.

    `only`: the type of the messages; None: all.
    """
    ids = sorted(reasons)
    texts = [reasons[touchpoint_id] for touchpoint_id in ids]
    rows = await connection.fetch(SUPPRESS_WITHDRAWN, now.service, now.real, ids, texts, only)
    return [report for row in rows for report in report_finished_row(row, now.service)]
