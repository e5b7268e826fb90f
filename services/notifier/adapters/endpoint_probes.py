"""Probes of endpoints that fail and have nothing to do: the last event that one did not get is sent once more.

Only failures count towards warnings and the end of an endpoint, and retries end before those days are over. Without a
probe an endpoint that gets few events would fail for ever. All times are real.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import structlog

from services.chassis.database import Connection, Database
from services.notifier.adapters.delivery_repetition import find_last_failed, repeat_deliveries
from services.notifier.adapters.merging import keep_merges_out

log = structlog.get_logger(__name__)

MADE_BEFORE: Final = timedelta(days=5)
"""By how much a delivery may be older than the failure that began the days: longer than its retries last."""
REASON: Final = "the endpoint keeps failing: its last event is sent once more"
SILENT: Final = """
SELECT id, failing_since FROM subscription s WHERE id = ANY($1) AND active AND NOT deleted
    AND failing_since IS NOT NULL
    AND NOT EXISTS (SELECT FROM delivery_queue q WHERE q.recipient_id = s.id AND q.channel = 'webhook')
"""


async def probe_endpoints(database: Database, candidates: Collection[str], real: datetime) -> int:
    """Send to those of these endpoints for which nothing waits what they did not get last; returns to how many."""
    probed = 0
    for endpoint_id, failing_since in await database.pool.fetch(SILENT, list(candidates)):
        async with database.transaction() as connection:
            if await _probe(connection, endpoint_id, failing_since - MADE_BEFORE, real):
                probed += 1
                log.info("endpoint.probed", subscription=endpoint_id)
    return probed


async def _probe(connection: Connection, endpoint_id: str, since: datetime, real: datetime) -> bool:
    await keep_merges_out(connection)
    failed = await find_last_failed(connection, endpoint_id, since)
    return await repeat_deliveries(connection, failed, REASON, real) > 0
