"""Webhooks (U7): external ids lead to accounts, an item that fails leaves the others, nothing is counted twice."""

from datetime import UTC, datetime, timedelta
from typing import cast

import orjson
import pytest

from services.connectors.batch import read_batch
from services.connectors.sources.items import Item
from services.rules_engine.application.take_webhook import (
    Link,
    NotAcknowledged,
    SentEvent,
    WebhookResult,
    take_webhook,
)
from tests.unit.rules_engine.application.webhook_ports import Recorder, source_of

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
CONTRACT, ACCOUNT = "drumbeat.contract.changed.v1", "drumbeat.account.described.v1"


def company(value: str, event_id: int = 1, **more: object) -> dict[str, object]:
    return {
        "eventId": event_id, "portalId": 3, "occurredAt": 1796000000000, "objectId": 7, "propertyName": "renewal_date",
        "subscriptionType": "company.propertyChange", "propertyValue": value, **more,
    }  # fmt: skip


async def take(recorder: Recorder, *documents: dict[str, object], now: datetime = NOW) -> WebhookResult:
    source = source_of("hubspot")
    return await take_webhook(source, _items(*documents), recorder.ports, now)


def _items(*documents: dict[str, object]) -> list[Item]:
    return read_batch(source_of("hubspot").mapping, orjson.dumps(documents)).items


def subjects(recorder: Recorder) -> list[tuple[object, object]]:
    return [(event["type"], event["subject"]) for event in recorder.sent]


async def test_the_account_that_has_the_external_id_gets_the_fact() -> None:
    recorder = Recorder(known={"hubspot:7": Link(("acme",), begun=False)})
    result = await take(recorder, company("2027-03-01"))
    assert subjects(recorder) == [(CONTRACT, "acme")]
    assert (result.facts, list(result.refused), recorder.recorded) == ({CONTRACT: 1}, [], [result])


async def test_an_external_id_that_nobody_has_begins_one_account_and_says_so_once() -> None:
    recorder = Recorder()
    await take(recorder, company("2027-03-01"), company("2027-03-02", 2))
    assert subjects(recorder) == [(ACCOUNT, "hubspot:7"), (CONTRACT, "hubspot:7"), (CONTRACT, "hubspot:7")]
    assert recorder.sent[0]["data"] == {"external_ids": {"hubspot": "7"}}


async def test_an_account_that_began_so_is_not_described_again_so_ids_added_since_stay() -> None:
    recorder = Recorder(known={"hubspot:7": Link((), begun=True)})
    await take(recorder, company("2027-03-01"))
    assert subjects(recorder) == [(CONTRACT, "hubspot:7")]


async def test_an_external_id_of_two_accounts_is_refused_with_both_names() -> None:
    recorder = Recorder(known={"hubspot:7": Link(("acme", "acme-old"), begun=False)})
    result = await take(recorder, company("2027-03-01"))
    assert not recorder.sent
    (refused,) = result.refused
    assert "'acme' and 'acme-old'" in refused.reason


async def test_a_repetition_sends_the_same_events_again_whenever_it_comes() -> None:
    first, second = Recorder(), Recorder()
    await take(first, company("2027-03-01"))
    await take(second, company("2027-03-01", attemptNumber=3), now=NOW + timedelta(days=1))
    assert first.sent == second.sent


async def test_a_repetition_without_a_time_of_its_own_does_not_come_after_what_was_said_since() -> None:
    """Issue 14.1: a message of Standard Webhooks without a timestamp is told at the moment when it first came."""
    recorder, source = Recorder(), source_of("standard")
    results: list[WebhookResult] = []
    for hours, (message_id, score) in enumerate((("m-1", 71), ("m-2", 50), ("m-1", 71), ("m-3", 71))):
        document = {"type": "health.scored", "data": {"account_id": "acme", "score": score}}
        items = read_batch(source.mapping, orjson.dumps(document), message_id).items
        results.append(await take_webhook(source, items, recorder.ports, NOW + timedelta(hours=hours)))
    told = [(event["id"], cast("dict[str, object]", event["data"])["score"]) for event in recorder.sent]
    assert told == [("m-1/event", 71), ("m-2/event", 50), ("m-3/event", 71)]
    assert [result.facts for result in results] == [{"drumbeat.health.scored.v1": 1}] * 4


async def test_what_the_ingest_refuses_is_recorded_with_its_item_and_the_others_are_taken() -> None:
    recorder = Recorder(outcomes={CONTRACT: SentEvent("refused", "time: is ahead of the service clock")})
    result = await take(recorder, company("2027-03-01"), company("Acme", 2, propertyName="name"))
    assert result.facts == {ACCOUNT: 2}
    assert [(refused.index, refused.reason) for refused in result.refused] == [
        (0, "company contract: time: is ahead of the service clock")
    ]


async def test_a_broker_that_does_not_acknowledge_has_the_sender_send_again_and_nothing_is_counted() -> None:
    recorder = Recorder(outcomes={CONTRACT: SentEvent("unknown", "late")})
    with pytest.raises(NotAcknowledged):
        await take(recorder, company("2027-03-01"))
    assert not recorder.recorded


async def test_what_is_not_mapped_is_counted_by_name() -> None:
    result = await take(
        Recorder(), company("x", propertyName="colour"), company("y", 2, propertyName="colour")
    )
    assert (result.unmapped, result.facts) == ({"company propertyChange colour": 2}, {})


async def test_large_requests_are_mapped_in_their_order() -> None:
    recorder = Recorder(known={"hubspot:7": Link(("acme",), begun=False)})
    result = await take(
        recorder, *(company("never" if number == 50 else "2027-03-01", number) for number in range(100))
    )
    assert result.facts == {CONTRACT: 99}
    assert [refused.index for refused in result.refused] == [50]
