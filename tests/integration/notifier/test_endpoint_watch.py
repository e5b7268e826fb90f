"""An endpoint that fails for days: warned about by event and mail, disabled, repaired and recovered."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY

from services.chassis.settings import Retention
from services.notifier.adapters.erasure import erase_events
from services.notifier.adapters.retention import partition_loops, prune_loop
from tests.integration.notifier.conftest import NOON, Notifier, SetClock
from tests.integration.notifier.receivers import Receiver
from tests.integration.notifier.test_deliver_webhooks import subscribe

pytestmark = pytest.mark.integration

DUE = "drumbeat.touchpoint.due.v1"
NEWS = ["drumbeat.subscription.failing.v1", "drumbeat.subscription.disabled.v1"]
AGE = """
UPDATE subscription SET failing_since = failing_since - $2::interval, warned_at = warned_at - $2::interval,
    open_until = NULL WHERE id = $1
"""
OTHER = "00000000-0000-4000-8000-0000000000%02d"


async def fail_again(notifier: Notifier, subscription_id: str, interval: str) -> None:
    """Some time passes, and the next attempt fails too."""
    await notifier.database.pool.execute(
        AGE.replace("$2::interval", f"interval '{interval}'"), subscription_id
    )
    await notifier.ready_again()
    await notifier.send_webhooks()
    await notifier.watch.run_once()


async def news_on_stream(notifier: Notifier) -> list[dict[str, Any]]:
    rows = await notifier.database.pool.fetch(
        "SELECT type, data FROM feed WHERE type = ANY($1) ORDER BY seq", NEWS
    )
    return [{"type": row[0], **orjson.loads(row[1])} for row in rows]


async def mails(notifier: Notifier) -> list[tuple[str, str]]:
    await notifier.send_service_mails()
    return [(mail.to, mail.message.subject) for mail in notifier.mailer.mails]


async def test_an_endpoint_that_fails_for_five_days_is_warned_about_twice_disabled_and_recovered(
    notifier: Notifier, receiver: Receiver
) -> None:
    """A7: warnings after one and three days by event and mail, deliveries in a recorded state, recovery after repair."""
    watcher = await subscribe(notifier, receiver.url, types=NEWS)
    failing = await subscribe(notifier, f"{receiver.url}/broken", contact="ops@partner.example")
    receiver.status = 500
    await notifier.due()
    await notifier.send_webhooks()
    assert await notifier.watch.run_once() == 0

    await fail_again(notifier, failing["id"], "1 day")
    await fail_again(notifier, failing["id"], "23 hours")
    await fail_again(notifier, failing["id"], "1 day 2 hours")

    assert [item["state"] for item in await news_on_stream(notifier)] == ["failing", "failing"]
    shown = (await notifier.http.get(f"/v1/subscriptions/{failing['id']}")).json()
    assert shown["active"] is True
    assert shown["failing_since"] is not None

    await fail_again(notifier, failing["id"], "2 days")
    shown = (await notifier.http.get(f"/v1/subscriptions/{failing['id']}")).json()
    assert shown["active"] is False
    assert shown["disabled_reason"] == "it failed for 5 days, at last with: HTTP 500"
    assert await mails(notifier) == [
        *[("ops@partner.example", "Webhooks to 127.0.0.1 keep failing")] * 2,
        ("ops@partner.example", "Webhooks to 127.0.0.1 are disabled"),
    ]
    text = notifier.mailer.mails[-1].message.text
    assert f"POST /v1/subscriptions/{failing['id']}/recover?since=" in text
    *_, disabled = await news_on_stream(notifier)
    assert (disabled["type"], disabled["subscription_id"], disabled["host"]) == (
        NEWS[1],
        failing["id"],
        "127.0.0.1",
    )

    assert await notifier.queue.close_orphans() == 1
    await notifier.due(touchpoint_id=OTHER % 7)
    ended = await notifier.deliveries(subscription_id=failing["id"])
    assert [(item["state"], item["reason"]) for item in ended] == [
        ("failed", "the endpoint was disabled")
    ] * 2
    told = await notifier.deliveries(subscription_id=watcher["id"])
    assert len(told) == 3

    receiver.status, receiver.requests = 204, []
    since = {"since": "2020-01-01T00:00:00Z"}
    answer = await notifier.http.post(f"/v1/subscriptions/{failing['id']}/recover", params=since)
    assert answer.json() == {"recovered": 2, "remaining": 0, "lost": 0, "detail": ""}
    await notifier.ready_again()
    await notifier.send_webhooks()

    shown = (await notifier.http.get(f"/v1/subscriptions/{failing['id']}")).json()
    assert (shown["active"], shown["failing_since"], shown["disabled_at"]) == (True, None, None)
    types = [orjson.loads(body)["type"] for _, body in receiver.requests]
    assert sorted(types) == [NEWS[1], NEWS[0], NEWS[0], *["drumbeat.touchpoint.due.v1"] * 2]
    entries = [data for topic, _, _, data in await notifier.outbox() if topic == "audit.entries"]
    changes = [each for each in entries if each["object"] == f"subscription/{failing['id']}"]
    caller = changes[0]["actor"]  # who subscribed
    assert caller != "drumbeat"
    assert [(change["action"], change["actor"], change["after"]) for change in changes][1:] == [
        ("subscription.disabled", "drumbeat", {"reason": "it failed for 5 days, at last with: HTTP 500"}),
        ("subscription.enabled", caller, None),
        ("subscription.recovered", caller, {"since": "2020-01-01T00:00:00Z", "repeated": 2}),
    ]


QUIET = """
UPDATE subscription SET failing_since = failing_since - $2::interval, failed_at = failed_at - $2::interval,
    warned_at = warned_at - $2::interval, open_until = NULL WHERE id = $1
"""


async def exhaust_retries(notifier: Notifier, subscription_id: str) -> None:
    """Until nothing is to be sent to the endpoint any more."""
    for _ in range(15):
        await notifier.database.pool.execute(
            "UPDATE subscription SET open_until = NULL WHERE id = $1", subscription_id
        )
        await notifier.ready_again()
        await notifier.send_webhooks()
    newest, *_ = await notifier.deliveries(subscription_id=subscription_id)
    assert newest["state"] == "failed"


async def days_later(notifier: Notifier, subscription_id: str, days: int) -> None:
    """Days in which nothing is sent to the endpoint, and a look at it."""
    await notifier.database.pool.execute(
        QUIET.replace("$2::interval", f"interval '{days} days'"), subscription_id
    )
    await notifier.watch.run_once()


async def test_an_endpoint_with_one_event_is_probed_when_its_days_are_over_and_disabled(
    notifier: Notifier, receiver: Receiver
) -> None:
    """A7: its retries end before, and nothing else would fail."""
    made = await subscribe(notifier, receiver.url, contact="ops@partner.example")
    receiver.status = 500
    await notifier.due()
    await exhaust_retries(notifier, made["id"])
    attempts = len(receiver.requests)
    await notifier.watch.run_once()
    await notifier.send_webhooks()
    assert len(receiver.requests) == attempts, "it is not probed before its time"

    for days, expected in (
        (1, ["failing"]),
        (2, ["failing", "failing"]),
        (2, ["failing", "failing", "disabled"]),
    ):
        await days_later(notifier, made["id"], days)
        await notifier.watch.run_once()  # while the probe waits, there is no second one
        assert len(await news_on_stream(notifier)) == len(expected) - 1
        await notifier.send_webhooks()
        assert len(receiver.requests) == attempts + 1
        await notifier.watch.run_once()
        assert [item["state"] for item in await news_on_stream(notifier)] == expected
        if expected[-1] != "disabled":
            await exhaust_retries(notifier, made["id"])
        attempts = len(receiver.requests)

    assert len({headers["webhook-id"] for headers, _ in receiver.requests}) == 1
    await notifier.queue.close_orphans()
    shown = (await notifier.http.get(f"/v1/subscriptions/{made['id']}")).json()
    assert (shown["active"], shown["disabled_reason"]) == (
        False,
        "it failed for 5 days, at last with: HTTP 500",
    )
    ended = await notifier.deliveries(subscription_id=made["id"])
    assert [item["state"] for item in ended] == ["failed"] * 4
    assert ended[0]["reason"] == "the endpoint was disabled"
    assert REGISTRY.get_sample_value("drumbeat_endpoints_failing") == 0


async def test_an_endpoint_that_answers_its_probe_has_got_what_it_missed(
    notifier: Notifier, receiver: Receiver
) -> None:
    made = await subscribe(notifier, receiver.url)
    receiver.status = 500
    await notifier.due()
    await exhaust_retries(notifier, made["id"])
    assert await notifier.watch.run_once() == 0
    assert REGISTRY.get_sample_value("drumbeat_endpoints_failing") == 1

    receiver.status, receiver.requests = 204, []
    await days_later(notifier, made["id"], 1)
    await notifier.send_webhooks()

    assert len(receiver.requests) == 1
    await notifier.watch.run_once()
    shown = (await notifier.http.get(f"/v1/subscriptions/{made['id']}")).json()
    assert (shown["active"], shown["failing_since"]) == (True, None)
    assert REGISTRY.get_sample_value("drumbeat_endpoints_failing") == 0


async def test_an_answer_in_between_begins_the_days_anew(notifier: Notifier, receiver: Receiver) -> None:
    made = await subscribe(notifier, receiver.url)
    receiver.status = 500
    await notifier.due()
    await notifier.send_webhooks()
    await fail_again(notifier, made["id"], "4 days")
    receiver.status = 204
    await fail_again(notifier, made["id"], "2 days")

    receiver.status = 500
    await notifier.due(touchpoint_id=OTHER % 1)
    await notifier.send_webhooks()

    assert await notifier.watch.run_once() == 0
    shown = (await notifier.http.get(f"/v1/subscriptions/{made['id']}")).json()
    assert shown["active"] is True


async def test_an_endpoint_that_is_gone_is_announced_and_goes_to_the_fallback_address(
    notifier: Notifier, receiver: Receiver
) -> None:
    made = await subscribe(notifier, receiver.url)
    receiver.status = 410
    await notifier.due()
    await notifier.send_webhooks()

    assert await notifier.watch.run_once() == 1
    assert await notifier.watch.run_once() == 0

    assert await mails(notifier) == [("ops@vendor.example", "Webhooks to 127.0.0.1 are disabled")]
    (item,) = await news_on_stream(notifier)
    assert "410" in item["problem"]

    enabled = await notifier.http.post(f"/v1/subscriptions/{made['id']}/enable")
    assert (enabled.json()["active"], enabled.json()["disabled_reason"]) == (True, None)
    assert (await notifier.http.post("/v1/subscriptions/nobody/enable")).status_code == 404


async def drop_old_months(notifier: Notifier) -> dict[str, int]:
    """What the loops of retention leave of the events; by table."""
    for loop in partition_loops(notifier.database, SetClock(NOON, NOON, 1.0), Retention()):
        await loop.run_once()
    tables = ("feed", "undelivered_event")
    return {table: await notifier.database.pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables}


async def test_all_that_a_disabled_endpoint_did_not_get_is_recovered_after_the_feed_was_pruned(
    notifier: Notifier, receiver: Receiver
) -> None:
    """A7: what failed, what still waited and what was announced to the disabled endpoint, each with the body it had."""
    await drop_old_months(notifier)
    made = await subscribe(notifier, receiver.url)
    await subscribe(notifier, f"{receiver.url}/healthy", types=["drumbeat.touchpoint.cancelled.v1"])
    receiver.status = 410
    await notifier.due(touchpoint_id=OTHER % 0)
    await notifier.send_webhooks()  # it fails and disables the endpoint
    assert await notifier.watch.run_once() == 1
    await notifier.due(touchpoint_id=OTHER % 1)  # announced to a disabled endpoint
    await notifier.database.pool.execute("UPDATE subscription SET active = true")
    await notifier.due(touchpoint_id=OTHER % 2)
    await notifier.database.pool.execute("UPDATE subscription SET active = false WHERE id = $1", made["id"])
    assert await notifier.queue.close_orphans() == 1  # it waited
    ended = await notifier.deliveries(subscription_id=made["id"])
    assert [item["state"] for item in ended] == ["failed"] * 3
    bodies = {
        orjson.loads(row[0])["touchpoint_id"]
        for row in await notifier.database.pool.fetch("SELECT data FROM feed WHERE type = $1", DUE)
    }

    SetClock.now_is = NOON + timedelta(days=100)
    assert await drop_old_months(notifier) == {"feed": 0, "undelivered_event": 3}
    receiver.status, receiver.requests = 500, []
    since = {"since": "2020-01-01T00:00:00Z"}
    answer = await notifier.http.post(f"/v1/subscriptions/{made['id']}/recover", params=since)
    assert answer.json() == {"recovered": 3, "remaining": 0, "lost": 0, "detail": ""}
    await notifier.send_webhooks()
    await prune_loop(notifier.database, notifier.queue, SetClock(NOON, NOON, 1.0), Retention()).run_once()
    assert len(receiver.requests) == 3  # they are tried, fail, and wait for the next attempt
    await notifier.database.pool.execute("UPDATE subscription SET active = false WHERE id = $1", made["id"])
    assert await notifier.queue.close_orphans() == 3

    receiver.status, receiver.requests = 204, []
    answer = await notifier.http.post(f"/v1/subscriptions/{made['id']}/recover", params=since)
    assert answer.json() == {"recovered": 3, "remaining": 0, "lost": 0, "detail": ""}
    await notifier.send_webhooks()

    assert {orjson.loads(body)["data"]["touchpoint_id"] for _, body in receiver.requests} == bodies
    sent = {headers["webhook-id"] for headers, _ in receiver.requests}
    assert sent == {item["message_id"] for item in ended}

    SetClock.now_is = NOON + timedelta(days=500)
    assert await drop_old_months(notifier) == {"feed": 0, "undelivered_event": 0}


async def test_an_erased_account_leaves_no_event_that_an_endpoint_did_not_get(
    notifier: Notifier, receiver: Receiver
) -> None:
    await subscribe(notifier, receiver.url)
    receiver.status = 410
    await notifier.due()
    await notifier.send_webhooks()
    kept = "SELECT account_id FROM undelivered_event"
    assert await notifier.database.pool.fetchval(kept) == "acme"

    async with notifier.database.transaction() as connection:
        await erase_events(connection, "acme")

    assert await notifier.database.pool.fetchval(kept) is None


async def test_recovery_says_what_it_cannot_send_again_because_its_event_was_dropped(
    notifier: Notifier, receiver: Receiver
) -> None:
    """A7: never silently less."""
    made = await subscribe(notifier, receiver.url)
    receiver.status = 410
    for number in range(3):
        await notifier.due(touchpoint_id=OTHER % number)
    await notifier.send_webhooks()
    await notifier.queue.close_orphans()
    await notifier.database.pool.execute(
        "WITH old AS (DELETE FROM feed WHERE seq IN (SELECT seq FROM feed ORDER BY seq LIMIT 2) RETURNING key)"
        " DELETE FROM undelivered_event u USING old WHERE u.key = old.key"
    )

    receiver.status = 204
    since = {"since": "2020-01-01T00:00:00Z"}
    answer = (await notifier.http.post(f"/v1/subscriptions/{made['id']}/recover", params=since)).json()

    assert (answer["recovered"], answer["remaining"], answer["lost"]) == (1, 0, 2)
    assert answer["detail"].startswith("2, the last of ")
    assert "their events are not kept any more" in answer["detail"]
    receiver.requests.clear()
    await notifier.send_webhooks()
    assert len(receiver.requests) == 1


async def test_only_who_names_news_of_endpoints_gets_them(notifier: Notifier, receiver: Receiver) -> None:
    everything = await subscribe(notifier, receiver.url)
    gone = await subscribe(notifier, f"{receiver.url}/gone", types=[*NEWS, "drumbeat.touchpoint.due.v1"])
    await notifier.database.pool.execute("UPDATE subscription SET active = false WHERE id = $1", gone["id"])

    await notifier.watch.run_once()

    assert await notifier.deliveries(subscription_id=everything["id"]) == []
    assert await notifier.deliveries(subscription_id=gone["id"]) == []


@pytest.mark.parametrize("contact", ["nobody", "a@b@c", "two, lines@x.example\n", "a@"])
async def test_a_contact_has_to_be_a_mail_address(
    notifier: Notifier, receiver: Receiver, contact: str
) -> None:
    body = {"url": receiver.url, "contact": contact}

    assert (await notifier.http.post("/v1/subscriptions", json=body)).status_code == 422
