"""Subscriptions as rows."""

from datetime import datetime
from secrets import token_bytes
from typing import Any, cast

import orjson

from services.chassis.database import Connection, Database, real_now
from services.chassis.secret_box import SecretBox
from services.notifier.adapters.channels.signing import format_secret
from services.notifier.adapters.delivery_repository import delivery_id
from services.notifier.application.ports import Endpoint
from services.notifier.application.read_models import SubscriptionItem
from services.notifier.domain.circuit import Circuit
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.subscription import Filter, Secrets, Subscription

SECRET_BYTES = 32
MOST_RECOVERED = 10_000
ACTIVE = "SELECT id, url, types, filter FROM subscription WHERE active AND NOT deleted"
ENDPOINTS = """
SELECT id, url, secret, previous_secret, previous_until, failures, open_until FROM subscription
WHERE active AND NOT deleted
"""
ITEM = "id, url, types, filter, active, disabled_reason, failures, open_until, created_at, seq"
CREATE = f"""
INSERT INTO subscription (id, url, types, filter, secret) VALUES ($1, $2, $3, $4::text::jsonb, $5) RETURNING {ITEM}
"""
ITEMS = f"SELECT {ITEM} FROM subscription WHERE NOT deleted"
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
    'webhook', 'subscription', $8, 'pending', 'recovery was requested', $9
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[])
  AS u(id, event_key, message_id, recovery, touchpoint_id, touchpoint_type, account_id)
ON CONFLICT (id) DO NOTHING RETURNING id
"""


async def active_subscriptions(connection: Connection) -> list[Subscription]:
    rows = await connection.fetch(ACTIVE)
    return [Subscription(row[0], row[1], frozenset(row[2]), _filter(row[3])) for row in rows]


async def active_endpoints(connection: Connection) -> list[Endpoint]:
    return [_endpoint(row) for row in await connection.fetch(ENDPOINTS)]


async def lock_endpoint(connection: Connection, subscription_id: str) -> Endpoint | None:
    row = await connection.fetchrow(f"{ENDPOINTS} AND id = $1 FOR UPDATE", subscription_id)
    return _endpoint(row) if row else None


def _endpoint(row: Any) -> Endpoint:
    return Endpoint(row[0], row[1], Secrets(row[2], row[3], row[4]), Circuit(row[5], row[6]))


def _filter(stored: str) -> Filter:
    return cast("Filter", orjson.loads(stored))


def _item(row: Any) -> SubscriptionItem:
    filter_ = {str(name): values for name, values in _filter(row[3]).items()}
    return SubscriptionItem(row[0], row[1], row[2], filter_, *row[4:10])


class SubscriptionRepository:
    """Implements the port `Subscriptions`; each call is its own transaction."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database, self._box = database, box

    async def create(self, subscription: Subscription) -> tuple[SubscriptionItem, str]:
        secret = token_bytes(SECRET_BYTES)
        filter_ = orjson.dumps({name: list(values) for name, values in subscription.filter.items()}).decode()
        sealed = self._box.seal(secret, subscription.id)
        row = await self._database.pool.fetchrow(
            CREATE, subscription.id, subscription.url, sorted(subscription.types), filter_, sealed
        )
        return _item(row), format_secret(secret)

    async def page(self, *, after: int, limit: int) -> list[SubscriptionItem]:
        """Oldest first, those with a sequence above `after`."""
        rows = await self._database.pool.fetch(f"{ITEMS} AND seq > $1 ORDER BY seq LIMIT $2", after, limit)
        return [_item(row) for row in rows]

    async def get(self, subscription_id: str) -> SubscriptionItem | None:
        row = await self._database.pool.fetchrow(f"{ITEMS} AND id = $1", subscription_id)
        return _item(row) if row else None

    async def endpoint(self, subscription_id: str) -> Endpoint | None:
        """None when there is no active subscription of that id."""
        row = await self._database.pool.fetchrow(f"{ENDPOINTS} AND id = $1", subscription_id)
        return _endpoint(row) if row else None

    async def rotate_secret(self, subscription_id: str) -> str | None:
        """A new secret; the old one signs beside it for 24 hours. None when there is no active subscription."""
        secret = token_bytes(SECRET_BYTES)
        async with self._database.transaction() as connection:
            endpoint = await lock_endpoint(connection, subscription_id)
            if endpoint is None:
                return None
            sealed = self._box.seal(secret, subscription_id)
            secrets = endpoint.secrets.rotated(sealed, await real_now(connection))
            await connection.execute(
                ROTATE, subscription_id, secrets.previous, secrets.previous_until, secrets.current
            )
        return format_secret(secret)

    async def delete(self, subscription_id: str) -> bool:
        return await self._database.pool.fetchval(DELETE, subscription_id) is not None

    async def recover(self, subscription_id: str, since: datetime) -> int:
        """Retry what failed since then, under the same webhook ids; returns how many."""
        recipient = Recipient(RecipientKind.SUBSCRIPTION, subscription_id)
        async with self._database.transaction() as connection:
            real = await real_now(connection)
            rows = await connection.fetch(LAST_FAILED, subscription_id, since, MOST_RECOVERED)
            recoveries = [row["recovery"] + 1 for row in rows]
            added = await connection.fetch(
                RECOVER,
                [
                    delivery_id(row["event_id"], "webhook", recipient, recovery=recovery)
                    for row, recovery in zip(rows, recoveries, strict=True)
                ],
                [row["event_key"] for row in rows],
                [row["message_id"] for row in rows],
                recoveries,
                [row["touchpoint_id"] for row in rows],
                [row["touchpoint_type"] for row in rows],
                [row["account_id"] for row in rows],
                subscription_id,
                real,
            )
        return len(added)
