"""Deliveries, events, in-app messages and mails of before the queue are where they were after the upgrade, and go on."""

from collections.abc import AsyncGenerator
from typing import Any

import asyncpg
import orjson
import pytest

from services.chassis.database import Database, database_url
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.notifier.adapters.delivery_repository import event_key
from tests.integration.migrating import upgrade_to
from tests.integration.notifier.conftest import NOON, Notifier, SetClock, assembled, touchpoint
from tests.integration.notifier.receivers import Receiver

pytestmark = pytest.mark.integration
NAME = "notifier_before_queue"
PENDING, SENT, FAILED, SUPPRESSED = (f"00000000-0000-4000-8000-00000000000{number}" for number in range(1, 5))
EVENT, PRUNED = event_key("t1:3:due"), event_key("t0:3:due")
DUE = "drumbeat.touchpoint.due.v1"
ROWS = (
    """
    INSERT INTO subscription (id, url, types, filter, secret)
    VALUES ('hook', 'http://127.0.0.1:9/hook', '{}', '{}', '\\x00')
    """,
    f"""
    INSERT INTO delivery (id, event_key, message_id, touchpoint_id, touchpoint_type, account_id, channel,
        recipient_kind, recipient_id, state, reason, attempts, next_at, first_at, finished_at, program_id, ambiguous)
    VALUES ('{PENDING}', '{EVENT}', '{PENDING}', 't1', 'tips', 'acme', 'webhook', 'subscription', 'hook', 'pending',
            'HTTP 500', 1, '2026-03-01Z', '2026-03-01Z', NULL, NULL, true),
        ('{SENT}', '{EVENT}', '{SENT}', 't1', 'tips', 'acme', 'email', 'contact', 'ann', 'sent', '250 kept', 2, NULL,
            '2026-03-01Z', '2026-03-02Z', 'release-7', false),
        ('{FAILED}', '{EVENT}', '{FAILED}', 't1', 'tips', 'acme', 'webhook', 'subscription', 'gone', 'failed',
            'gave up after HTTP 500', 1, NULL, '2026-03-01Z', '2026-03-02Z', NULL, false),
        ('{SUPPRESSED}', '{PRUNED}', '{SUPPRESSED}', 't0', 'tips', 'acme', 'email', 'contact', 'ann', 'suppressed',
            'the contact opted out', 0, NULL, NULL, '2026-01-02Z', NULL, false)
    """,
    f"""
    INSERT INTO attempt VALUES ('{PENDING}', 1, '2026-03-01Z', 'refused', 'HTTP 500'),
        ('{SENT}', 1, '2026-03-01T01:00Z', 'deferred', '450 busy'),
        ('{SENT}', 2, '2026-03-01T02:00Z', 'delivered', '250 kept'),
        ('{FAILED}', 1, '2026-03-01Z', 'refused', 'HTTP 500')
    """,
    f"""
    INSERT INTO in_app (id, recipient_kind, recipient_id, account_id, title, body, at)
    VALUES ('{SENT}', 'contact', 'ann', 'acme', 'Hello', 'Ann', '2026-03-02Z')
    """,
    f"INSERT INTO written_message (message_id, content) VALUES ('{SENT}', 'Subject: Hello\r\n\r\nAnn')",
)


@pytest.fixture
async def upgraded(postgres: EmbeddedPostgres) -> AsyncGenerator[Database]:
    """A database at the head revision, with rows that were written at notifier_0009."""
    SetClock.now_is = NOON
    admin = await asyncpg.connect(postgres.url)
    await admin.execute(f'CREATE ROLE "{NAME}" SUPERUSER')
    await admin.execute(f'CREATE DATABASE "{NAME}" OWNER "{NAME}"')
    await upgrade_to(postgres.url, NAME, "notifier", "notifier_0009")
    before = await asyncpg.connect(database_url(postgres.url, NAME))
    await before.execute(
        f"INSERT INTO feed (key, event_id, type, said_at, account_id, data)"
        f" VALUES ('{EVENT}', 't1:3:due', '{DUE}', $1, 'acme', $2)",
        NOON,
        orjson.dumps(touchpoint(touchpoint_id="t1", channel="call", owner="csm")),
    )
    for statement in ROWS:
        await before.execute(statement)
    await before.close()
    await upgrade_to(postgres.url, NAME, "notifier", "head")
    database = await Database.open(postgres.url, NAME)
    yield database
    await database.close()
    await admin.execute(f'DROP DATABASE "{NAME}" WITH (FORCE)')
    await admin.execute(f'DROP ROLE "{NAME}"')
    await admin.close()


async def by_id(notifier: Notifier, **query: str) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in await notifier.deliveries(**query)}


async def test_deliveries_of_before_are_listed_as_they_were_and_go_on(
    upgraded: Database, receiver: Receiver
) -> None:
    async with assembled(upgraded, live=True) as notifier:
        items = await by_id(notifier)
        assert list(items) == [SUPPRESSED, FAILED, SENT, PENDING]
        assert [(each["outcome"], each["detail"]) for each in items[SENT]["attempts"]] == [
            ("deferred", "450 busy"),
            ("delivered", "250 kept"),
        ]
        assert [each["at"] for each in items[SENT]["attempts"]] == [
            "2026-03-01T01:00:00Z",
            "2026-03-01T02:00:00Z",
        ]
        assert (items[PENDING]["reason"], items[PENDING]["ambiguous"]) == ("HTTP 500", True)
        for state, id_ in (
            ("pending", PENDING),
            ("sent", SENT),
            ("failed", FAILED),
            ("suppressed", SUPPRESSED),
        ):
            assert list(await by_id(notifier, state=state)) == [id_]
        entries = (await notifier.http.get("/v1/inbox", params={"contact_id": "ann"})).json()["items"]
        assert [entry["title"] for entry in entries] == ["Hello"]
        message = (await notifier.http.get(f"/v1/deliveries/{SENT}/message")).json()
        assert message["subject"] == "Hello"
        assert await upgraded.pool.fetchval("SELECT contact_id FROM presented_program") == "ann"

        await upgraded.pool.execute("UPDATE subscription SET url = $1", receiver.url)
        await notifier.send_webhooks()

        (done,) = (await by_id(notifier, subscription_id="hook")).values()
        assert done["state"] == "sent"
        assert [each["outcome"] for each in done["attempts"]] == ["refused", "delivered"]


async def test_events_of_before_are_not_announced_again(upgraded: Database) -> None:
    async with assembled(upgraded, live=True) as notifier:
        await notifier.consume(notifier.touchpoint(touchpoint_id="t1", channel="call", owner="csm"))
        assert len(await by_id(notifier)) == 4
        assert await upgraded.pool.fetchval("SELECT count(*) FROM feed") == 1
