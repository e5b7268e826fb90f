"""People of ours and names of accounts, for the pages on which people act."""

from collections.abc import Sequence

from schemas.directory import CsmRecord
from services.chassis.database import Database
from services.notifier.adapters.directory_repository import PERSON_FIELDS

EVERYONE = f"""
SELECT {PERSON_FIELDS} FROM person WHERE name IS NOT NULL OR email IS NOT NULL
ORDER BY lower(coalesce(name, email)), csm_id LIMIT 1000
"""
ACCOUNT_NAME = """
SELECT name FROM account
WHERE account_id = coalesce((SELECT stays FROM account_alias WHERE ended = $1), $1)
"""


class PeopleRepository:
    """Implements the port `People`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def everyone(self) -> Sequence[CsmRecord]:
        """All who have a name or an address, by name."""
        return [CsmRecord(**row) for row in await self._database.pool.fetch(EVERYONE)]

    async def account_name(self, account_id: str) -> str | None:
        return await self._database.pool.fetchval(ACCOUNT_NAME, account_id)
