"""How long rows are kept: months are dropped whole; the few rows beside them are deleted.

The limits count real time. Events, deliveries and in-app messages are dated by the service clock, which is counted back
as it went.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from services.chassis.clock import ServiceClock, real_now
from services.chassis.database import Database
from services.chassis.loops import Loop
from services.chassis.partitions import PartitionedTable, oldest_kept, partition_loop
from services.chassis.settings import Retention
from services.notifier.adapters.delivery_queue import DeliveryQueue
from services.notifier.adapters.queue_sweep import SWEEP_BATCH
from services.notifier.domain.event import CONTENT, DUE

# The end of a delivery writes its row once more: with room for that on the page no index changes.
DELIVERIES: Final = PartitionedTable("delivery", "caused_at", storage="fillfactor = 50")
UNSENT: Final = PartitionedTable("delivery_unsent", "caused_at")
IN_APP: Final = PartitionedTable("in_app", "at")
FEED: Final = PartitionedTable("feed", "said_at")
UNDELIVERED: Final = PartitionedTable("undelivered_event", "event_at")
WRITTEN: Final = PartitionedTable("written_message", "written_at")
PRUNE_SECONDS: Final = 600.0
BATCH_ROWS: Final = 5_000
PRUNE_WITHDRAWN: Final = f"""
DELETE FROM withdrawn WHERE ctid = ANY (ARRAY(SELECT ctid FROM withdrawn WHERE heard_at < $1 LIMIT {BATCH_ROWS}))
"""
PRUNE_PROGRAMS: Final = f"""
DELETE FROM presented_program
WHERE ctid = ANY (ARRAY(SELECT ctid FROM presented_program WHERE presented_at < $1 LIMIT {BATCH_ROWS}))
"""


# What is over can be neither moved nor cancelled. Service time.
PRUNE_INVITATIONS: Final = f"""
DELETE FROM invitation WHERE ctid = ANY (ARRAY(SELECT ctid FROM invitation WHERE ends_at < $1 LIMIT {BATCH_ROWS}))
"""
# Of messages and talks that no budget reads any more. Service time.
PRUNE_COUNTED: Final = tuple(
    f"DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {table} WHERE at < $1 LIMIT {BATCH_ROWS}))"
    for table in ("counted_message", "counted_talk")
)
PRUNE_INBOUND: Final = f"""
DELETE FROM inbound_mail WHERE ctid = ANY (ARRAY(SELECT ctid FROM inbound_mail WHERE received_at < $1 LIMIT {BATCH_ROWS}))
"""
# Their texts are kept as long as mails.
PRUNE_DRAFTS: Final = f"""
DELETE FROM draft WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM draft d WHERE created_at < $1 AND (state <> 'pending' OR NOT EXISTS (
        SELECT FROM draft_recipient r JOIN delivery_queue q USING (delivery_id) WHERE r.draft_id = d.id))
    LIMIT {BATCH_ROWS}))
"""
# What platforms got has personal data: it is kept as long as mails, as far as it is not still to be sent.
PRUNE_HAND_OFFS: Final = f"""
DELETE FROM undelivered_event e USING (
    SELECT key, event_at FROM undelivered_event u
    WHERE event_at < $1 AND type = '{DUE}' AND event_id LIKE '%{CONTENT}'
        AND NOT EXISTS (SELECT FROM delivery_queue q WHERE q.event_key = u.key) LIMIT {BATCH_ROWS}
) old WHERE e.key = old.key AND e.event_at = old.event_at
"""


async def begin_retention(
    database: Database, queue: DeliveryQueue, clock: ServiceClock, retention: Retention
) -> Sequence[Loop]:
    """All loops, after a first pass over the partitions: a row that came before its month would stay in no month."""
    months = partition_loops(database, clock, retention)
    for loop in months:
        await loop.run_once()
    return [*months, prune_loop(database, queue, clock, retention)]


def partition_loops(database: Database, clock: ServiceClock, retention: Retention) -> Sequence[Loop]:
    """Make the months ahead and drop the old ones of each table."""
    deliveries, receipts = timedelta(days=retention.deliveries_days), timedelta(days=retention.receipts_days)
    kept = ((DELIVERIES, deliveries), (UNSENT, deliveries), (IN_APP, deliveries), (FEED, receipts))
    mails, undelivered = timedelta(days=retention.messages_days), timedelta(days=retention.undelivered_days)
    return [
        *(partition_loop(database, table, keep=keep, at=clock.at) for table, keep in kept),
        partition_loop(database, UNDELIVERED, keep=undelivered, at=clock.at),
        partition_loop(database, WRITTEN, keep=mails),
    ]


def prune_loop(database: Database, queue: DeliveryQueue, clock: ServiceClock, retention: Retention) -> Loop:
    """Deletes old rows of the tables without months, and finishes deliveries whose event is not kept any more."""
    deliveries, receipts = timedelta(days=retention.deliveries_days), timedelta(days=retention.receipts_days)

    async def run_once() -> float | None:
        real = real_now()
        withdrawn = await database.pool.execute(PRUNE_WITHDRAWN, real - receipts)
        programs = await database.pool.execute(PRUNE_PROGRAMS, oldest_kept(real, deliveries, clock.at))
        invitations = await database.pool.execute(PRUNE_INVITATIONS, oldest_kept(real, receipts, clock.at))
        inbound = await database.pool.execute(PRUNE_INBOUND, real - deliveries)
        mails = timedelta(days=retention.messages_days)
        drafts = await database.pool.execute(PRUNE_DRAFTS, real - mails)
        contents = await database.pool.execute(PRUNE_HAND_OFFS, oldest_kept(real, mails, clock.at))
        oldest = oldest_kept(real, deliveries, clock.at)
        counted = [await database.pool.execute(statement, oldest) for statement in PRUNE_COUNTED]
        lost = await queue.close_lost(real - receipts)
        pruned = (withdrawn, programs, invitations, inbound, drafts, contents, *counted)
        is_full = f"DELETE {BATCH_ROWS}" in pruned or lost == SWEEP_BATCH
        return 0 if is_full else None

    return Loop("prune", interval=PRUNE_SECONDS, run_once=run_once)
