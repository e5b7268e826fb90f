"""What is read of people's books for capacity: what does not fit, as the leveller found it, and how large they are."""

from collections.abc import Mapping
from datetime import datetime

from services.chassis.database import Database
from services.scheduler.application.measure_books import BOOK_SPAN, StoredBook
from services.scheduler.application.measure_conflicts import CapacityConflict

CONFLICTS = """
SELECT csm_id, c.conflict::text FROM csm_book, jsonb_array_elements(conflicts) WITH ORDINALITY c(conflict, n)
WHERE $1::text IS NULL OR csm_id = $1 ORDER BY csm_id, n
"""
BOOKS = """
WITH work AS (
    SELECT csm_id, account_id, bool_or(owner = 'csm') AS is_dedicated, sum(minutes)::int AS minutes
    FROM touchpoint
    WHERE csm_id IS NOT NULL AND ($1::text IS NULL OR csm_id = $1) AND owner IN ('csm', 'pooled_csm')
        AND status IN ('planned', 'due', 'overdue') AND due_at < $3
    GROUP BY csm_id, account_id
), met AS (
    SELECT account_id FROM touchpoint
    WHERE due_at >= $2 AND due_at < $3 AND status = 'settled' AND outcome IN ('completed', 'attended')
        AND owner IN ('csm', 'pooled_csm', 'sales')
    UNION SELECT account_id FROM archived_touchpoint
    WHERE due_at >= $2 AND due_at < $3 AND status = 'settled' AND outcome IN ('completed', 'attended')
        AND owner IN ('csm', 'pooled_csm', 'sales')
)
SELECT csm_id, count(*) FILTER (WHERE is_dedicated)::int, count(*) FILTER (WHERE NOT is_dedicated)::int,
    coalesce(sum(minutes) FILTER (WHERE is_dedicated), 0)::int, max(minutes)::int, sum(minutes)::int,
    count(*) FILTER (WHERE NOT EXISTS (SELECT FROM met WHERE met.account_id = work.account_id))::int
FROM work GROUP BY csm_id ORDER BY csm_id
"""


class PostgresCapacity:
    """CapacityReader, each call in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load_conflicts(self, csm_id: str | None) -> Mapping[str, list[CapacityConflict]]:
        found: dict[str, list[CapacityConflict]] = {}
        for row in await self._database.pool.fetch(CONFLICTS, csm_id):
            found.setdefault(row[0], []).append(CapacityConflict.model_validate_json(row[1]))
        return found

    async def load_books(self, csm_id: str | None, now: datetime) -> list[StoredBook]:
        values = (csm_id, now - BOOK_SPAN, now + BOOK_SPAN)
        return [StoredBook(*row) for row in await self._database.pool.fetch(BOOKS, *values)]
