"""Outcomes that came before their touchpoints.

One whose touchpoint never comes is of no touchpoint, or of one that was closed and dropped: it becomes a dead letter with
that reason.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from schemas.envelope import Envelope, kafka_headers
from schemas.outcomes import TOUCHPOINT_SETTLED, TouchpointSettled
from services.calendar.touchpoint import RecordedOutcome
from services.chassis.database import Connection
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.outbox import Outbox
from services.scheduler.adapters.messages import OUTCOMES
from services.scheduler.adapters.rows import Row, columns_of, read_outcome

SAVE_EARLY = """
INSERT INTO early_outcome AS e
    (touchpoint_id, account_id, outcome, outcome_time, outcome_source, outcome_id, outcome_notes)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
ON CONFLICT (touchpoint_id) DO UPDATE SET account_id = excluded.account_id, outcome = excluded.outcome,
    outcome_time = excluded.outcome_time, outcome_source = excluded.outcome_source,
    outcome_id = excluded.outcome_id, outcome_notes = excluded.outcome_notes
WHERE (e.outcome_time, e.outcome_source, e.outcome_id)
    < (excluded.outcome_time, excluded.outcome_source, excluded.outcome_id)
"""
BATCH: Final = 500
NO_PARTITION: Final = -2
"""Of a dead letter that is written from a row, not from a record; its offset is made from the id of the touchpoint."""
EXPIRE = """
DELETE FROM early_outcome WHERE touchpoint_id IN (
    SELECT touchpoint_id FROM early_outcome WHERE written_at < clock_timestamp() - $1::interval
    ORDER BY touchpoint_id LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING touchpoint_id::text AS id, account_id, outcome, outcome_time, outcome_source, outcome_id, outcome_notes
"""
TAKE_EARLY = """
DELETE FROM early_outcome WHERE touchpoint_id = ANY($1::uuid[])
RETURNING touchpoint_id::text AS id, outcome, outcome_time, outcome_source, outcome_id, outcome_notes
"""


async def save(connection: Connection, outcomes: Mapping[str, tuple[str, RecordedOutcome]]) -> None:
    """By touchpoint id: the account and the outcome; the latest stamp wins."""
    if not outcomes:
        return
    values = [
        (touchpoint_id, account_id, outcome.kind, outcome.time, outcome.source, outcome.id, outcome.notes)
        for touchpoint_id, (account_id, outcome) in sorted(outcomes.items())
    ]
    await connection.execute(SAVE_EARLY, *columns_of(values))


async def take(connection: Connection, ids: Sequence[str]) -> Mapping[str, RecordedOutcome]:
    """The outcomes of these touchpoints; they are deleted."""
    if not ids:
        return {}
    return {row["id"]: read_outcome(row) for row in await connection.fetch(TAKE_EARLY, ids)}


async def expire_outcomes(connection: Connection, outbox: Outbox, keep: timedelta) -> bool:
    """Give up a batch of outcomes that waited longer than `keep` (real time); whether there may be more."""
    rows = await connection.fetch(EXPIRE, keep, BATCH)
    reason = (
        f"data.touchpoint_id: within {keep.days} days no touchpoint with this id appeared: it never existed, or it was"
        " closed long ago and dropped (DRUMBEAT_RETENTION__TOUCHPOINTS_DAYS); the outcome changes nothing"
    )
    for row in rows:
        await dead_letter_record(connection, outbox, _record_of(row), reason=reason)
    return len(rows) == BATCH


def _record_of(row: Row) -> Record:
    """The outcome as a record of its topic; which type was named is not stored."""
    outcome = read_outcome(row)
    settled = TouchpointSettled.of_valid(
        touchpoint_id=row["id"],
        touchpoint_type="unknown",
        outcome=outcome.kind,
        at=outcome.time,
        notes=outcome.notes,
    )
    envelope = Envelope(
        id=outcome.id,
        source=outcome.source,
        type=TOUCHPOINT_SETTLED,
        subject=row["account_id"],
        time=outcome.time,
        data=settled.write(),
    )
    offset = int.from_bytes(UUID(row["id"]).bytes[:7])
    return Record(
        OUTCOMES,
        NO_PARTITION,
        offset,
        row["account_id"].encode(),
        envelope.data,
        tuple(kafka_headers(envelope)),
        int(outcome.time.timestamp() * 1000),
    )
