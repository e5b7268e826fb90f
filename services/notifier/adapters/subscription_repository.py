"""Subscriptions as rows."""

from collections.abc import Mapping
from datetime import datetime
from secrets import token_bytes
from typing import Any, cast
from urllib.parse import urlsplit

import orjson

from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database, real_now
from services.notifier.adapters.channels.signing import format_secret
from services.notifier.adapters.delivery_repetition import Repetition, repeat_deliveries
from services.notifier.adapters.delivery_repository import delivery_id
from services.notifier.application.ports import Endpoint
from services.notifier.application.read_models import SubscriptionItem
from services.notifier.domain.circuit import Circuit
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.subscription import Filter, Secrets, Subscription

AUDIT = AuditLog("notifier")
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
SELECT d.id, d.caused_at, d.recovery + 1 AS recovery, f.event_id
FROM delivery_unsent u JOIN delivery d ON d.id = u.delivery_id AND d.caused_at = u.caused_at
CROSS JOIN LATERAL (SELECT event_id FROM feed WHERE key = d.event_key LIMIT 1) f
WHERE u.recipient_id = $1 AND u.state = 'failed' AND u.channel = 'webhook' AND u.created_at >= $2
    AND NOT EXISTS (SELECT FROM delivery later
        WHERE later.event_key = d.event_key AND later.recipient_id = d.recipient_id AND later.channel = 'webhook'
            AND later.recovery > 0 AND later.recovery > d.recovery)
ORDER BY u.created_at LIMIT $3
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


def _endpoint_name(url: str) -> str:
    """Where it leads, without a password or a query that may be one."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:500]


async def _record(
    connection: Connection, verb: str, subscription_id: str, after: Mapping[str, object] | None = None
) -> None:
    change = Change(f"subscription.{verb}", f"subscription/{subscription_id}", None, after)
    await AUDIT.record(connection, [change])


class SubscriptionRepository:
    """Implements the port `Subscriptions`; each call is its own transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, subscription: Subscription) -> tuple[SubscriptionItem, str]:
        secret = token_bytes(SECRET_BYTES)
        filter_ = orjson.dumps({name: list(values) for name, values in subscription.filter.items()}).decode()
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                CREATE, subscription.id, subscription.url, sorted(subscription.types), filter_, secret
            )
            after = {
                "endpoint": _endpoint_name(subscription.url),
                "types": sorted(subscription.types),
                "filter": {name: list(values) for name, values in subscription.filter.items()},
            }
            await _record(connection, "created", subscription.id, after)
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
            secrets = endpoint.secrets.rotated(secret, await real_now(connection))
            await connection.execute(
                ROTATE, subscription_id, secrets.previous, secrets.previous_until, secrets.current
            )
            await _record(connection, "secret_rotated", subscription_id)
        return format_secret(secret)

    async def delete(self, subscription_id: str) -> bool:
        async with self._database.transaction() as connection:
            is_deleted = await connection.fetchval(DELETE, subscription_id) is not None
            if is_deleted:
                await _record(connection, "deleted", subscription_id)
        return is_deleted

    async def recover(self, subscription_id: str, since: datetime) -> int:
        """Retry what failed since then, under the same webhook ids; returns how many."""
        recipient = Recipient(RecipientKind.SUBSCRIPTION, subscription_id)
        async with self._database.transaction() as connection:
            real = await real_now(connection)
            rows = await connection.fetch(LAST_FAILED, subscription_id, since, MOST_RECOVERED)
            repetitions = [
                Repetition(
                    row["id"],
                    row["caused_at"],
                    delivery_id(row["event_id"], "webhook", recipient, recovery=row["recovery"]),
                    row["recovery"],
                )
                for row in rows
            ]
            return await repeat_deliveries(connection, repetitions, "recovery was requested", real)
