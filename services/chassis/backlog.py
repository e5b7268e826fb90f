"""Measures what waits without anybody failing: records in the outbox, and partitions that no replica reads.

Each replica measures both, so that one that hangs is noticed by the others. All times are real.
"""

from collections.abc import Sequence
from typing import Final

from services.chassis.batches import Subscription
from services.chassis.database import Database
from services.chassis.loops import Loop
from services.chassis.telemetry import METRICS

EVERY_SECONDS: Final = 10.0
OLDEST_SECONDS: Final = """
SELECT extract(epoch FROM clock_timestamp() - created_at)::float8 FROM outbox ORDER BY id LIMIT 1
"""
# A topic that an earlier version read has rows as well; nobody has to read it.
UNOWNED: Final = """
SELECT count(*) FROM consumer_lease l JOIN consumer_offset o USING (cluster, grp, topic, part)
WHERE l.cluster = $1 AND l.grp = $2 AND l.topic = ANY($3) AND o.halted IS NULL
  AND (l.owner IS NULL OR l.leased_until < clock_timestamp())
"""


def backlog_loop(database: Database, cluster: str, subscriptions: Sequence[Subscription]) -> Loop:
    """A loop that sets the gauges of the outbox of this database and of the partitions of these subscriptions."""

    async def run_once() -> float | None:
        oldest = await database.pool.fetchval(OLDEST_SECONDS)
        METRICS.outbox_oldest.set(max(0.0, oldest or 0.0))
        for subscription in subscriptions:
            group, topics = subscription.group, list(subscription.topics)
            unowned = await database.pool.fetchval(UNOWNED, cluster, group, topics)
            METRICS.unowned.labels(group).set(unowned)
        return None

    return Loop("backlog", interval=EVERY_SECONDS, run_once=run_once)
