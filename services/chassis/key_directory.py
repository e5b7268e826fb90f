"""A service's table of API keys: written from the topic `directory.keys`, read into memory every second."""

from collections.abc import Sequence

from services.chassis.database import Connection, Database
from services.chassis.keys import ApiKey, KeyRing
from services.chassis.loops import Loop

UPSERT = """
INSERT INTO api_key (key_id, sha256, scopes, expires_at, revoked, version) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (key_id) DO UPDATE SET sha256 = excluded.sha256, scopes = excluded.scopes,
    expires_at = excluded.expires_at, revoked = excluded.revoked, version = excluded.version
WHERE api_key.version < excluded.version
"""
ALL = "SELECT key_id, sha256, scopes, expires_at, revoked, version FROM api_key"
REFRESH_SECONDS = 1.0  # real time


async def keep_keys(connection: Connection, keys: Sequence[ApiKey]) -> None:
    """Store keys; an older version of a stored key changes nothing."""
    for key in sorted(keys, key=lambda key: key.key_id):
        await connection.execute(
            UPSERT, key.key_id, key.sha256, sorted(key.scopes), key.expires_at, key.revoked, key.version
        )


def key_loop(database: Database, keys: KeyRing) -> Loop:
    """A loop that copies the table into the key ring of this replica."""

    async def refresh() -> None:
        for row in await database.pool.fetch(ALL):
            keys.learn(ApiKey(row[0], row[1], frozenset(row[2]), row[3], row[4], row[5]))

    return Loop("keys", interval=REFRESH_SECONDS, run_once=refresh)
