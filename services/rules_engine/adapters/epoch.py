"""The epoch: under which policy, mode and book accounts are decided now, the same for every replica."""

from dataclasses import dataclass
from typing import cast

import orjson

from services.chassis.database import Database

OPEN = """
INSERT INTO epoch (number, policy_hash, mode) VALUES (1, $1, $2)
ON CONFLICT (one) DO UPDATE SET number = epoch.number + 1, policy_hash = $1, mode = $2
WHERE (epoch.policy_hash, epoch.mode) <> ($1, $2)
"""
KEEP = "INSERT INTO policy (hash, name, files) VALUES ($1, $2, $3::text::jsonb) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True)
class Epoch:
    number: int
    policy_hash: str
    mode: str


class Epochs:
    """Reads and raises the epoch."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, policy_hash: str, name: str, files: dict[str, str], mode: str) -> Epoch:
        """Put a policy in force; nothing changes when it already is."""
        async with self._database.transaction() as connection:
            await connection.execute(KEEP, policy_hash, name, orjson.dumps(files).decode())
            await connection.execute(OPEN, policy_hash, mode)
        return await self.current()

    async def current(self) -> Epoch:
        row = await self._database.pool.fetchrow("SELECT number, policy_hash, mode FROM epoch")
        if row is None:
            raise LookupError("no policy is in force yet")
        return Epoch(row[0], row[1], row[2])

    async def files_of(self, policy_hash: str) -> dict[str, str]:
        """The text of a stored policy, by file name."""
        stored = await self._database.pool.fetchval(
            "SELECT files::text FROM policy WHERE hash = $1", policy_hash
        )
        return cast("dict[str, str]", orjson.loads(stored))
