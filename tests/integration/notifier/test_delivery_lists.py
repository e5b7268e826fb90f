"""Lists of deliveries among many: every filter follows an index, and answers fast where it finds something (A1)."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from services.chassis.clock import ServiceClock
from services.chassis.database import Database
from services.chassis.settings import Retention
from services.notifier.adapters.delivery_lists import MOST_READ, find_keys, list_deliveries
from services.notifier.adapters.retention import partition_loops
from services.notifier.application.read_models import DeliveryFilter, DeliverySlice
from tests.integration.notifier.conftest import Notifier

pytestmark = pytest.mark.integration
COUNT = 200_000
# Newest first mostly webhooks that were sent; a hundred of each other state, and all of a rare channel, are old.
FILL = f"""
INSERT INTO delivery (id, caused_at, event_key, message_id, touchpoint_id, touchpoint_type, account_id, channel,
    recipient_kind, recipient_id, state, reason, attempts, tried_at)
SELECT md5(i::text)::uuid, clock_timestamp() - (({COUNT} - i) || ' seconds')::interval, md5('e' || i)::uuid,
    md5(i::text)::uuid, 't' || i / 20, 'tips', 'a' || i % 5000,
    CASE WHEN i <= 500 THEN 'sms' WHEN i % 20 = 0 THEN 'email' ELSE 'webhook' END,
    CASE WHEN i % 20 = 0 THEN 'contact' ELSE 'subscription' END,
    CASE WHEN i % 20 = 0 THEN 'c' || i % 5000 ELSE 'hook' || i % 10 END,
    CASE WHEN i > 500 THEN 'sent' WHEN i % 5 = 0 THEN 'pending' WHEN i % 5 = 1 THEN 'failed'
        WHEN i % 5 = 2 THEN 'suppressed' WHEN i % 5 = 3 THEN 'expired' ELSE 'sent' END, 'HTTP 204', 1, clock_timestamp()
FROM generate_series(1, {COUNT}) i
"""
FILL_QUEUE = """
INSERT INTO delivery_queue (delivery_id, caused_at, event_key, event_at, seq, message_id, account_id, channel,
    recipient_kind, recipient_id, touchpoint_id, next_at, created_at)
SELECT id, caused_at, event_key, caused_at, seq, message_id, account_id, channel, recipient_kind, recipient_id,
    touchpoint_id, clock_timestamp(), created_at
FROM delivery WHERE state = 'pending'
"""
FILL_UNSENT = """
INSERT INTO delivery_unsent (delivery_id, caused_at, seq, state, account_id, channel, recipient_kind, recipient_id,
    created_at)
SELECT id, caused_at, seq, state, account_id, channel, recipient_kind, recipient_id, created_at
FROM delivery WHERE state IN ('failed', 'suppressed', 'expired')
"""
# Of the tables of deliveries, and of the record by scans from end to end.
ROWS_READ = """
SELECT (coalesce(sum(seq_tup_read), 0) + coalesce(sum(idx_tup_fetch), 0))::int AS rows,
    coalesce(sum(seq_tup_read) FILTER (WHERE relname LIKE 'delivery\\_2%'), 0)::int AS scanned
FROM pg_stat_xact_user_tables WHERE relname LIKE 'delivery%'
"""


@pytest.fixture
async def many(notifier: Notifier) -> AsyncGenerator[Database]:
    database = notifier.database
    now = datetime.now(UTC)
    for loop in partition_loops(database, ServiceClock(now, now, 1.0), Retention()):
        await loop.run_once()
    for statement in (FILL, FILL_QUEUE, FILL_UNSENT, "ANALYZE delivery, delivery_queue, delivery_unsent"):
        await database.pool.execute(statement)
    yield database
    await database.pool.execute("TRUNCATE delivery, delivery_queue, delivery_unsent")


def filters() -> list[DeliveryFilter]:
    """Every combination that the API takes, for values of an old delivery."""
    recipients = ((None, None), ("subscription", "hook1"), ("contact", "c100"))
    return [
        DeliveryFilter(account, touchpoint, kind, recipient, state, channel)
        for account, touchpoint, (kind, recipient), state, channel in product(
            (None, "a101"),
            (None, "t5"),
            recipients,
            (None, "pending", "sent", "failed", "suppressed", "expired"),
            (None, "sms", "email"),
        )
    ]


def matches(wanted: DeliveryFilter) -> str:
    """The condition of a filter in SQL, for a plain count."""
    values = {
        "account_id": wanted.account_id,
        "touchpoint_id": wanted.touchpoint_id,
        "recipient_id": wanted.recipient_id,
        "recipient_kind": wanted.recipient_kind,
        "state": wanted.state,
        "channel": wanted.channel,
    }
    return " AND ".join(["true", *(f"{name} = '{value}'" for name, value in values.items() if value)])


async def rows_read(database: Database, wanted: DeliveryFilter, limit: int) -> int:
    """For one page, whose statements may scan none of the months of the record from end to end."""
    async with database.transaction() as connection:
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        before: Any = await connection.fetchrow(ROWS_READ)
        await find_keys(connection, wanted, 2**62, limit)
        after: Any = await connection.fetchrow(ROWS_READ)
        assert after["scanned"] == before["scanned"], wanted
        return after["rows"] - before["rows"]


async def test_every_filter_finds_what_matches_without_reading_all(many: Database) -> None:
    """A1: one page reads a bounded number of rows, however many there are."""
    for wanted in filters():
        expected = await many.pool.fetch(
            f"SELECT id::text FROM delivery WHERE {matches(wanted)} ORDER BY seq DESC LIMIT 5"
        )
        found: list[str] = []
        before: int | None = 2**62
        pages = 0
        while before is not None and len(found) < 5:
            page: DeliverySlice = await list_deliveries(
                many, wanted, before=before, limit=5, kept=timedelta(1)
            )
            found += [item.id for item in page.items]
            before, pages = page.next_before, pages + 1
        assert found[:5] == [row[0] for row in expected], wanted
        assert pages <= 1 + COUNT / MOST_READ
        read = await rows_read(many, wanted, 5)
        # Twice where it goes on: the second time to find where.
        assert read <= 2 * MOST_READ + 1000, (read, wanted)
    for state in ("pending", "sent", "failed", "suppressed", "expired"):
        read = await rows_read(many, DeliveryFilter(state=state), 50)
        assert read <= 200, (read, state)
