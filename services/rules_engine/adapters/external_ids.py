"""Accounts by the ids that other systems know them by."""

from collections.abc import Collection, Mapping

from services.chassis.database import Database
from services.rules_engine.application.take_webhook import Link

# The index is on the array: one condition for each id is a search in it.
FIND = """
SELECT wanted.id, array(
    SELECT a.account_id FROM account AS a
    WHERE a.external_ids @> ARRAY[wanted.id] AND a.external_ids IS NOT NULL ORDER BY a.account_id LIMIT 5
) AS account_ids, EXISTS (SELECT FROM account AS a WHERE a.account_id = wanted.id) AS begun
FROM unnest($1::text[]) AS wanted (id)
"""


class ExternalIds:
    """Implements the port `AccountLinks`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, external_ids: Collection[str]) -> Mapping[str, Link]:
        if not external_ids:
            return {}
        rows = await self._database.pool.fetch(FIND, sorted(external_ids))
        return {row["id"]: Link(tuple(row["account_ids"]), row["begun"]) for row in rows}
