"""API keys beyond the first: created and revoked here, sent to every service through `directory.keys`."""

from datetime import timedelta

from services.chassis.audit import AuditLog, Change
from services.chassis.database import Database, real_now
from services.chassis.keys import ApiKey, digest, new_secret
from services.chassis.relay import Relay
from services.rules_engine.adapters.key_records import KeyRecords, revoked
from services.rules_engine.adapters.session_repository import SessionRepository
from services.rules_engine.application.queries import NotFound

LISTED = """
SELECT key_id, scopes, expires_at, revoked, name FROM api_key AS k
WHERE NOT EXISTS (SELECT FROM session AS s WHERE s.session_id = k.key_id) ORDER BY key_id
"""
AUDIT = AuditLog("rules_engine")
IS_SESSION = "SELECT EXISTS (SELECT FROM session WHERE session_id = $1)"


class KeyRepository:
    """The keys in the engine's database, published as they change. The sessions of a key end with it."""

    def __init__(
        self, database: Database, records: KeyRecords, relay: Relay, sessions: SessionRepository
    ) -> None:
        self._database = database
        self._records = records
        self._relay = relay
        self._sessions = sessions

    async def create(self, name: str, scopes: list[str], *, days: int | None) -> dict[str, object]:
        """Create a key. The answer contains the secret, which is not stored and not shown again."""
        key_id, secret = new_secret()
        async with self._database.transaction() as connection:
            now = await real_now(connection)
            expires_at = now + timedelta(days=days) if days is not None else None
            version = int(now.timestamp() * 1000)
            key = ApiKey(key_id, digest(secret), frozenset(scopes), expires_at, version=version)
            await self._records.publish(connection, key)
            await connection.execute("UPDATE api_key SET name = $2 WHERE key_id = $1", key_id, name)
            after = {"name": name, "scopes": sorted(scopes), "expires_at": expires_at}
            await AUDIT.record(connection, [Change("key.created", f"key/{key_id}", None, after)])
        self._relay.wake()
        shown = {"key_id": key_id, "scopes": sorted(scopes), "expires_at": expires_at, "revoked": False}
        return {"key": secret, **shown, "name": name}

    async def all(self) -> list[dict[str, object]]:
        rows = await self._database.pool.fetch(LISTED)
        return [{**row, "scopes": sorted(row["scopes"])} for row in rows]

    async def revoke(self, key_id: str) -> None:
        async with self._database.transaction() as connection:
            key = await self._records.lock(connection, key_id)
            if key is None or await connection.fetchval(IS_SESSION, key_id):
                raise NotFound(f"There is no valid key {key_id!r}.")
            await self._records.publish(connection, revoked(key, await real_now(connection)))
            ended = await self._sessions.end_of_key(connection, key_id)
            before = {"scopes": sorted(key.scopes), "expires_at": key.expires_at}
            detail = f"sessions ended: {ended}"
            await AUDIT.record(connection, [Change("key.revoked", f"key/{key_id}", before, None, detail)])
        self._relay.wake()
