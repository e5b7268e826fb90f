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
from services.notifier.application.read_models import Recovery, SubscriptionItem
from services.notifier.domain.circuit import Circuit
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.subscription import Filter, Secrets, Subscription

SECRET_BYTES = 32
MOST_RECOVERED = 10_000
# What a disabled endpoint would have got is recorded as failed, so that it can be recovered.
SUBSCRIPTIONS = "SELECT id, url, types, filter, active FROM subscription WHERE NOT deleted"
ENDPOINTS = """
SELECT id, url, secret, previous_secret, previous_until, failures, open_until FROM subscription
WHERE active AND NOT deleted
"""
ITEM = """id, url, types, filter, active, disabled_reason, failures, open_until, created_at, seq, contact, failing_since,
    disabled_at"""
CREATE = f"""
INSERT INTO subscription (id, url, types, filter, secret, contact) VALUES ($1, $2, $3, $4::text::jsonb, $5, $6)
RETURNING {ITEM}
"""
# The last failure counts at its own time, whenever somebody looks at it.
SAVE_CIRCUIT = """
UPDATE subscription SET failures = $2, open_until = $3,
    failing_since = CASE WHEN $2 > 0 THEN coalesce(failing_since, clock_timestamp()) END,
    failed_at = CASE WHEN $2 > 0 THEN clock_timestamp() END, last_problem = CASE WHEN $2 > 0 THEN $4 END,
    warnings = CASE WHEN $2 > 0 THEN warnings ELSE 0 END, warned_at = CASE WHEN $2 > 0 THEN warned_at END
WHERE id = $1
"""
ENABLE = f"""
UPDATE subscription SET active = true, disabled_reason = NULL, disabled_at = NULL, failures = 0, open_until = NULL,
    failing_since = NULL, failed_at = NULL, last_problem = NULL, warnings = 0, warned_at = NULL
WHERE id = $1 AND NOT deleted AND NOT active RETURNING {ITEM}
"""
ITEMS = f"SELECT {ITEM} FROM subscription WHERE NOT deleted"
ROTATE = """
UPDATE subscription SET previous_secret = $2, previous_until = $3, secret = $4 WHERE id = $1
"""
DELETE = "UPDATE subscription SET deleted = true, active = false WHERE id = $1 AND NOT deleted RETURNING id"
_FAILED = """
WHERE d.recipient_id = $1 AND d.state = 'failed' AND d.channel = 'webhook' AND d.created_at >= $2
    AND NOT EXISTS (SELECT FROM delivery later
        WHERE later.message_id = d.message_id AND later.recovery > 0 AND later.recovery > d.recovery)
"""
LAST_FAILED = f"""
SELECT d.recovery, d.event_key, d.message_id, f.event_id, d.touchpoint_id, d.touchpoint_type, d.account_id
FROM delivery d JOIN feed f ON f.key = d.event_key
{_FAILED} ORDER BY d.created_at LIMIT $3
"""
# What stays behind a recovery: what was too much for one, and what no longer has its event.
LEFT_BEHIND = f"""
SELECT count(*) FILTER (WHERE is_kept), count(*) FILTER (WHERE NOT is_kept), max(created_at) FILTER (WHERE NOT is_kept)
FROM (SELECT d.created_at, EXISTS (SELECT FROM feed f WHERE f.key = d.event_key) AS is_kept FROM delivery d {_FAILED}) u
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


async def load_subscriptions(connection: Connection) -> list[Subscription]:
    """Those that are not deleted."""
    rows = await connection.fetch(SUBSCRIPTIONS)
    return [
        Subscription(row[0], row[1], frozenset(row[2]), _filter(row[3]), is_active=row[4]) for row in rows
    ]


async def save_circuit(connection: Connection, endpoint_id: str, circuit: Circuit, problem: str) -> None:
    """Store a circuit after results; `problem`: the detail of the last one."""
    await connection.execute(SAVE_CIRCUIT, endpoint_id, circuit.failures, circuit.open_until, problem)


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
    return SubscriptionItem(row[0], row[1], row[2], filter_, *row[4:13])


class SubscriptionRepository:
    """Implements the port `Subscriptions`; each call is its own transaction."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database, self._box = database, box

    async def create(self, subscription: Subscription) -> tuple[SubscriptionItem, str]:
        secret = token_bytes(SECRET_BYTES)
        filter_ = orjson.dumps({name: list(values) for name, values in subscription.filter.items()}).decode()
        sealed = self._box.seal(secret, subscription.id)
        row = await self._database.pool.fetchrow(
            CREATE,
            subscription.id,
            subscription.url,
            sorted(subscription.types),
            filter_,
            sealed,
            subscription.contact,
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

    async def enable(self, subscription_id: str) -> SubscriptionItem | None:
        """Enable a disabled endpoint as if it had never failed; None when there is none that is disabled."""
        row = await self._database.pool.fetchrow(ENABLE, subscription_id)
        return _item(row) if row else None

    async def recover(self, subscription_id: str, since: datetime) -> Recovery:
        """Retry what failed since then, under the same webhook ids."""
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
            left = await connection.fetchrow(LEFT_BEHIND, subscription_id, since)
            return Recovery(len(added), *left) if left else Recovery(len(added))
