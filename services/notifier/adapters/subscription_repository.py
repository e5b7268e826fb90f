"""Subscriptions as rows."""

from collections.abc import Mapping
from datetime import datetime
from secrets import token_bytes
from typing import Any, cast
from urllib.parse import urlsplit

import orjson

from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database, real_now
from services.chassis.secret_box import SecretBox
from services.notifier.adapters.channels.signing import format_secret
from services.notifier.adapters.delivery_repetition import FAILED, find_failed, repeat_deliveries
from services.notifier.adapters.merging import keep_merges_out
from services.notifier.application.ports import Endpoint
from services.notifier.application.read_models import Recovery, SubscriptionItem
from services.notifier.domain.circuit import Circuit
from services.notifier.domain.subscription import Filter, Secrets, Subscription

AUDIT = AuditLog("notifier")
SECRET_BYTES = 32
MOST_RECOVERED = 10_000
# What a disabled endpoint would have got is recorded as failed, so that it can be recovered.
SUBSCRIPTIONS = "SELECT id, url, types, filter, active, name, content FROM subscription WHERE NOT deleted"
ENDPOINTS = """
SELECT id, url, secret, previous_secret, previous_until, failures, open_until FROM subscription
WHERE active AND NOT deleted
"""
ITEM = """id, url, types, filter, active, disabled_reason, failures, open_until, created_at, seq, contact, failing_since,
    disabled_at, name, content"""
CREATE = f"""
INSERT INTO subscription (id, url, types, filter, secret, contact, name, content)
VALUES ($1, $2, $3, $4::text::jsonb, $5, $6, $7, $8)
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
# What stays behind a recovery: what was too much for one, and what no longer has its event.
LEFT_BEHIND = f"""
SELECT count(f.event_id), count(*) - count(f.event_id), max(u.created_at) FILTER (WHERE f.event_id IS NULL) {FAILED}
"""


async def load_subscriptions(connection: Connection) -> list[Subscription]:
    """Those that are not deleted."""
    rows = await connection.fetch(SUBSCRIPTIONS)
    return [
        Subscription(
            row[0],
            row[1],
            frozenset(row[2]),
            _filter(row[3]),
            is_active=row[4],
            name=row[5],
            content=row[6],
        )
        for row in rows
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
    return SubscriptionItem(row[0], row[1], row[2], filter_, *row[4:15])


def _endpoint_name(url: str) -> str:
    """Where it leads, without a password or a query that may be one."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:500]


async def record_change(
    connection: Connection,
    verb: str,
    subscription_id: str,
    after: Mapping[str, object] | None = None,
    actor: str | None = None,
) -> None:
    """An entry of the audit log, in the caller's transaction. `actor`: None for who makes the call."""
    change = Change(f"subscription.{verb}", f"subscription/{subscription_id}", None, after, actor=actor)
    await AUDIT.record(connection, [change])


class SubscriptionRepository:
    """Implements the port `Subscriptions`; each call is its own transaction."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database, self._box = database, box

    async def create(self, subscription: Subscription) -> tuple[SubscriptionItem, str]:
        secret = token_bytes(SECRET_BYTES)
        filter_ = orjson.dumps({name: list(values) for name, values in subscription.filter.items()}).decode()
        sealed = self._box.seal(secret, subscription.id)
        types = sorted(subscription.types)
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                CREATE,
                subscription.id,
                subscription.url,
                types,
                filter_,
                sealed,
                subscription.contact,
                subscription.name,
                subscription.content,
            )
            after = {
                "endpoint": _endpoint_name(subscription.url),
                "types": types,
                "filter": {name: list(values) for name, values in subscription.filter.items()},
                "name": subscription.name,
                "content": subscription.content,
            }
            await record_change(connection, "created", subscription.id, after)
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
            await record_change(connection, "secret_rotated", subscription_id)
        return format_secret(secret)

    async def delete(self, subscription_id: str) -> bool:
        async with self._database.transaction() as connection:
            is_deleted = await connection.fetchval(DELETE, subscription_id) is not None
            if is_deleted:
                await record_change(connection, "deleted", subscription_id)
        return is_deleted

    async def enable(self, subscription_id: str) -> SubscriptionItem | None:
        """Enable a disabled endpoint as if it had never failed; None when there is none that is disabled."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(ENABLE, subscription_id)
            if row is None:
                return None
            await record_change(connection, "enabled", subscription_id)
        return _item(row)

    async def recover(self, subscription_id: str, since: datetime) -> Recovery:
        """Retry what failed since then, under the same webhook ids."""
        async with self._database.transaction() as connection:
            await keep_merges_out(connection)
            real = await real_now(connection)
            failed = await find_failed(connection, subscription_id, since, MOST_RECOVERED)
            recovered = await repeat_deliveries(connection, failed, "recovery was requested", real)
            after = {"since": since, "repeated": recovered}
            await record_change(connection, "recovered", subscription_id, after)
            left = await connection.fetchrow(LEFT_BEHIND, subscription_id, since)
            return Recovery(recovered, *left) if left else Recovery(recovered)
