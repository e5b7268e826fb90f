"""Webhooks: signed, with one id, retried, and ended when the endpoint is gone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from standardwebhooks import Webhook

from tests.integration.notifier.conftest import Notifier
from tests.integration.notifier.receivers import Hanging, Receiver
from tests.stack import until

pytestmark = pytest.mark.integration


async def subscribe(notifier: Notifier, url: str, **more: Any) -> dict[str, Any]:
    answer = await notifier.http.post("/v1/subscriptions", json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_subscribed_event_arrives_signed_and_is_reported(
    notifier: Notifier, receiver: Receiver
) -> None:
    made = await subscribe(notifier, receiver.url, types=["drumbeat.touchpoint.due.v1"])
    await notifier.add_acme()

    await notifier.consume(notifier.touchpoint("scheduled", status="planned", sequence=1))
    await notifier.due()
    await notifier.send_webhooks()

    ((headers, body),) = receiver.requests
    payload = Webhook(made["secret"]).verify(body, headers)
    assert set(payload) == {"type", "timestamp", "data"}
    assert payload["type"] == "drumbeat.touchpoint.due.v1"
    assert payload["data"]["touchpoint_type"] == "tips"
    (item,) = await notifier.deliveries(subscription_id=made["id"])
    assert item["state"] == "sent"
    assert item["webhook_id"] == item["id"] == headers["webhook-id"]
    assert [row["outcome"] for row in item["attempts"]] == ["delivered"]
    finished = [row for row in await notifier.finished() if row["channel"] == "webhook"]
    assert finished[0]["recipient"] == {"kind": "subscription", "id": made["id"]}


async def test_a_filter_lets_only_its_values_through(notifier: Notifier, receiver: Receiver) -> None:
    await subscribe(notifier, receiver.url, filter={"account_id": ["acme"], "owner": "csm"})

    await notifier.due()
    await notifier.due(owner="csm", touchpoint_id="22222222-2222-4222-8222-222222222222")
    await notifier.send_webhooks()

    assert [orjson.loads(body)["data"]["owner"]["kind"] for _, body in receiver.requests] == ["csm"]


async def test_a_failure_is_retried_under_the_same_id(notifier: Notifier, receiver: Receiver) -> None:
    await subscribe(notifier, receiver.url)
    receiver.status = 500
    await notifier.due()
    await notifier.send_webhooks()
    await notifier.send_webhooks()
    assert len(receiver.requests) == 1

    receiver.status = 200
    await notifier.ready_again()
    await notifier.send_webhooks()

    ids = {headers["webhook-id"] for headers, _ in receiver.requests}
    assert len(receiver.requests) == 2
    assert len(ids) == 1
    (item,) = [row for row in await notifier.deliveries() if row["channel"] == "webhook"]
    assert [row["outcome"] for row in item["attempts"]] == ["refused", "delivered"]


async def test_410_disables_the_endpoint_and_ends_its_deliveries(
    notifier: Notifier, receiver: Receiver
) -> None:
    made = await subscribe(notifier, receiver.url)
    receiver.status = 410
    await notifier.due()
    await notifier.send_webhooks()

    shown = (await notifier.http.get(f"/v1/subscriptions/{made['id']}")).json()
    assert shown["active"] is False
    assert "410" in shown["disabled_reason"]
    await notifier.due(touchpoint_id="22222222-2222-4222-8222-222222222222")
    later, _ = await notifier.deliveries(subscription_id=made["id"])
    assert (later["state"], later["reason"]) == ("failed", "the endpoint was disabled")


async def test_a_deleted_subscription_leaves_nothing_pending(notifier: Notifier, receiver: Receiver) -> None:
    made = await subscribe(notifier, receiver.url)
    await notifier.due()

    assert (await notifier.http.delete(f"/v1/subscriptions/{made['id']}")).status_code == 204
    assert await notifier.queue.close_orphans() == 1
    await notifier.send_webhooks()

    assert receiver.requests == []
    (item,) = [row for row in await notifier.deliveries() if row["channel"] == "webhook"]
    assert (item["state"], item["reason"]) == ("suppressed", "the subscription was deleted")
    assert (await notifier.http.get(f"/v1/subscriptions/{made['id']}")).status_code == 404
    assert (await notifier.http.delete(f"/v1/subscriptions/{made['id']}")).status_code == 404


async def test_after_ten_failures_the_circuit_opens_and_deliveries_wait(
    notifier: Notifier, receiver: Receiver
) -> None:
    await subscribe(notifier, receiver.url)
    receiver.status = 503
    for number in range(14):
        await notifier.due(touchpoint_id=f"00000000-0000-4000-8000-0000000000{number:02d}")
    for _ in range(10):
        await notifier.send_webhooks()

    tried = len(receiver.requests)
    assert 10 <= tried <= 14
    await notifier.ready_again()
    await notifier.send_webhooks()
    assert len(receiver.requests) == tried

    receiver.status = 200
    await notifier.database.pool.execute("UPDATE subscription SET open_until = clock_timestamp()")
    for _ in range(20):
        await notifier.send_webhooks()
    webhooks = [item for item in await notifier.deliveries() if item["channel"] == "webhook"]
    assert {item["state"] for item in webhooks} == {"sent"}


async def test_a_failed_webhook_can_be_recovered_under_its_id(notifier: Notifier, receiver: Receiver) -> None:
    made = await subscribe(notifier, receiver.url)
    receiver.status = 500
    await notifier.due()
    for _ in range(11):
        await notifier.send_webhooks()
        await notifier.database.pool.execute("UPDATE subscription SET open_until = NULL, failures = 0")
        await notifier.ready_again()
    (failed,) = await notifier.deliveries(subscription_id=made["id"])
    assert failed["state"] == "failed"
    assert len(failed["attempts"]) == 11

    receiver.status = 200
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    for expected in (1, 0):
        answer = await notifier.http.post(f"/v1/subscriptions/{made['id']}/recover", params={"since": since})
        assert answer.json() == {"recovered": expected, "remaining": 0, "lost": 0, "detail": ""}
    await notifier.send_webhooks()

    again, before = await notifier.deliveries(subscription_id=made["id"])
    assert (again["state"], before["state"]) == ("sent", "failed")
    assert again["webhook_id"] == before["webhook_id"]
    assert {headers["webhook-id"] for headers, _ in receiver.requests} == {before["webhook_id"]}


async def test_while_secrets_rotate_both_verify(notifier: Notifier, receiver: Receiver) -> None:
    made = await subscribe(notifier, receiver.url)
    rotated = await notifier.http.post(f"/v1/subscriptions/{made['id']}/rotate-secret")
    await notifier.due()
    await notifier.send_webhooks()

    ((headers, body),) = receiver.requests
    Webhook(made["secret"]).verify(body, headers)
    Webhook(rotated.json()["secret"]).verify(body, headers)


async def test_a_secret_is_shown_once(notifier: Notifier, receiver: Receiver) -> None:
    made = await subscribe(notifier, receiver.url)

    one = await notifier.http.get(f"/v1/subscriptions/{made['id']}")
    many = await notifier.http.get("/v1/subscriptions")

    assert made["secret"].startswith("whsec_")
    assert "whsec_" not in one.text + many.text
    assert "secret" not in one.json()


async def test_a_test_event_goes_through_at_once(notifier: Notifier, receiver: Receiver) -> None:
    made = await subscribe(notifier, receiver.url)

    answer = (await notifier.http.post(f"/v1/subscriptions/{made['id']}/test")).json()

    assert answer["delivered"] is True
    ((headers, body),) = receiver.requests
    assert Webhook(made["secret"]).verify(body, headers)["type"] == "drumbeat.subscription.test.v1"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "ftp://example.com/"},
        {"url": "http://user:pass@127.0.0.1/"},
        {"url": "http://127.0.0.1/", "types": ["drumbeat.unknown.type.v1"]},
        {"url": "http://127.0.0.1/", "filter": {"color": "red"}},
        {"url": "http://127.0.0.1/", "filter": {"account_id": []}},
        {"url": "http://127.0.0.1/", "more": 1},
        {"url": "http://127.0.0.1/\x00"},
    ],
)
async def test_an_invalid_subscription_is_refused(notifier: Notifier, body: dict[str, Any]) -> None:
    answer = await notifier.http.post("/v1/subscriptions", json=body)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_odd_ids_and_cursors_get_an_answer(notifier: Notifier) -> None:
    far = "WzkyMjMzNzIwMzY4NTQ3NzU4MDgwMDAwMF0"  # a number beyond 64 bits
    for path, status in (
        ("/v1/subscriptions/%00", 404),
        ("/v1/subscriptions/nobody", 404),
        ("/v1/subscriptions/nobody/deliveries", 404),
        ("/v1/subscriptions?cursor=x", 422),
        ("/v1/subscriptions?cursor=" + far, 422),
        ("/v1/deliveries?cursor=" + far, 422),
        ("/v1/deliveries?account_id=%00", 422),
        ("/v1/deliveries?state=lost", 422),
        ("/v1/deliveries?limit=501", 422),
        ("/v1/inbox", 422),
        ("/v1/inbox?csm_id=%ff", 200),
    ):
        assert (await notifier.http.get(path)).status_code == status, path


async def test_one_endpoint_that_hangs_does_not_hold_up_another(
    notifier: Notifier, receiver: Receiver
) -> None:
    await subscribe(notifier, "http://127.0.0.1:1/nobody")
    await subscribe(notifier, receiver.url)
    for number in range(30):
        await notifier.due(touchpoint_id=f"00000000-0000-4000-8000-0000000000{number:02d}")

    for _ in range(5):
        await notifier.send_webhooks()

    assert len(receiver.requests) == 30


async def test_more_endpoints_that_hang_than_there_are_usual_tasks_do_not_hold_up_another(
    notifier: Notifier, receiver: Receiver
) -> None:
    hanging = Hanging()
    await hanging.server.start_server()
    for number in range(6):  # of each, sixteen at once
        await subscribe(notifier, f"{hanging.url}/{number}")
    await subscribe(notifier, receiver.url)
    for number in range(16):
        await notifier.due(touchpoint_id=f"00000000-0000-4000-8000-0000000000{number:02d}")

    async def has_all() -> bool:
        await notifier.sender.claim_once()
        return len(receiver.requests) == 16

    await until(
        has_all, 1.5, "the webhooks of the endpoint that answers"
    )  # an attempt is given up after two seconds
    assert hanging.ended == 0
    hanging.released.set()
    await notifier.sender.close()
    await hanging.server.close()
