"""What is older than its retention is dropped by months, and whoever asks for it is told."""

from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.clock import real_now
from services.chassis.settings import Retention
from services.notifier.adapters.retention import partition_loops, prune_loop
from tests.integration.notifier.conftest import ACME, NOON, Notifier, SetClock
from tests.integration.notifier.receivers import Receiver

pytestmark = pytest.mark.integration
TABLES = ("delivery", "delivery_unsent", "in_app", "feed")


async def keep_months(notifier: Notifier) -> None:
    for loop in partition_loops(notifier.database, SetClock(NOON, NOON, 1.0), Retention()):
        await loop.run_once()


async def counts(notifier: Notifier) -> dict[str, int]:
    return {table: await notifier.database.pool.fetchval(f"SELECT count(*) FROM {table}") for table in TABLES}


async def test_months_older_than_their_retention_are_dropped_and_the_api_says_so(notifier: Notifier) -> None:
    """A3: deliveries are kept 400 days, their events forty."""
    await keep_months(notifier)
    await notifier.add_acme(contacts=ACME["contacts"][:1])
    await notifier.due()
    await notifier.due(
        touchpoint_id="guide", channel="in_app", touchpoint_type="in_app_guide", audience=["champion"]
    )
    await notifier.due(touchpoint_id="news", touchpoint_type="newsletter")  # without content
    while await notifier.send_messages():
        pass
    old = next(row["id"] for row in await notifier.deliveries(state="sent"))
    assert await counts(notifier) == {"delivery": 3, "delivery_unsent": 1, "in_app": 1, "feed": 3}

    SetClock.now_is = datetime(2026, 5, 15, tzinfo=UTC)
    await keep_months(notifier)
    assert await counts(notifier) == {"delivery": 3, "delivery_unsent": 1, "in_app": 1, "feed": 0}
    assert len(await notifier.deliveries()) == 3

    SetClock.now_is = datetime(2027, 5, 15, tzinfo=UTC)
    await keep_months(notifier)
    assert await counts(notifier) == dict.fromkeys(TABLES, 0)
    answer = await notifier.http.get(f"/v1/deliveries/{old}")
    assert answer.status_code == 404
    assert "If it was made more than 400 days ago, it is no longer stored." in answer.json()["detail"]
    page = (await notifier.http.get("/v1/deliveries", params={"state": "failed"})).json()
    assert page["items"] == []
    expected = real_now() - timedelta(days=400)
    assert abs(datetime.fromisoformat(page["complete_from"]) - expected) < timedelta(minutes=1)


async def test_what_still_waits_when_its_event_is_dropped_ends_and_is_reported(
    notifier: Notifier, receiver: Receiver
) -> None:
    await notifier.http.post("/v1/subscriptions", json={"url": receiver.url})
    await notifier.due()
    await notifier.database.pool.execute("DELETE FROM feed")
    await notifier.database.pool.execute(
        "UPDATE delivery_queue SET created_at = created_at - interval '41 days'"
    )
    clock = SetClock(NOON, NOON, 1.0)

    await prune_loop(notifier.database, notifier.queue, clock, Retention()).run_once()

    (item,) = await notifier.deliveries(channel="webhook")
    assert (item["state"], item["reason"]) == ("expired", "its event is older than the events that are kept")
    assert [row["state"] for row in await notifier.finished() if row["channel"] == "webhook"] == ["expired"]


async def test_decided_drafts_and_what_platforms_got_are_kept_as_long_as_mails(
    notifier: Notifier, receiver: Receiver
) -> None:
    tips = {"touchpoint_type": "tips", "approve": True}
    await notifier.add_policy(tips, {"touchpoint_type": "in_app_guide", "hand_off": "Sequencer"})
    await notifier.add_acme(contacts=ACME["contacts"][:1])
    await notifier.http.post("/v1/subscriptions", json={"url": receiver.url, "name": "Sequencer"})
    await notifier.due()
    await notifier.due(touchpoint_id="guide", touchpoint_type="in_app_guide")
    await notifier.due(touchpoint_id="waits")
    await notifier.send_messages()
    await notifier.send_webhooks()
    (waits, decided) = (await notifier.http.get("/v1/drafts")).json()["items"]
    await notifier.http.post(f"/v1/drafts/{decided['id']}/approve")
    pool, clock = notifier.database.pool, SetClock(NOON, NOON, 1.0)
    prune = prune_loop(notifier.database, notifier.queue, clock, Retention())
    await prune.run_once()
    assert await pool.fetchval("SELECT count(*) FROM undelivered_event") == 1
    assert await pool.fetchval("SELECT count(*) FROM draft") == 2

    await pool.execute("UPDATE draft SET created_at = created_at - interval '91 days'")
    SetClock.now_is = NOON + timedelta(days=91)
    await prune.run_once()

    assert await pool.fetchval("SELECT count(*) FROM undelivered_event") == 0
    assert [str(row[0]) for row in await pool.fetch("SELECT id FROM draft")] == [waits["id"]]
