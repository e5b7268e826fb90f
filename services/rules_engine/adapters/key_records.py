"""The records of `directory.keys`: stored in the engine's database and published to every service."""

from dataclasses import asdict, replace
from datetime import datetime

from schemas.directory import KEY_DIRECTORY, KeyRecord
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.key_directory import ALL, keep_keys
from services.chassis.keys import ApiKey
from services.chassis.outbox import Outbox, Outgoing
from services.chassis.record_signatures import sign_record
from services.chassis.relay import Relay

FIND = """
SELECT sha256, scopes, expires_at, version FROM api_key WHERE key_id = $1 AND NOT revoked FOR UPDATE
"""


class KeyRecords:
    """Writes records of keys and of sessions in the caller's transaction. `secret` signs them."""

    def __init__(self, outbox: Outbox, clock: ServiceClock, secret: bytes) -> None:
        self._secret = secret
        self._outbox = outbox
        self._clock = clock

    async def lock(self, connection: Connection, key_id: str) -> ApiKey | None:
        """The key, if it is not revoked, locked until the end of the transaction."""
        row = await connection.fetchrow(FIND, key_id)
        return None if row is None else ApiKey(key_id, row[0], frozenset(row[1]), row[2], version=row[3])

    async def publish(self, connection: Connection, key: ApiKey) -> None:
        await keep_keys(connection, [key])
        await self._append(connection, key)

    async def publish_again(self, database: Database, relay: Relay) -> None:
        """Publish every key, at a start: records of an earlier release, or under another secret, are not believed."""
        async with database.transaction() as connection:
            for row in await connection.fetch(ALL):
                key = ApiKey(row[0], row[1], frozenset(row[2]), row[3], row[4], row[5])
                await self._append(connection, key)
        relay.wake()

    async def _append(self, connection: Connection, key: ApiKey) -> None:
        now = self._clock.at(await real_now(connection))
        data = KeyRecord.model_validate({**asdict(key), "scopes": tuple(sorted(key.scopes))}).write()
        record_id = f"{key.key_id}:{key.version}"
        headers = [sign_record(self._secret, "directory.keys", key.key_id, data)]
        record = Outgoing("directory.keys", key.key_id, record_id, KEY_DIRECTORY, now, data, headers)
        await self._outbox.append(connection, [record])


def revoked(key: ApiKey, now: datetime) -> ApiKey:
    """The same key, not valid any more, in a newer version."""
    return replace(key, revoked=True, version=max(key.version + 1, int(now.timestamp() * 1000)))
