"""How many accounts are evaluated under the current generation: exact while counting is cheap, else estimated."""

from services.chassis.database import Database

EXACT_PAGES = 25_000  # of 8 KB: so much of the table is counted in a fraction of a second
SAMPLED_PAGES = 2_500
EXACT_BEHIND = 10_000

PAGES = "SELECT pg_relation_size('account') / current_setting('block_size')::int"
EXACT = "SELECT count(*), count(*) FILTER (WHERE decided_under < $1) FROM account WHERE state IS NOT NULL"
SAMPLE = """
SELECT count(*), count(*) FILTER (WHERE decided_under < $1)
FROM account TABLESAMPLE SYSTEM ($2) WHERE state IS NOT NULL
"""
# By the index of `decided_under`: these rows are few, and the sweep reads them anyway.
LEFT = """
SELECT count(*) FROM (
    SELECT 1 FROM account WHERE decided_under < $1 AND state IS NOT NULL LIMIT $2
) AS found
"""
UNDECIDED = "SELECT count(*) FROM account WHERE undecided IS NOT NULL"


async def measure(database: Database, generation: int) -> dict[str, object]:
    """`accounts`, those `decided` under this generation and those `behind`, and whether these are `estimated`.

    `undecided`: accounts for which the policy failed; they count as decided, since only another policy helps them.
    """
    accounts, behind, estimated = await _count(database, generation)
    # Counted last: who sees that none is behind also sees for which of them the policy failed.
    undecided = await database.pool.fetchval(UNDECIDED)
    return {
        "accounts": accounts,
        "decided": max(0, accounts - behind),
        "behind": behind,
        "undecided": undecided,
        "estimated": estimated,
    }


async def _count(database: Database, generation: int) -> tuple[int, int, bool]:
    """Accounts, those behind, and whether both are estimated."""
    pool = database.pool
    pages = await pool.fetchval(PAGES)
    if pages <= EXACT_PAGES:
        accounts, behind = await pool.fetchrow(EXACT, generation) or (0, 0)
        return accounts, behind, False
    percent = 100 * SAMPLED_PAGES / pages
    sampled, late = await pool.fetchrow(SAMPLE, generation, percent) or (0, 0)
    left = await pool.fetchval(LEFT, generation, EXACT_BEHIND)
    accounts = round(sampled * 100 / percent)
    return accounts, left if left < EXACT_BEHIND else max(left, round(late * 100 / percent)), True
