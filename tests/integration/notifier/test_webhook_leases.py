"""Webhooks and their leases: a result that is not recorded in time is another sender's, and is recorded once."""

import asyncio

import pytest

from services.chassis.clock import real_now
from services.chassis.database import INFRASTRUCTURE
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.notifier.application.ports import WebhookResult
from services.notifier.domain.delivery import AttemptOutcome, Response
from services.notifier.entrypoints import workers
from tests.conftest import PATIENCE
from tests.integration.notifier.conftest import Notifier, refused_connections
from tests.integration.notifier.receivers import Receiver

pytestmark = pytest.mark.integration

END_LEASES = "UPDATE delivery_queue SET lease_until = '2000-01-01Z' WHERE lease_until IS NOT NULL"


async def subscribe(notifier: Notifier, url: str) -> None:
    assert (await notifier.http.post("/v1/subscriptions", json={"url": url})).status_code == 201


async def claimed_and_sent(notifier: Notifier, response: Response) -> list[WebhookResult]:
    """The results of a sender that has sent and not recorded."""
    claims = await notifier.queue.claim_webhooks(100, {})
    return [WebhookResult(claim, response, real_now()) for claim in claims]


async def test_a_crash_between_sending_and_recording_sends_again_and_records_once(
    notifier: Notifier, receiver: Receiver
) -> None:
    await subscribe(notifier, receiver.url)
    await notifier.due()
    lost = await claimed_and_sent(notifier, Response(AttemptOutcome.REFUSED, "HTTP 500"))
    assert len(lost) == 1

    await notifier.send_webhooks()
    assert receiver.requests == []  # the lease still holds
    await notifier.database.pool.execute(END_LEASES)
    await notifier.send_webhooks()
    await notifier.queue.complete_webhooks(lost)  # the sender that seemed dead goes on

    assert len(receiver.requests) == 1
    (item,) = [row for row in await notifier.deliveries() if row["channel"] == "webhook"]
    assert item["state"] == "sent"
    assert [row["outcome"] for row in item["attempts"]] == ["delivered"]
    assert item["ambiguous"] is True
    assert (
        await notifier.database.pool.fetchval("SELECT count(*) FROM delivery_queue WHERE channel = 'webhook'")
        == 0
    )
    reports = [row for row in await notifier.finished() if row["channel"] == "webhook"]
    assert [row["state"] for row in reports] == ["sent"]


async def test_many_that_were_delivered_are_recorded_together_and_only_by_who_holds_their_lease(
    notifier: Notifier, receiver: Receiver
) -> None:
    for number in range(4):
        await subscribe(notifier, f"{receiver.url}/{number}")
    for number in range(10):
        await notifier.due(touchpoint_id=f"00000000-0000-4000-8000-{number:012}")
    results = await claimed_and_sent(notifier, Response(AttemptOutcome.DELIVERED, "HTTP 204"))
    assert len(results) == 40
    taken = results[0].claim.delivery_id
    await notifier.database.pool.execute(
        "UPDATE delivery_queue SET lease_token = gen_random_uuid() WHERE delivery_id = $1", taken
    )

    await notifier.queue.complete_webhooks(results)
    await notifier.queue.complete_webhooks(results)

    rows = [row for row in await notifier.deliveries() if row["channel"] == "webhook"]
    assert {row["id"]: row["state"] for row in rows if row["state"] != "sent"} == {taken: "pending"}
    done = [row for row in rows if row["id"] != taken]
    assert {row["reason"] for row in done} == {"HTTP 204"}
    assert [[each["outcome"] for each in row["attempts"]] for row in done] == [["delivered"]] * 39
    assert len([row for row in await notifier.finished() if row["channel"] == "webhook"]) == 39


async def test_an_ambiguous_attempt_is_recorded_as_one(notifier: Notifier, receiver: Receiver) -> None:
    await subscribe(notifier, receiver.url)
    await notifier.due()

    await notifier.queue.complete_webhooks(
        await claimed_and_sent(notifier, Response(AttemptOutcome.AMBIGUOUS, "no answer"))
    )
    (item,) = [row for row in await notifier.deliveries() if row["channel"] == "webhook"]

    assert item["state"] == "pending"
    assert [row["outcome"] for row in item["attempts"]] == ["ambiguous"]
    assert item["ambiguous"] is True


async def test_a_claim_that_waited_too_long_for_a_task_is_left_to_its_next_owner(
    notifier: Notifier, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await subscribe(notifier, receiver.url)
    await notifier.due()
    with monkeypatch.context() as frozen:
        frozen.setattr(workers, "FRESH_SECONDS", -1.0)
        await notifier.send_webhooks()
    assert receiver.requests == []

    await notifier.database.pool.execute(END_LEASES)
    await notifier.send_webhooks()

    assert len(receiver.requests) == 1
    (item,) = [row for row in await notifier.deliveries() if row["channel"] == "webhook"]
    assert item["state"] == "sent"


async def test_outcomes_are_kept_while_the_database_is_away_and_no_webhook_is_sent_again(
    notifier: Notifier, receiver: Receiver, migrated: EmbeddedPostgres
) -> None:
    """A2: when the database returns after the leases have ended, results are recorded before anything is claimed."""
    await subscribe(notifier, receiver.url)
    await notifier.due()
    await notifier.sender.claim_once()
    async with refused_connections(migrated):
        with pytest.raises(INFRASTRUCTURE):
            async with asyncio.timeout(20 * PATIENCE):
                while True:
                    await notifier.sender.record_once()
                    await asyncio.sleep(0.01)
    await notifier.database.pool.execute(END_LEASES)

    assert await notifier.sender.claim_once() is None
    await notifier.sender.record_once()
    await notifier.send_webhooks()

    assert len(receiver.requests) == 1
    (item,) = [row for row in await notifier.deliveries() if row["channel"] == "webhook"]
    assert (item["state"], item["ambiguous"], len(item["attempts"])) == ("sent", False, 1)


async def test_more_than_may_be_claimed_at_once_is_sent_once_each(
    notifier: Notifier, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "MOST_CLAIMED", 20)
    monkeypatch.setattr(workers, "LEAST_TO_CLAIM", 5)
    monkeypatch.setattr(workers, "WEBHOOKS_AT_ONCE", 4)
    await subscribe(notifier, receiver.url)
    for number in range(60):
        await notifier.due(touchpoint_id=f"00000000-0000-4000-8000-0000000000{number:02d}")
    tasks = [
        asyncio.create_task(loop.run()) for loop in (notifier.sender.claiming, notifier.sender.recording)
    ]

    async with asyncio.timeout(30 * PATIENCE):
        while await notifier.database.pool.fetchval(
            "SELECT count(*) FROM delivery WHERE channel = 'webhook' AND state <> 'sent'"
        ):
            await asyncio.sleep(0.02)
    notifier.sender.claiming.stop()
    notifier.sender.recording.stop()
    await asyncio.gather(*tasks)
    await notifier.sender.close()

    ids = [headers["webhook-id"] for headers, _ in receiver.requests]
    assert len(ids) == len(set(ids)) == 60
