"""What is read of promises: lists, counts, and what endangers them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from schemas.touchpoints import TouchpointRisk
from services.calendar.promises import PromiseState
from services.chassis.database import Database
from services.scheduler.adapters.rows import Row
from services.scheduler.application.read_promises import (
    AdherenceCount,
    PromiseEntry,
    PromiseFilter,
    PromiseKey,
)

ENTRY: Final = """
SELECT p.touchpoint_id::text AS id, p.account_id, p.type, p.owner, p.csm_id, p.policy, p.promised_at, p.state, p.is_due,
    p.warned_at, p.cause, p.detail, p.since
FROM promise p
"""
# What was never looked at may be no promise at all.
WANTED: Final = """
p.found_at IS NOT NULL AND p.state <> 'withdrawn' AND ($1::text IS NULL OR p.csm_id = $1)
AND ($2::text IS NULL OR p.account_id = $2) AND ($3::timestamptz IS NULL OR p.promised_at >= $3)
AND ($4::timestamptz IS NULL OR p.promised_at < $4) AND (cardinality($5::text[]) = 0 OR p.state = ANY($5::text[]))
"""
LIST: Final = f"""
{ENTRY} WHERE {WANTED} AND ($6::timestamptz IS NULL OR (p.promised_at, p.touchpoint_id) > ($6, $7::uuid))
ORDER BY p.promised_at, p.touchpoint_id LIMIT $8
"""
RISKS: Final = """
SELECT touchpoint_id::text AS id, cause, promised_at, detail, since FROM promise
WHERE touchpoint_id = ANY($1::uuid[]) AND state = 'at_risk'
"""
COLUMNS: Final[Mapping[PromiseKey, str]] = {
    PromiseKey.CSM: "p.csm_id",
    PromiseKey.POLICY: "p.policy",
    PromiseKey.TOUCHPOINT_TYPE: "p.type",
}


def _count(key: PromiseKey) -> str:
    column = COLUMNS[key]
    return f"""
SELECT {column} AS key, count(*) FILTER (WHERE p.state = 'kept')::int,
    count(*) FILTER (WHERE p.state = 'breached')::int, count(*) FILTER (WHERE p.state = 'open')::int,
    count(*) FILTER (WHERE p.state = 'at_risk')::int,
    count(*) FILTER (WHERE p.state IN ('open', 'at_risk') AND p.is_due)::int,
    count(*) FILTER (WHERE p.state = 'breached' AND p.cause IS DISTINCT FROM 'paused' AND p.found_at < p.promised_at
        AND (p.warned_at IS NULL OR p.warned_at >= p.promised_at))::int
FROM promise p WHERE {WANTED} GROUP BY 1 ORDER BY 1 NULLS LAST
"""


COUNTS: Final[Mapping[PromiseKey, str]] = {key: _count(key) for key in PromiseKey}


class PostgresPromiseReader:
    """PromiseReader, each call in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_promises(
        self, wanted: PromiseFilter, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[PromiseEntry]:
        place = (None, None) if after is None else after
        found = await self._database.pool.fetch(LIST, *_values(wanted), *place, limit)
        return [_entry(row) for row in found]

    async def count_promises(self, wanted: PromiseFilter, by: PromiseKey) -> Sequence[AdherenceCount]:
        found = await self._database.pool.fetch(COUNTS[by], *_values(wanted))
        return [AdherenceCount(*row) for row in found]


def _values(wanted: PromiseFilter) -> tuple[object, ...]:
    states = sorted(wanted.states)
    return wanted.csm_id, wanted.account_id, wanted.start_at, wanted.end_at, states


async def find_risks(database: Database, touchpoint_ids: Collection[str]) -> Mapping[str, TouchpointRisk]:
    """By touchpoint what endangers its promise."""
    if not touchpoint_ids:
        return {}
    return {row["id"]: _risk(row) for row in await database.pool.fetch(RISKS, list(touchpoint_ids))}


def _risk(row: Row) -> TouchpointRisk:
    return TouchpointRisk.model_construct(
        cause=row["cause"], deadline=row["promised_at"], detail=row["detail"], since=row["since"]
    )


def _entry(row: Row) -> PromiseEntry:
    risk = None if row["cause"] is None else _risk(row)
    return PromiseEntry(
        touchpoint_id=row["id"],
        account_id=row["account_id"],
        touchpoint_type=row["type"],
        owner=row["owner"],
        csm_id=row["csm_id"],
        policy=row["policy"],
        promised_at=row["promised_at"],
        state=PromiseState(row["state"]),
        has_come_due=row["is_due"],
        warned_at=row["warned_at"],
        risk=risk,
    )
