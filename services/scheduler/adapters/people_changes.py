"""Which accounts a change of people concerns."""

from collections.abc import Collection, Mapping

from services.calendar.assignment import Person
from services.chassis.database import Connection

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
