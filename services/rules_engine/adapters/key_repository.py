"""API keys beyond the first: created and revoked here, sent to every service through `directory.keys`."""

from dataclasses import asdict
from datetime import timedelta

from schemas.directory import KEY_DIRECTORY, KeyRecord
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.key_directory import ALL, keep_keys, sign_record
from services.chassis.keys import ApiKey, digest, new_secret
from services.chassis.outbox import Outbox, Outgoing
from services.chassis.relay import Relay
from services.rules_engine.application.queries import NotFound


class KeyRepository:
    """The keys in the engine's database, published as they change. `secret` signs their records."""

    def __init__(
        self, database: Database, outbox: Outbox, relay: Relay, clock: ServiceClock, secret: bytes
    ) -> None:
        self._secret = secret
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
        shown = {"key_id": key_id, "scopes": sorted(scopes), "expires_at": expires_at, "revoked": False}
        return {"key": secret, **shown, "name": name}

    async def all(self) -> list[dict[str, object]]:
        rows = await self._database.pool.fetch(
            "SELECT key_id, scopes, expires_at, revoked, name FROM api_key ORDER BY key_id"
        )
        return [{**row, "scopes": sorted(row["scopes"])} for row in rows]

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

    async def publish_again(self) -> None:
        """Publish every key, at a start: records of an earlier release, or under another secret, are not believed."""
        async with self._database.transaction() as connection:
            for row in await connection.fetch(ALL):
                await self._append(
                    connection, ApiKey(row[0], row[1], frozenset(row[2]), row[3], row[4], row[5])
                )
        self._relay.wake()

    async def _publish(self, connection: Connection, key: ApiKey) -> None:
        await keep_keys(connection, [key])
        await self._append(connection, key)

    async def _append(self, connection: Connection, key: ApiKey) -> None:
        now = self._clock.at(await real_now(connection))
        data = KeyRecord.model_validate({**asdict(key), "scopes": tuple(sorted(key.scopes))}).write()
        record_id = f"{key.key_id}:{key.version}"
        headers = [sign_record(self._secret, key.key_id, data)]
        record = Outgoing("directory.keys", key.key_id, record_id, KEY_DIRECTORY, now, data, headers)
        await self._outbox.append(connection, [record])
