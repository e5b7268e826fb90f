"""The accounts and the revenue of people, counted from the columns that every evaluation writes."""

from services.chassis.database import Database
from services.rules_engine.application.read_books import Book, Books

# The revenue is in the policy's currency already. Without an index of its own: it is read by a page a few times a minute,
# and an index would be written with every evaluation.
BOOKS = """
SELECT csm_id, count(*)::int AS accounts, sum(arr) AS arr, (count(*) - count(arr))::int AS arr_unknown
FROM account WHERE csm_id IS NOT NULL AND state IS NOT NULL AND stage IS DISTINCT FROM 'churned'
GROUP BY csm_id ORDER BY csm_id
"""


async def read_books(database: Database, currency: str) -> Books:
    """The books of everybody whom an account names as its CSM."""
    rows = await database.pool.fetch(BOOKS)
    return Books(currency=currency, items=tuple(Book(**dict(row)) for row in rows))
