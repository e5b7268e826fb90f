"""Row 49: outside producers choose partitions by other rules than ours; the events of one account may lie on two."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import KafkaError, Message, Producer

from services.chassis.kafka import partition_of
from tests.faults.ledger import binary
from tests.integration.rules_engine.conftest import Engine, fresh
from tests.stack import event

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]
PARTITIONS = 12

Event = Mapping[str, Any]


def history(account: str, now: datetime) -> list[Event]:
    """Facts of one account that raise, lower and raise its cadence again."""
    day = now - timedelta(days=40)
    told: list[tuple[str, dict[str, object]]] = [
        ("account.described", {"arr": 50_000, "currency": "USD", "timezone": "UTC", "csm_id": "ada"}),
        ("contact.described", {"contact_id": f"{account}-ann", "email": "ann@a.example", "role": "champion"}),
        ("contract.changed", {"contract_id": "c", "status": "active", "renews_on": f"{now:%Y-12-31}"}),
        *(("health.scored", {"score": score}) for score in (90, 35, 80, 20, 85, 30)),
        ("nps.answered", {"score": 9}),
        ("preference.changed", {"contact_id": f"{account}-ann", "topic": "account", "frequency": "monthly"}),
        ("milestone.reached", {"milestone": "live", "kind": "go_live"}),
    ]
    return [
        event(kind, account, data, id=f"{account}-{n}", time=day + timedelta(days=3 * n))
        for n, (kind, data) in enumerate(told)
    ]


def produce(running: Engine, placed: Sequence[tuple[Event, int]]) -> None:
    producer = Producer({"bootstrap.servers": running.stack.kafka.bootstrap})
    for sent, partition in placed:
        value, headers = binary(sent)
        producer.produce("account.signals", value, key=sent["subject"], headers=headers, partition=partition)
    assert producer.flush(20) == 0


def essence(account: Mapping[str, Any]) -> dict[str, Any]:
    """What a plan asks for, without the account's name, which is in every id."""
    plan = account["plan"]
    return {
        "segment": account["segment"],
        "stage": account["stage"],
        "rhythms": [
            {name: rhythm[name] for name in ("touchpoint_type", "every_days", "channel", "owner")}
            for rhythm in plan["rhythms"]
        ],
        "one-offs": sorted((item["touchpoint_type"], item["window"]["to"]) for item in plan["touchpoints"]),
    }


async def test_accounts_on_two_partitions_get_the_plan_of_one_partition_and_nothing_deadlocks(
    running: Engine,
) -> None:
    now = await running.now()
    whole, split = fresh("whole"), [fresh("split") for _ in range(20)]
    produce(running, [(sent, 3) for sent in history(whole, now)])
    histories = [history(account, now) for account in split]
    # Event by event through all accounts, on one partition forward and on the other backward, newest first.
    rounds = list(zip(*histories, strict=True))
    first = [(sent, 4) for round_ in rounds[::2] for sent in round_]
    second = [(sent, 5) for round_ in reversed(rounds[1::2]) for sent in reversed(round_)]
    produce(running, [placed for pair in zip(first, second, strict=True) for placed in pair])

    for sent in (*history(whole, now), *(sent for told in histories for sent in told)):
        await running.wait_until_folded(sent)
    expected = essence(await running.account(whole))
    assert expected["rhythms"]
    assert expected["one-offs"]
    for account in split:
        assert essence(await running.account(account)) == expected
    assert await running.metric("drumbeat_batch_retries_total", topic="account.signals") == 0
    assert not (await running.get("/v1/parked"))["items"]


async def partitions_of(running: Engine, accounts: Sequence[str], **options: str) -> dict[str, int]:
    """Where librdkafka puts an event of each account."""
    placed: dict[str, int] = {}

    def delivered(problem: KafkaError | None, message: Message) -> None:
        assert problem is None, problem
        placed[(message.key() or b"").decode()] = message.partition() or 0

    producer = Producer({"bootstrap.servers": running.stack.kafka.bootstrap, **options})
    for account in accounts:
        value, headers = binary(await running.make_event("health.scored", account, {"score": 80}))
        producer.produce("account.signals", value, key=account, headers=headers, on_delivery=delivered)
    assert producer.flush(20) == 0
    return placed


async def test_librdkafka_agrees_with_murmur2_random_and_not_by_default(running: Engine) -> None:
    """The two lines of docs/producers.md that can be tried here."""
    accounts = [fresh("placed") for _ in range(30)]
    ours = {account: partition_of(account.encode(), PARTITIONS) for account in accounts}

    assert await partitions_of(running, accounts, partitioner="murmur2_random") == ours
    assert await partitions_of(running, accounts) != ours
