"""API keys beyond the first: created, rotated and revoked here, sent to every service through `directory.keys`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database, real_now
from services.chassis.keys import ApiKey, digest, new_secret
from services.chassis.relay import Relay
from services.rules_engine.adapters.key_records import KeyRecords, revoked
from services.rules_engine.adapters.session_repository import SessionRepository
from services.rules_engine.application.queries import KeyConflict, NotFound

LISTED = """
SELECT key_id, scopes, expires_at, revoked, name, last_used_at, replaced_by FROM api_key AS k
WHERE NOT EXISTS (SELECT FROM session AS s WHERE s.session_id = k.key_id) ORDER BY key_id
"""
AUDIT = AuditLog("rules_engine")
REPLACED = "SELECT coalesce(name, key_id), replaced_by FROM api_key WHERE key_id = $1"
PREDECESSOR = """
SELECT key_id FROM api_key WHERE replaced_by = $1 AND NOT revoked AND (expires_at IS NULL OR expires_at > $2)
"""
REPLACE = "UPDATE api_key SET replaced_by = $2 WHERE key_id = $1"
USED = """
UPDATE {table} AS t SET last_used_at = greatest(t.last_used_at, u.at)
FROM unnest($1::text[], $2::timestamptz[]) AS u (id, at) WHERE t.{column} = u.id
"""
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
        async with self._database.transaction() as connection:
            now = await real_now(connection)
            expires_at = now + timedelta(days=days) if days is not None else None
            secret, key = await self._create(connection, name, frozenset(scopes), expires_at)
        self._relay.wake()
        return _shown(secret, key, name)

    async def rotate(self, key_id: str, *, overlap: timedelta, days: int | None) -> dict[str, object]:
        """A key with the same name and scopes; the former one ends after the overlap, with its longer sessions."""
        async with self._database.transaction() as connection:
            former = await self._records.lock(connection, key_id)
            now = await real_now(connection)
            if former is None or not former.is_live(now) or await connection.fetchval(IS_SESSION, key_id):
                raise NotFound(f"There is no valid key {key_id!r}.")
            name, replaced_by = await self._name_and_successor(connection, key_id)
            if replaced_by is not None:
                raise KeyConflict(
                    f"The key {key_id} was rotated already: {replaced_by} replaces it. Rotate that one, or revoke it."
                )
            predecessor = await connection.fetchval(PREDECESSOR, key_id, now)
            if predecessor is not None:
                raise KeyConflict(
                    f"The key {predecessor}, which {key_id} replaces, is still valid. Revoke it, or wait for its end."
                )
            if former.expires_at is not None and days is None:
                raise KeyConflict(
                    f"The key {key_id} has an end: say with `days` how long the new one is valid."
                )
            expires_at = now + timedelta(days=days) if days is not None else None
            secret, key = await self._create(connection, name, former.scopes, expires_at, key_id)
            ends_at = min(filter(None, (former.expires_at, now + overlap)))
            version = max(former.version + 1, int(now.timestamp() * 1000))
            await self._records.publish(connection, replace(former, expires_at=ends_at, version=version))
            await connection.execute(REPLACE, key_id, key.key_id)
            await self._sessions.end_of_key(connection, key_id, beyond=ends_at)
            before, after = {"expires_at": former.expires_at}, {"expires_at": ends_at}
            detail = f"replaced by {key.key_id}"
            await AUDIT.record(connection, [Change("key.rotated", f"key/{key_id}", before, after, detail)])
        self._relay.wake()
        return {**_shown(secret, key, name), "replaces": {"key_id": key_id, "expires_at": ends_at}}

    async def _name_and_successor(self, connection: Connection, key_id: str) -> tuple[str, str | None]:
        row = await connection.fetchrow(REPLACED, key_id)
        return (key_id, None) if row is None else (row[0], row[1])

    async def _create(
        self,
        connection: Connection,
        name: str,
        scopes: frozenset[str],
        expires_at: datetime | None,
        replaces: str = "",
    ) -> tuple[str, ApiKey]:
        key_id, secret = new_secret()
        version = int((await real_now(connection)).timestamp() * 1000)
        key = ApiKey(key_id, digest(secret), scopes, expires_at, version=version)
        await self._records.publish(connection, key)
        await connection.execute("UPDATE api_key SET name = $2 WHERE key_id = $1", key_id, name)
        after = {"name": name, "scopes": sorted(scopes), "expires_at": expires_at}
        detail = f"replaces {replaces}" if replaces else ""
        await AUDIT.record(connection, [Change("key.created", f"key/{key_id}", None, after, detail)])
        return secret, key

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


async def record_use(connection: Connection, used: Mapping[str, datetime]) -> None:
    """When keys and users were last active; an older moment changes nothing. An id that is not stored is left out."""
    ids = sorted(used)
    for table, column in (("api_key", "key_id"), ("console_user", "user_id")):
        statement = USED.format(table=table, column=column)
        await connection.execute(statement, ids, [used[each] for each in ids])


def _shown(secret: str, key: ApiKey, name: str) -> dict[str, object]:
    fields = {"key_id": key.key_id, "scopes": sorted(key.scopes), "expires_at": key.expires_at}
    return {"key": secret, **fields, "revoked": False, "name": name}
