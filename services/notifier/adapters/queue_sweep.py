"""What leaves the queue without a sender, or becomes ready at its time on the service clock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.chassis.database import Connection
from services.chassis.outbox import Outbox
from services.notifier.adapters.delivery_repository import END
from services.notifier.adapters.erasure import erase_final
from services.notifier.adapters.messages import report_finished_row
from services.notifier.application.ingest_events import GATHERS
from services.notifier.application.ports import Now

WAKE_DUE = """
WITH due AS (
    SELECT delivery_id FROM delivery_queue WHERE rouse_at <= $1
    ORDER BY rouse_at LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE delivery_queue q SET next_at = least(q.next_at, $2), rouse_at = CASE WHEN q.deadline > $1 THEN q.deadline END
FROM due WHERE q.delivery_id = due.delivery_id RETURNING q.delivery_id
"""
CLOSE_ORPHANS = f"""
WITH orphan AS (
    SELECT q.delivery_id, s.deleted FROM subscription s JOIN delivery_queue q ON q.recipient_id = s.id
    WHERE NOT s.active AND q.channel = 'webhook' AND (q.lease_until IS NULL OR q.lease_until < $2)
    LIMIT $3 FOR UPDATE OF q SKIP LOCKED
), ended AS (
    DELETE FROM delivery_queue q USING orphan o WHERE q.delivery_id = o.delivery_id
    RETURNING q.*, CASE WHEN o.deleted THEN 'suppressed' ELSE 'failed' END AS end_state,
        CASE WHEN o.deleted THEN 'the subscription was deleted' ELSE 'the endpoint was disabled' END AS end_reason
){END}
"""
# What is no longer kept anywhere cannot be sent any more.
CLOSE_LOST = f"""
WITH lost AS (
    SELECT delivery_id FROM delivery_queue q WHERE created_at < $4 AND (lease_until IS NULL OR lease_until < $2)
        AND NOT EXISTS (SELECT FROM feed f WHERE f.key = q.event_key AND f.said_at = q.event_at)
        AND NOT EXISTS (SELECT FROM undelivered_event u WHERE u.key = q.event_key AND u.event_at = q.event_at)
    LIMIT $3 FOR UPDATE SKIP LOCKED
), ended AS (
    DELETE FROM delivery_queue q USING lost WHERE q.delivery_id = lost.delivery_id
    RETURNING q.*, CASE WHEN q.ambiguous THEN 'failed' ELSE 'expired' END AS end_state,
        'its event is older than the events that are kept' AS end_reason
){END}
"""
_GATHERING = """channel <> 'webhook' AND attempts = 0 AND next_at <= $1::timestamptz + $2::interval
    AND (lease_until IS NULL OR lease_until < $1)"""
COUNT_GATHERING = f"SELECT count(*) FROM delivery_queue WHERE {_GATHERING}"
RELEASE_GATHERING = (
    f"UPDATE delivery_queue SET next_at = least(next_at, $1) WHERE {_GATHERING} RETURNING delivery_id"
)
SWEEP_BATCH = 500


async def count_gathering(connection: Connection, real: datetime) -> int:
    return int(await connection.fetchval(COUNT_GATHERING, real, GATHERS))


async def release_gathering(connection: Connection, real: datetime) -> int:
    return len(await connection.fetch(RELEASE_GATHERING, real, GATHERS))


async def wake_due(connection: Connection, now: Now) -> int:
    """Make ready what waited until now on the service clock or reached its deadline; returns how many."""
    return len(await connection.fetch(WAKE_DUE, now.service, now.real, SWEEP_BATCH))


async def close_orphans(connection: Connection, outbox: Outbox, now: Now) -> int:
    """Finish the webhooks of deleted and disabled subscriptions; returns how many."""
    rows = await connection.fetch(CLOSE_ORPHANS, now.service, now.real, SWEEP_BATCH)
    return await _report(connection, outbox, rows, now)


async def close_lost(connection: Connection, outbox: Outbox, now: Now, before: datetime) -> int:
    """Finish what was made before then (real time) and whose event is not kept any more; returns how many."""
    rows = await connection.fetch(CLOSE_LOST, now.service, now.real, SWEEP_BATCH, before)
    return await _report(connection, outbox, rows, now)


async def _report(connection: Connection, outbox: Outbox, rows: Sequence[Any], now: Now) -> int:
    """Report the deliveries of these rows of `END`, and erase those that were only kept until they are final."""
    erased = [str(row[0]) for row in rows if row["erase_when_final"]]
    if erased:
        await erase_final(connection, erased)
    kept = [row for row in rows if not row["erase_when_final"]]
    reports = [report for row in kept for report in report_finished_row(row, now.service)]
    await outbox.append(connection, reports)
    return len(rows)
