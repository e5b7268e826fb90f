"""Outcomes that came before their touchpoints."""

from collections.abc import Mapping, Sequence

from services.chassis.database import Connection
from services.scheduler.adapters.rows import columns_of, read_outcome
from services.scheduler.domain.touchpoint import RecordedOutcome

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
