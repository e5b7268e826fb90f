"""Subscriptions as rows: made, listed, rotated, disabled, recovered."""

from datetime import datetime
from secrets import token_bytes
from typing import Any, cast

import orjson

from services.chassis.database import Connection, Database, real_now
from services.notifier.application.ports import Endpoint
from services.notifier.application.read_models import SubscriptionShown
from services.notifier.domain.circuit import Circuit
from services.notifier.domain.delivery import Recipient, RecipientKind, delivery_id
from services.notifier.domain.subscription import Filter, Secrets, Subscription

SECRET_BYTES = 32
MOST_RECOVERED = 10_000
ACTIVE = "SELECT id, url, types, filter FROM subscription WHERE active AND NOT deleted"
ENDPOINTS = """
SELECT id, url, secret, previous_secret, previous_until, failures, open_until FROM subscription
WHERE active AND NOT deleted
"""
MAKE = """
INSERT INTO subscription (id, url, types, filter, secret) VALUES ($1, $2, $3, $4::text::jsonb, $5)
RETURNING created_at
"""
SHOWN = """
SELECT id, url, types, filter, active, disabled_reason, failures, open_until, created_at, seq
FROM subscription WHERE NOT deleted
"""
ROTATE = """
UPDATE subscription SET previous_secret = $2, previous_until = $3, secret = $4 WHERE id = $1
"""
DELETE = "UPDATE subscription SET deleted = true, active = false WHERE id = $1 AND NOT deleted RETURNING id"
LAST_FAILED = """
SELECT d.recovery, d.event_key, d.message_id, f.event_id, d.touchpoint_id, d.touchpoint_type, d.account_id
FROM delivery d JOIN feed f ON f.key = d.event_key
WHERE d.recipient_id = $1 AND d.state = 'failed' AND d.channel = 'webhook' AND d.created_at >= $2
    AND NOT EXISTS (SELECT FROM delivery later
        WHERE later.message_id = d.message_id AND later.recovery > 0 AND later.recovery > d.recovery)
ORDER BY d.created_at LIMIT $3
"""
RECOVER = """
INSERT INTO delivery (id, event_key, message_id, recovery, touchpoint_id, touchpoint_type, account_id, channel,
    recipient_kind, recipient_id, state, reason, next_at)
SELECT u.id, u.event_key, u.message_id, u.recovery, u.touchpoint_id, u.touchpoint_type, u.account_id,
    'webhook', 'subscription', $8, 'pending', 'recovered by hand', $9
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[])
  AS u(id, event_key, message_id, recovery, touchpoint_id, touchpoint_type, account_id)
ON CONFLICT (id) DO NOTHING RETURNING id
"""


def _filter(stored: str) -> Filter:
    return cast("Filter", orjson.loads(stored))


async def active(connection: Connection) -> list[Subscription]:
    rows = await connection.fetch(ACTIVE)
    return [Subscription(row[0], row[1], frozenset(row[2]), _filter(row[3])) for row in rows]


async def endpoints(connection: Connection) -> list[Endpoint]:
    return [_endpoint(row) for row in await connection.fetch(ENDPOINTS)]


async def endpoint(connection: Connection, subscription_id: str) -> Endpoint | None:
    row = await connection.fetchrow(f"{ENDPOINTS} AND id = $1 FOR UPDATE", subscription_id)
    return _endpoint(row) if row else None


def _endpoint(row: Any) -> Endpoint:
    return Endpoint(row[0], row[1], Secrets(row[2], row[3], row[4]), Circuit(row[5], row[6]))


async def make(connection: Connection, subscription: Subscription, secret: bytes) -> datetime:
    wanted = orjson.dumps({name: list(values) for name, values in subscription.filter.items()}).decode()
    made = await connection.fetchval(
        MAKE, subscription.id, subscription.url, sorted(subscription.types), wanted, secret
    )
    return cast("datetime", made)


async def listed(connection: Connection, *, after: int, limit: int) -> list[SubscriptionShown]:
    rows = await connection.fetch(f"{SHOWN} AND seq > $1 ORDER BY seq LIMIT $2", after, limit)
    return [_stored(row) for row in rows]


async def one(connection: Connection, subscription_id: str) -> SubscriptionShown | None:
    row = await connection.fetchrow(f"{SHOWN} AND id = $1", subscription_id)
    return _stored(row) if row else None


def _stored(row: Any) -> SubscriptionShown:
    wanted = {str(name): values for name, values in _filter(row[3]).items()}
    return SubscriptionShown(row[0], row[1], row[2], wanted, *row[4:10])


async def keep_secrets(connection: Connection, subscription_id: str, secrets: Secrets) -> None:
    await connection.execute(
        ROTATE, subscription_id, secrets.previous, secrets.previous_until, secrets.current
    )


async def delete(connection: Connection, subscription_id: str) -> bool:
    return await connection.fetchval(DELETE, subscription_id) is not None


async def recover(
    connection: Connection, subscription_id: str, *, since: datetime, limit: int, real: datetime
) -> int:
    """Put what failed since then on its way again, under the same webhook id; answer how many."""
    recipient = Recipient(RecipientKind.SUBSCRIPTION, subscription_id)
    failed = await connection.fetch(LAST_FAILED, subscription_id, since, limit)
    added = await connection.fetch(
        RECOVER,
        [delivery_id(row["event_id"], "webhook", recipient, recovery=row["recovery"] + 1) for row in failed],
        [row["event_key"] for row in failed],
        [row["message_id"] for row in failed],
        [row["recovery"] + 1 for row in failed],
        [row["touchpoint_id"] for row in failed],
        [row["touchpoint_type"] for row in failed],
        [row["account_id"] for row in failed],
        subscription_id,
        real,
    )
    return len(added)


class SubscriptionBook:
    """Implements `Book`: each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(self, subscription: Subscription) -> tuple[SubscriptionShown, bytes]:
        secret = token_bytes(SECRET_BYTES)
        async with self._database.transaction() as connection:
            await make(connection, subscription, secret)
            made = await one(connection, subscription.id)
        assert made is not None  # noqa: S101 - written two lines above, in this transaction
        return made, secret

    async def listed(self, *, after: int, limit: int) -> list[SubscriptionShown]:
        async with self._database.transaction() as connection:
            return await listed(connection, after=after, limit=limit)

    async def one(self, subscription_id: str) -> SubscriptionShown | None:
        async with self._database.transaction() as connection:
            return await one(connection, subscription_id)

    async def endpoint(self, subscription_id: str) -> Endpoint | None:
        async with self._database.transaction() as connection:
            return await endpoint(connection, subscription_id)

    async def rotate(self, subscription_id: str) -> bytes | None:
        """A new secret; the old one signs beside it for a day. None when there is no such endpoint."""
        fresh = token_bytes(SECRET_BYTES)
        async with self._database.transaction() as connection:
            held = await endpoint(connection, subscription_id)
            if held is None:
                return None
            now = await real_now(connection)
            await keep_secrets(connection, subscription_id, held.secrets.rotated(fresh, now))
        return fresh

    async def delete(self, subscription_id: str) -> bool:
        async with self._database.transaction() as connection:
            return await delete(connection, subscription_id)

    async def recover(self, subscription_id: str, since: datetime) -> int:
        async with self._database.transaction() as connection:
            real = await real_now(connection)
            return await recover(connection, subscription_id, since=since, limit=MOST_RECOVERED, real=real)
