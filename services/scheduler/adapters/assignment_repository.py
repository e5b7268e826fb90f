"""Which people accounts have, of pools and of sales, and which accounts a change of people concerns."""

from collections.abc import Collection, Mapping
from datetime import datetime

from services.calendar.assignment import Line, Person, Staff
from services.chassis.database import Connection
from services.scheduler.adapters.rows import columns_of

STAFF = "SELECT csm_id, pool, role FROM person WHERE pool IS NOT NULL OR role = 'sales' ORDER BY csm_id"
ASSIGNED = "SELECT account_id, line, csm_id FROM assignment WHERE account_id = ANY($1::text[])"
MINUTES = """
SELECT csm_id, sum(minutes)::int FROM touchpoint
WHERE csm_id = ANY($1::text[]) AND due_at >= $2 AND due_at < $3 AND status = 'planned'
    AND owner IN ('csm', 'pooled_csm', 'sales')
GROUP BY csm_id
"""
SAVE = """
INSERT INTO assignment (account_id, line, csm_id) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
ON CONFLICT (account_id, line) DO UPDATE SET csm_id = excluded.csm_id
"""
NAMED = """
SELECT csm_id FROM unnest($1::text[]) AS wanted (csm_id)
WHERE EXISTS (SELECT 1 FROM person p WHERE p.csm_id = wanted.csm_id)
    OR EXISTS (SELECT 1 FROM account_calendar a WHERE a.csm_id = wanted.csm_id)
    OR EXISTS (SELECT 1 FROM account_calendar a WHERE a.sales_id = wanted.csm_id)
"""
KNOWN = "SELECT csm_id FROM person WHERE csm_id = ANY($1::text[])"
PEOPLE = "SELECT csm_id, pool, role FROM person WHERE csm_id = ANY($1::text[])"
# Whoever has one of these people, and work without an owner that one of them may lead.
MARK = """
UPDATE account_calendar a SET extend_at = '-infinity' WHERE plan IS NOT NULL AND account_id IN (
    SELECT account_id FROM assignment WHERE csm_id = ANY($1::text[])
    UNION
    SELECT t.account_id FROM touchpoint t JOIN account_calendar c ON c.account_id = t.account_id
    WHERE t.csm_id IS NULL AND t.owner IN ('csm', 'pooled_csm', 'sales')
        AND t.status IN ('planned', 'due', 'overdue')
        AND ((t.owner = 'pooled_csm' AND c.pool = ANY($2::text[])) OR (t.owner = 'sales' AND $3)))
"""


class PostgresAssignments:
    """AssignmentRepository on one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def load_staff(self, account_ids: Collection[str]) -> Staff:
        people = [Person(*row) for row in await self._connection.fetch(STAFF)]
        assigned = await self._connection.fetch(ASSIGNED, list(account_ids))
        return Staff(people, {(row[0], row[1]): row[2] for row in assigned})

    async def load_minutes(
        self, csm_ids: Collection[str], start: datetime, end: datetime
    ) -> Mapping[str, int]:
        rows = await self._connection.fetch(MINUTES, sorted(csm_ids), start, end)
        return {row[0]: row[1] for row in rows}

    async def save(self, given: Mapping[tuple[str, Line], str]) -> None:
        values = [(account_id, line, csm_id) for (account_id, line), csm_id in sorted(given.items())]
        if values:
            await self._connection.execute(SAVE, *columns_of(values))

    async def find_known(self, csm_ids: Collection[str]) -> Collection[str]:
        return {row[0] for row in await self._connection.fetch(KNOWN, sorted(csm_ids))}

    async def find_named(self, csm_ids: Collection[str]) -> Collection[str]:
        return {row[0] for row in await self._connection.fetch(NAMED, sorted(csm_ids))}


async def load_people(connection: Connection, csm_ids: Collection[str]) -> Mapping[str, Person]:
    """Those of these people whom the directory describes, by id."""
    return {row[0]: Person(*row) for row in await connection.fetch(PEOPLE, sorted(csm_ids))}


async def mark_accounts_of(
    connection: Connection, before: Mapping[str, Person], after: Mapping[str, Person]
) -> None:
    """Let the accounts be resolved again that the changes between these people concern."""
    changed = {csm_id for csm_id in {*before, *after} if before.get(csm_id) != after.get(csm_id)}
    if not changed:
        return
    people = [each[csm_id] for each in (before, after) for csm_id in sorted(changed & each.keys())]
    pools = {person.pool for person in people if person.pool is not None}
    sells = any(person.role == "sales" for person in people)
    await connection.execute(MARK, sorted(changed), sorted(pools), sells)
