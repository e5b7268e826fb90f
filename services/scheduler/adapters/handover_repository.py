"""People's books in one PostgreSQL transaction: what they contain, and who leads their accounts instead."""

from collections.abc import Collection, Mapping, Sequence

from services.calendar.assignment import Person
from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection
from services.chassis.time_slices import pause_if_long
from services.scheduler.adapters.person_marks import mark_people
from services.scheduler.adapters.rows import columns_of
from services.scheduler.domain.handover import BookAccount, BookTouch

AUDIT = AuditLog("scheduler")
OPEN = "status IN ('planned', 'due', 'overdue') AND owner IN ('csm', 'pooled_csm', 'sales')"
ACCOUNTS = f"""
SELECT a.account_id, a.pool, $1 IN (a.csm_id, a.sales_id) IS TRUE AS is_named, k.csm_id AS known_to
FROM account_calendar a LEFT JOIN LATERAL (
    SELECT csm_id FROM touchpoint t WHERE t.account_id = a.account_id AND t.csm_id <> $1
        AND t.csm_id IN (SELECT csm_id FROM person) AND t.status <> 'cancelled'
    GROUP BY csm_id ORDER BY count(*) DESC, csm_id LIMIT 1
) k ON TRUE
WHERE a.account_id IN (
    SELECT account_id FROM touchpoint WHERE csm_id = $1 AND {OPEN}
    UNION SELECT account_id FROM rhythm WHERE csm_id = $1 AND active
    UNION SELECT account_id FROM assignment WHERE csm_id = $1
    UNION SELECT account_id FROM account_calendar
        WHERE csm_id = $1 AND NOT handovers ? $1 AND plan IS NOT NULL
    UNION SELECT account_id FROM account_calendar
        WHERE sales_id = $1 AND NOT handovers ? $1 AND plan IS NOT NULL
) ORDER BY a.account_id
"""
TOUCHES = f"""
SELECT account_id, id::text, sequence, due_at, minutes, status = 'planned' FROM touchpoint
WHERE csm_id = $1 AND {OPEN} ORDER BY account_id, id
"""
PEOPLE = "SELECT csm_id, pool, role FROM person ORDER BY csm_id"
POOL = """
SELECT pool FROM person WHERE csm_id = $1 UNION ALL SELECT pool FROM left_person WHERE csm_id = $1 LIMIT 1
"""
COUNTS = f"SELECT csm_id, count(DISTINCT account_id)::int FROM touchpoint WHERE csm_id IS NOT NULL AND {OPEN} GROUP BY 1"
FIND_OPEN = f"""
SELECT id::text FROM touchpoint WHERE csm_id = $1 AND account_id = ANY($2::text[]) AND {OPEN}
"""
# Who took an account from the person before hands it on; who gets their own back leads it as the plan says.
SAVE = """
UPDATE account_calendar a SET
    handovers = coalesce((
        SELECT jsonb_object_agg(h.key, h.taker) FROM (
            SELECT key, CASE WHEN value = $3 THEN u.taker ELSE value END AS taker FROM jsonb_each_text(a.handovers)
            UNION SELECT $3, u.taker
        ) h WHERE h.key <> h.taker), '{}'),
    extend_at = CASE WHEN a.plan IS NULL THEN a.extend_at ELSE '-infinity' END
FROM unnest($1::text[], $2::text[]) u(account_id, taker) WHERE a.account_id = u.account_id
"""
SAVE_RHYTHMS = """
UPDATE rhythm r SET csm_id = u.taker FROM unnest($1::text[], $2::text[]) u(account_id, taker)
WHERE r.account_id = u.account_id AND r.csm_id = $3
"""
SAVE_ASSIGNMENTS = """
UPDATE assignment s SET csm_id = u.taker FROM unnest($1::text[], $2::text[]) u(account_id, taker)
WHERE s.account_id = u.account_id AND s.csm_id = $3
"""
CLAIM_LEFT = """
SELECT csm_id, pool FROM left_person WHERE csm_id NOT IN (SELECT csm_id FROM person)
ORDER BY left_at, csm_id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
FINISH_LEFT = "DELETE FROM left_person WHERE csm_id = $1"


class PostgresHandovers:
    """HandoverRepository on one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def pause_if_long(self) -> None:
        await pause_if_long()

    async def load_accounts(self, csm_id: str) -> Sequence[BookAccount]:
        touches: dict[str, list[BookTouch]] = {}
        for row in await self._connection.fetch(TOUCHES, csm_id):
            touches.setdefault(row[0], []).append(BookTouch(*row[1:]))
        return [
            BookAccount(row[0], row[1], row[2], tuple(touches.get(row[0], ())), row[3])
            for row in await self._connection.fetch(ACCOUNTS, csm_id)
        ]

    async def load_people(self) -> Sequence[Person]:
        return [Person(*row) for row in await self._connection.fetch(PEOPLE)]

    async def find_pool(self, csm_id: str) -> str | None:
        return await self._connection.fetchval(POOL, csm_id)

    async def count_accounts(self) -> Mapping[str, int]:
        return {row[0]: row[1] for row in await self._connection.fetch(COUNTS)}

    async def find_open(self, csm_id: str, account_ids: Collection[str]) -> Collection[str]:
        return [row[0] for row in await self._connection.fetch(FIND_OPEN, csm_id, sorted(account_ids))]

    async def save(self, csm_id: str, takers: Mapping[str, str]) -> None:
        if not takers:
            return
        columns = columns_of(sorted(takers.items()))
        for statement in (SAVE, SAVE_RHYTHMS, SAVE_ASSIGNMENTS):
            await self._connection.execute(statement, *columns, csm_id)
        await mark_people(
            self._connection, {csm_id, *takers.values()}, f"accounts of {csm_id[:150]} are handed over"
        )
        before = dict.fromkeys(sorted(takers), csm_id)
        change = Change("book.handed_over", f"csm/{csm_id}", before, dict(sorted(takers.items())))
        await AUDIT.record(self._connection, [change])

    async def claim_left(self) -> Person | None:
        row = await self._connection.fetchrow(CLAIM_LEFT)
        return None if row is None else Person(row[0], row[1])

    async def finish_left(self, csm_id: str) -> None:
        await self._connection.execute(FINISH_LEFT, csm_id)
