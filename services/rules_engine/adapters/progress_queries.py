"""How many accounts are evaluated under the current generation: exact while counting is cheap, else estimated.

An account for which the sweep changes nothing is not written, so the position of the sweep says that it is evaluated.
"""

from typing import cast

from services.chassis.database import Database

EXACT_PAGES = 25_000  # of 8 KB: so much of the table is counted in a fraction of a second
SAMPLED_PAGES = 2_500
EXACT_BEHIND = 10_000

PAGES = "SELECT pg_relation_size('account') / current_setting('block_size')::int"
# Those after the position of the sweep that no event had evaluated meanwhile, and those that wait for a replica.
AHEAD = """
decided_under < 0 OR (decided_under < $1 AND completed < $1 AND (generation < $1 OR account_id > position))
"""
EXACT = (
    f"SELECT count(*), count(*) FILTER (WHERE {AHEAD}) FROM account CROSS JOIN sweep WHERE state IS NOT NULL"
)
SAMPLE = f"""
SELECT count(*), count(*) FILTER (WHERE {AHEAD})
FROM account TABLESAMPLE SYSTEM ($2) CROSS JOIN sweep WHERE state IS NOT NULL
"""
# These are few: the accounts after the position are read in order, as the sweep reads them, and the others by an index.
POSITION = (
    "SELECT CASE WHEN completed >= $1 THEN NULL WHEN generation = $1 THEN position ELSE '' END FROM sweep"
)
LEFT = """
SELECT count(*) FROM (
    SELECT 1 FROM account WHERE account_id > $3::text AND decided_under BETWEEN 0 AND $1 - 1 AND state IS NOT NULL
    LIMIT $2
) AS found
"""
WAITING = "SELECT count(*) FROM account WHERE decided_under < 0"
UNDECIDED = "SELECT count(*) FROM account WHERE undecided IS NOT NULL"


async def measure(database: Database, generation: int) -> dict[str, object]:
    """`accounts`, those `decided` under this generation and those `behind`, and whether these are `estimated`.

    `undecided`: accounts for which the policy failed; they count as decided, since only another policy helps them.
    """
    accounts, behind, estimated = await _count(database, generation)
    # Counted last: who sees that none is behind also sees for which of them the policy failed.
    undecided = await count_undecided(database)
    return {
        "accounts": accounts,
        "decided": max(0, accounts - behind),
        "behind": behind,
        "undecided": undecided,
        "estimated": estimated,
    }


async def count_undecided(database: Database) -> int:
    return cast("int", await database.pool.fetchval(UNDECIDED))


async def _count(database: Database, generation: int) -> tuple[int, int, bool]:
    """Accounts, those behind, and whether both are estimated."""
    pool = database.pool
    pages = await pool.fetchval(PAGES)
    if pages <= EXACT_PAGES:
        accounts, behind = await pool.fetchrow(EXACT, generation) or (0, 0)
        return accounts, behind, False
    percent = 100 * SAMPLED_PAGES / pages
    sampled, late = await pool.fetchrow(SAMPLE, generation, percent) or (0, 0)
    accounts, left = round(sampled * 100 / percent), await pool.fetchval(WAITING)
    position = await pool.fetchval(POSITION, generation)
    if position is not None:
        left += await pool.fetchval(LEFT, generation, EXACT_BEHIND, position)
    return accounts, left if left < EXACT_BEHIND else max(left, round(late * 100 / percent)), True
