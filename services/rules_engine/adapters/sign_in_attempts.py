"""Attempts to sign in by name, counted in the database, so that all replicas count together. Real time."""

from hashlib import sha256
from math import ceil

from services.chassis.database import Database, real_now
from services.rules_engine.domain.sign_in_throttle import FORGOTTEN_AFTER, pause_after

ADD = """
INSERT INTO sign_in_attempt (name_sha256, attempts, last_at, next_at) VALUES ($1, 0, $2, $2)
ON CONFLICT (name_sha256) DO NOTHING
"""
LOCK = "SELECT attempts, last_at, next_at FROM sign_in_attempt WHERE name_sha256 = $1 FOR UPDATE"
COUNT = "UPDATE sign_in_attempt SET attempts = $2, last_at = $3, next_at = $4 WHERE name_sha256 = $1"
FORGET = "DELETE FROM sign_in_attempt WHERE name_sha256 = $1"


class SignInAttempts:
    """The port `Attempts`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, login: str) -> int:
        name = _digest(login)
        async with self._database.transaction() as connection:
            await connection.execute(ADD, name, await real_now(connection))
            row = await connection.fetchrow(LOCK, name)
            now = await real_now(connection)
            if row is None:  # pruned, or forgotten by a right password, since
                return 0
            if now < row["next_at"]:
                return ceil((row["next_at"] - now).total_seconds())
            attempts = 1 if now - row["last_at"] > FORGOTTEN_AFTER else row["attempts"] + 1
            await connection.execute(COUNT, name, attempts, now, now + pause_after(attempts))
        return 0

    async def forget(self, login: str) -> None:
        await self._database.pool.execute(FORGET, _digest(login))


def _digest(login: str) -> bytes:
    """What was typed may be a password in the wrong field: it is not stored."""
    return sha256(login.encode(errors="surrogatepass")).digest()
