"""The directory of keys as a service keeps it: fed from `directory.keys`, read into memory each second."""

from collections.abc import Sequence

from services.chassis.database import Connection, Database
from services.chassis.keys import ApiKey, KeyRing
from services.chassis.loops import Loop

KEEP = """
INSERT INTO api_key (key_id, sha256, scopes, expires_at, revoked, version) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (key_id) DO UPDATE SET sha256 = excluded.sha256, scopes = excluded.scopes,
    expires_at = excluded.expires_at, revoked = excluded.revoked, version = excluded.version
WHERE api_key.version < excluded.version
"""
ALL = "SELECT key_id, sha256, scopes, expires_at, revoked, version FROM api_key"
REFRESH = 1.0  # real seconds


async def keep_keys(connection: Connection, keys: Sequence[ApiKey]) -> None:
    """Store keys as heard; an older version of a key changes nothing."""
    for key in sorted(keys, key=lambda key: key.key_id):
        await connection.execute(
            KEEP, key.key_id, key.sha256, sorted(key.scopes), key.expires_at, key.revoked, key.version
        )


async def stored_keys(database: Database) -> list[ApiKey]:
    rows = await database.pool.fetch(ALL)
    return [ApiKey(row[0], row[1], frozenset(row[2]), row[3], row[4], row[5]) for row in rows]


def key_loop(database: Database, keys: KeyRing) -> Loop:
    """Keeps the ring in memory in step with the table, in every replica."""

    async def refresh() -> None:
        for key in await stored_keys(database):
            keys.learn(key)

    return Loop("keys", interval=REFRESH, run_once=refresh)
