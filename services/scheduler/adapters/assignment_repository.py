"""Which people accounts have, of pools and of sales, and what these people have planned."""

from collections.abc import Collection, Mapping
from datetime import datetime

from services.calendar.assignment import (
    BLOCK,
    YEAR_BLOCKS,
    Line,
    Person,
    Staff,
    begin_blocks,
    measure_host,
)
from services.calendar.levelling import Host
from services.calendar.person_book import DEFAULT_WEEKLY_MINUTES
from services.calendar.person_hours import DEFAULT_HOURS
from services.chassis.database import Connection
from services.chassis.time_slices import pause_if_long
from services.scheduler.adapters.directory_repository import load_csm_hours
from services.scheduler.adapters.rows import columns_of

STAFF = "SELECT csm_id, pool, role FROM person WHERE pool IS NOT NULL OR role = 'sales' ORDER BY csm_id"
ASSIGNED = "SELECT account_id, line, csm_id FROM assignment WHERE account_id = ANY($1::text[])"
BLOCKS = """
SELECT csm_id, floor(extract(epoch FROM due_at - $4::timestamptz) / $5::int)::int, sum(minutes)::int FROM touchpoint
WHERE csm_id = ANY($1::text[]) AND due_at >= $2 AND due_at < $3 AND status = 'planned'
    AND owner IN ('csm', 'pooled_csm', 'sales')
GROUP BY 1, 2
"""
WEEKLY = "SELECT csm_id, weekly_minutes FROM person WHERE csm_id = ANY($1::text[])"
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


class PostgresAssignments:
    """AssignmentRepository on one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def load_staff(self, account_ids: Collection[str]) -> Staff:
        people = [Person(*row) for row in await self._connection.fetch(STAFF)]
        assigned = await self._connection.fetch(ASSIGNED, list(account_ids))
        return Staff(people, {(row[0], row[1]): row[2] for row in assigned})

    async def load_hosts(self, csm_ids: Collection[str], now: datetime) -> Mapping[str, Host]:
        people, start = sorted(csm_ids), begin_blocks(now)
        end, seconds = start + YEAR_BLOCKS * BLOCK, int(BLOCK.total_seconds())
        planned: dict[str, list[tuple[int, int]]] = {}
        for csm_id, block, minutes in await self._connection.fetch(BLOCKS, people, now, end, start, seconds):
            planned.setdefault(csm_id, []).append((block, minutes))
        weekly = {row[0]: row[1] for row in await self._connection.fetch(WEEKLY, people)}
        hours = await load_csm_hours(self._connection, people)
        hosts: dict[str, Host] = {}
        for csm_id in people:
            await pause_if_long()
            own, minutes = hours.get(csm_id, DEFAULT_HOURS), weekly.get(csm_id)
            minutes = DEFAULT_WEEKLY_MINUTES if minutes is None else minutes
            hosts[csm_id] = measure_host(csm_id, planned.get(csm_id, ()), own, minutes, now)
        return hosts

    async def save(self, given: Mapping[tuple[str, Line], str]) -> None:
        values = [(account_id, line, csm_id) for (account_id, line), csm_id in sorted(given.items())]
        if values:
            await self._connection.execute(SAVE, *columns_of(values))

    async def find_known(self, csm_ids: Collection[str]) -> Collection[str]:
        return {row[0] for row in await self._connection.fetch(KNOWN, sorted(csm_ids))}

    async def find_named(self, csm_ids: Collection[str]) -> Collection[str]:
        return {row[0] for row in await self._connection.fetch(NAMED, sorted(csm_ids))}
