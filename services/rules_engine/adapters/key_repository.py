"""API keys beyond the first: created and revoked here, sent to every service through `directory.keys`."""

from datetime import timedelta

from schemas.directory import KEY_DIRECTORY, KeyRecord
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.key_directory import keep_keys
from services.chassis.keys import ApiKey, digest, new_secret
from services.chassis.outbox import Outbox, Outgoing
from services.chassis.relay import Relay
from services.rules_engine.application.queries import NotFound


class KeyRepository:
    """The keys in the engine's database, published as they change."""

    def __init__(self, database: Database, outbox: Outbox, relay: Relay, clock: ServiceClock) -> None:
        self._database = database
        self._outbox = outbox
        self._relay = relay
        self._clock = clock

    async def create(self, name: str, scopes: list[str], *, days: int | None) -> dict[str, object]:
        """Create a key. The answer contains the secret, which is not stored and not shown again."""
        key_id, secret = new_secret()
        async with self._database.transaction() as connection:
            now = await real_now(connection)
            expires_at = now + timedelta(days=days) if days is not None else None
            version = int(now.timestamp() * 1000)
            key = ApiKey(key_id, digest(secret), frozenset(scopes), expires_at, version=version)
            await self._publish(connection, key)
            await connection.execute("UPDATE api_key SET name = $2 WHERE key_id = $1", key_id, name)
        self._relay.wake()
        return {"key": secret, **_shown(key), "name": name}

    async def all(self) -> list[dict[str, object]]:
        rows = await self._database.pool.fetch(
            "SELECT key_id, sha256, scopes, expires_at, revoked, version, name FROM api_key ORDER BY key_id"
        )
        return [
            {**_shown(ApiKey(row[0], row[1], frozenset(row[2]), row[3], row[4], row[5])), "name": row[6]}
            for row in rows
        ]

    async def revoke(self, key_id: str) -> None:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                "SELECT sha256, scopes, expires_at, version FROM api_key WHERE key_id = $1 AND NOT revoked FOR UPDATE",
                key_id,
            )
            if row is None:
                raise NotFound(f"There is no valid key {key_id!r}.")
            now = await real_now(connection)
            version = max(row[3] + 1, int(now.timestamp() * 1000))
            key = ApiKey(key_id, row[0], frozenset(row[1]), row[2], revoked=True, version=version)
            await self._publish(connection, key)
        self._relay.wake()

    async def _publish(self, connection: Connection, key: ApiKey) -> None:
        await keep_keys(connection, [key])
        record = Outgoing(
            topic="directory.keys",
            key=key.key_id,
            id=f"{key.key_id}:{key.version}",
            type=KEY_DIRECTORY,
            time=self._clock.at(await real_now(connection)),
            data=KeyRecord(
                key_id=key.key_id,
                sha256=key.sha256,
                scopes=tuple(sorted(key.scopes)),
                expires_at=key.expires_at,
                revoked=key.revoked,
                version=key.version,
            ).write(),
        )
        await self._outbox.append(connection, [record])


def _shown(key: ApiKey) -> dict[str, object]:
    return {
        "key_id": key.key_id,
        "scopes": sorted(key.scopes),
        "expires_at": key.expires_at,
        "revoked": key.revoked,
    }
