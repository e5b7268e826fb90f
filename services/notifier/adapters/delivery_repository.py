"""Deliveries as rows: written at intake, suppressed when their touchpoint is called off."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.chassis.database import Connection
from services.chassis.ids import derived
from services.chassis.outbox import Outgoing
from services.notifier.adapters.messages import finished
from services.notifier.application.ports import Entry, InApp, Now
from services.notifier.domain.delivery import Delivery, Recipient, RecipientKind, State
from services.notifier.domain.event import Announcement

ADD = """
INSERT INTO delivery (id, event_key, message_id, touchpoint_id, touchpoint_type, account_id, channel,
    recipient_kind, recipient_id, state, reason, next_at, rouse_at, waits_until, deadline, finished_at)
SELECT u.id, u.event_key, u.id, u.touchpoint_id, u.touchpoint_type, u.account_id, u.channel,
    u.kind, u.recipient_id, u.state, u.reason, u.next_at, u.rouse_at, u.waits_until, u.deadline, u.finished_at
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[],
    $15::timestamptz[])
  AS u(id, event_key, touchpoint_id, touchpoint_type, account_id, channel, kind, recipient_id, state, reason,
    next_at, rouse_at, waits_until, deadline, finished_at)
ON CONFLICT (id) DO NOTHING RETURNING id
"""
ADD_IN_APP = """
INSERT INTO in_app (id, recipient_kind, recipient_id, account_id, touchpoint_id, touchpoint_type, title, body,
    due_at, at)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::text[], $9::timestamptz[], $10::timestamptz[])
ON CONFLICT (id) DO NOTHING
"""
# What a sender holds at this moment may be on its way already: its own gate decides about another attempt.
SUPPRESS_WITHDRAWN = """
WITH off AS (
    SELECT d.id, u.reason FROM unnest($1::text[], $2::text[]) AS u(touchpoint_id, reason)
    JOIN delivery d ON d.touchpoint_id = u.touchpoint_id
    WHERE d.state = 'pending' AND d.channel <> 'webhook'
        AND (d.lease_until IS NULL OR d.lease_until < $3)
    FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery d SET state = 'suppressed', reason = 'the touchpoint was called off: ' || off.reason,
    next_at = NULL, rouse_at = NULL, lease_token = NULL, finished_at = $4
FROM off WHERE d.id = off.id
RETURNING d.id, d.channel, d.recipient_kind, d.recipient_id, d.reason, d.account_id, d.touchpoint_id,
    d.touchpoint_type
"""


async def add_entries(connection: Connection, entries: Sequence[Entry], now: Now) -> list[Entry]:
    """Write deliveries and in-app entries; answer those that were not there before."""
    held = {each.delivery.id: each for each in entries}
    rows = [held[each] for each in sorted(held)]
    added = await connection.fetch(
        ADD,
        [each.delivery.id for each in rows],
        [derived("event", each.heard.event_id) for each in rows],
        [each.heard.touchpoint_id for each in rows],
        [each.heard.touchpoint_type for each in rows],
        [each.heard.account_id for each in rows],
        [each.delivery.channel for each in rows],
        [each.delivery.recipient.kind for each in rows],
        [each.delivery.recipient.id for each in rows],
        [each.delivery.state for each in rows],
        [each.delivery.reason for each in rows],
        [None if each.send_after else each.delivery.next_at for each in rows],
        [rouse_at(each.delivery, each.send_after, each.heard.deadline) for each in rows],
        [each.waits_until for each in rows],
        [each.heard.deadline for each in rows],
        [now.service if each.delivery.state.final else None for each in rows],
    )
    new = [held[str(row[0])] for row in added]
    await post_in_app(
        connection, [(each.delivery, each.heard, each.in_app) for each in new if each.in_app], now.service
    )
    return new


def rouse_at(delivery: Delivery, send_after: datetime | None, deadline: datetime | None) -> datetime | None:
    """The service time at which a pending delivery must be looked at, whatever it waits for."""
    if delivery.state.final or delivery.channel == "webhook":
        return None
    return min((each for each in (send_after, deadline) if each is not None), default=None)


async def post_in_app(
    connection: Connection, rows: Sequence[tuple[Delivery, Announcement, InApp]], at: datetime
) -> None:
    if not rows:
        return
    await connection.execute(
        ADD_IN_APP,
        [delivery.id for delivery, _, _ in rows],
        [delivery.recipient.kind for delivery, _, _ in rows],
        [delivery.recipient.id for delivery, _, _ in rows],
        [heard.account_id for _, heard, _ in rows],
        [heard.touchpoint_id for _, heard, _ in rows],
        [heard.touchpoint_type for _, heard, _ in rows],
        [entry.title for _, _, entry in rows],
        [entry.body for _, _, entry in rows],
        [heard.due_at for _, heard, _ in rows],
        [at for _ in rows],
    )


async def suppress_withdrawn(
    connection: Connection, latest: Mapping[str, Announcement], now: Now
) -> list[Outgoing]:
    """Suppress what is pending about these touchpoints; answer the reports of it."""
    ids = sorted(latest)
    reasons = [latest[each].withdraws or "" for each in ids]
    rows = await connection.fetch(SUPPRESS_WITHDRAWN, ids, reasons, now.real, now.service)
    return [
        finished(
            Delivery(str(row[0]), row[1], Recipient(RecipientKind(row[2]), row[3]), State.SUPPRESSED, row[4]),
            account_id=row[5],
            touchpoint=(row[6], row[7]),
            at=now.service,
        )
        for row in rows
    ]
