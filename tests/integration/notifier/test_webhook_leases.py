"""Webhooks and their leases: what a sender could not write down in time is another's, and is recorded once."""

import asyncio

import pytest

from services.notifier.application.ports import Settled
from services.notifier.domain.delivery import Outcome, Receipt
from services.notifier.domain.retry import after_attempt
from services.notifier.entrypoints import workers
from tests.integration.notifier.conftest import Notifier
from tests.integration.notifier.receivers import Receiver

pytestmark = pytest.mark.integration

END_LEASES = "UPDATE delivery SET lease_until = '2000-01-01Z' WHERE lease_until IS NOT NULL"


async def subscribe(notifier: Notifier, url: str) -> None:
    assert (await notifier.http.post("/v1/subscriptions", json={"url": url})).status_code == 201


async def claimed_and_sent(notifier: Notifier, receipt: Receipt) -> list[Settled]:
    """What a sender holds in its hands between sending and writing down."""
    claims, now = await notifier.desk.claim_webhooks(100, {})
    settled: list[Settled] = []
    for each in claims:
        delivery, attempt = after_attempt(each.delivery, receipt, at=now.real, first_at=each.first_at)
        settled.append(Settled(each, delivery, attempt=attempt, receipt=receipt))
    return settled


async def test_a_crash_between_sending_and_writing_down_sends_again_and_settles_once(
    notifier: Notifier, receiver: Receiver
) -> None:
    await subscribe(notifier, receiver.url)
    await notifier.due()
    lost = await claimed_and_sent(notifier, Receipt(Outcome.REFUSED, "HTTP 500"))
    assert len(lost) == 1

    await notifier.call_hooks()
    assert receiver.heard == []  # the lease still holds
    await notifier.database.pool.execute(END_LEASES)
    await notifier.call_hooks()
    await notifier.desk.complete(lost)  # the one thought dead wakes up

    assert len(receiver.heard) == 1
    (item,) = [each for each in await notifier.deliveries() if each["channel"] == "webhook"]
    assert item["state"] == "sent"
    assert [each["outcome"] for each in item["attempts"]] == ["delivered"]
    row = await notifier.database.pool.fetchrow(
        "SELECT ambiguous, lease_token FROM delivery WHERE channel = 'webhook'"
    )
    assert row is not None
    assert (row["ambiguous"], row["lease_token"]) == (True, None)
    reports = [each for each in await notifier.finished() if each["channel"] == "webhook"]
    assert [each["state"] for each in reports] == ["sent"]


async def test_an_ambiguous_attempt_is_remembered_as_one(notifier: Notifier, receiver: Receiver) -> None:
    await subscribe(notifier, receiver.url)
    await notifier.due()

    await notifier.desk.complete(await claimed_and_sent(notifier, Receipt(Outcome.AMBIGUOUS, "no answer")))
    (item,) = [each for each in await notifier.deliveries() if each["channel"] == "webhook"]

    assert item["state"] == "pending"
    assert [each["outcome"] for each in item["attempts"]] == ["ambiguous"]
    assert await notifier.database.pool.fetchval("SELECT ambiguous FROM delivery WHERE channel = 'webhook'")


async def test_a_claim_that_waited_too_long_for_a_worker_is_left_to_its_next_owner(
    notifier: Notifier, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await subscribe(notifier, receiver.url)
    await notifier.due()
    with monkeypatch.context() as frozen:
        frozen.setattr(workers, "FRESH", -1.0)
        await notifier.call_hooks()
    assert receiver.heard == []

    await notifier.database.pool.execute(END_LEASES)
    await notifier.call_hooks()

    assert len(receiver.heard) == 1
    (item,) = [each for each in await notifier.deliveries() if each["channel"] == "webhook"]
    assert item["state"] == "sent"


async def test_more_than_may_be_claimed_at_once_is_sent_once_each(
    notifier: Notifier, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "CLAIMED_AT_MOST", 20)
    monkeypatch.setattr(workers, "WORTH_CLAIMING", 5)
    monkeypatch.setattr(workers, "HOOKS_AT_ONCE", 4)
    await subscribe(notifier, receiver.url)
    for number in range(60):
        await notifier.due(touchpoint_id=f"00000000-0000-4000-8000-0000000000{number:02d}")
    tasks = [asyncio.create_task(each.run()) for each in (notifier.sender.claiming, notifier.sender.settling)]

    async with asyncio.timeout(30):
        while await notifier.database.pool.fetchval(
            "SELECT count(*) FROM delivery WHERE channel = 'webhook' AND state <> 'sent'"
        ):
            await asyncio.sleep(0.02)
    notifier.sender.claiming.stop()
    notifier.sender.settling.stop()
    await asyncio.gather(*tasks)
    await notifier.sender.close()

    ids = [headers["webhook-id"] for headers, _ in receiver.heard]
    assert len(ids) == len(set(ids)) == 60
