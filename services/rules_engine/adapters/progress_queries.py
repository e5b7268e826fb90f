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
    pool = database.pool
    undecided = await pool.fetchval(UNDECIDED)
    pages = await pool.fetchval(PAGES)
    if pages <= EXACT_PAGES:
        accounts, behind = await pool.fetchrow(EXACT, generation) or (0, 0)
        return _progress(accounts, behind, undecided, estimated=False)
    percent = 100 * SAMPLED_PAGES / pages
    sampled, late = await pool.fetchrow(SAMPLE, generation, percent) or (0, 0)
    left = await pool.fetchval(LEFT, generation, EXACT_BEHIND)
    accounts = round(sampled * 100 / percent)
    behind = left if left < EXACT_BEHIND else max(left, round(late * 100 / percent))
    return _progress(accounts, behind, undecided, estimated=True)


def _progress(accounts: int, behind: int, undecided: int, *, estimated: bool) -> dict[str, object]:
    return {
        "accounts": accounts,
        "decided": max(0, accounts - behind),
        "behind": behind,
        "undecided": undecided,
        "estimated": estimated,
    }
