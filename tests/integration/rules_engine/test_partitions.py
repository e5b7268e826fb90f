"""Row 49: outside producers choose partitions by other rules than ours; the events of one account may lie on two."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from confluent_kafka import KafkaError, Message, Producer

from services.chassis.database import database_url
from services.chassis.kafka import partition_of
from services.chassis.schema_versions import DATABASES
from tests.conftest import IS_SOAK
from tests.faults.ledger import binary
from tests.integration.rules_engine.conftest import Engine, engine, fresh
from tests.stack import AS_SHIPPED, event, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncGenerator[Engine]:
    """The engine that these tests share, with as many partitions as an installation has."""
    async with engine(partitions=AS_SHIPPED) as shared:
        yield shared


async def test_a_flood_of_unreadable_records_halts_one_partition_and_readyz_says_so(running: Engine) -> None:
    """Issue 11, A4: through the running service, with the default limits."""
    producer = Producer({"bootstrap.servers": running.stack.kafka.bootstrap})
    for n in range(120):
        producer.produce("account.signals", b"no JSON", key=f"flood-{n}", partition=5)
    assert producer.flush(20) == 0

    async def not_ready() -> dict[str, Any] | None:
        answer = await running.request("GET", "/readyz")
        return answer.json() if answer.status_code == 503 else None

    problem = await until(not_ready, 20, "503 at /readyz")
    assert "account.signals/5 is halted: more than 100 dead letters among 1000 records" in problem["detail"]
    assert list(problem["halted"]) == ["account.signals/5"]
    assert (await running.request("GET", "/readyz?ignore=halted")).status_code == 200
    assert await running.metric("drumbeat_partition_halted", topic="account.signals", partition="5") == 1
    assert (await running.get("/v1/dead-letters"))["items"] == []
    listed = (await running.get("/v1/partitions"))["items"]
    halted = [item for item in listed if item["halted"] is not None]
    assert [(item["topic"], item["partition"], item["owner"]) for item in halted] == [
        ("account.signals", 5, None)
    ]
    assert "consumer.partition_halted" in running.stack.processes["rules_engine"].log.read_text()

    path = "/v1/partitions/account.signals/5/resume"
    answer = await running.request("POST", path, params={"uncounted": 120})
    assert answer.json()["next_offset"] == halted[0]["next_offset"]
    await running.stack.ready("rules_engine")

    async def buried() -> bool:
        return len((await running.get("/v1/dead-letters", limit=500))["items"]) == 120

    await until(buried, 20, "120 dead letters")
    assert (await running.request("POST", path)).status_code == 404


ACCOUNTS = 50_000 if IS_SOAK else 1_500
"""Of the backlog, with four events each."""


@pytest.mark.timeout(1200 if IS_SOAK else 120)
async def test_a_backlog_of_mixed_events_holds_the_event_loop_for_no_long_and_loses_no_lease(
    running: Engine,
) -> None:
    """Issue 11, A5: by processor time, so that a busy machine changes nothing; `make faults` sends 200,000 events.

    Neither a batch nor anything else of the service holds the loop longer, from its start on.
    """
    connection = await asyncpg.connect(database_url(running.stack.postgres.url, DATABASES["rules_engine"]))
    leases = "SELECT topic, part, epoch FROM consumer_lease ORDER BY topic, part"
    before = await connection.fetch(leases)
    now = await running.now() - timedelta(minutes=2)
    sent = [
        event(kind, f"log-{n}", data, id=f"log-{n}-{kind}", time=now)
        for n in range(ACCOUNTS)
        for kind, data in (
            ("account.described", {"name": f"Log {n}", "arr": 50_000, "csm_id": "csm-1", "timezone": "UTC"}),
            ("contract.changed", {"contract_id": "c", "status": "active", "renews_on": f"{now:%Y-12-31}"}),
            ("health.scored", {"score": n % 100}),
            ("nps.answered", {"score": n % 11}),
        )
    ]
    placed = [(each, partition_of(str(each["subject"]).encode(), AS_SHIPPED)) for each in sent]
    produce(running, placed)

    async def is_read() -> bool:
        count = await connection.fetchval("SELECT count(*) FROM account WHERE account_id LIKE 'log-%'")
        return count == ACCOUNTS and not await connection.fetchval("SELECT count(*) FROM outbox")

    await until(is_read, 1000 if IS_SOAK else 100, "the backlog is read and relayed")
    assert await connection.fetch(leases) == before
    await connection.close()
    short, every = [
        await running.metric(
            f"drumbeat_batch_longest_stretch_seconds_{name}", topic="account.signals", **more
        )
        for name, more in (("bucket", {"le": "0.25"}), ("count", {}))
    ]
    assert short == every > 0
    assert 0 < await running.metric("drumbeat_event_loop_longest_computation_seconds") < 0.25
    assert await running.metric("drumbeat_loop_failures_total", loop="relay") == 0, (
        "nothing is unacknowledged"
    )


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
    producer = Producer(
        {"bootstrap.servers": running.stack.kafka.bootstrap, "queue.buffering.max.messages": 500_000}
    )
    for sent, partition in placed:
        value, headers = binary(sent)
        producer.produce("account.signals", value, key=sent["subject"], headers=headers, partition=partition)
    assert producer.flush(20 + len(placed) / 1000) == 0


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
    ours = {account: partition_of(account.encode(), AS_SHIPPED) for account in accounts}

    assert await partitions_of(running, accounts, partitioner="murmur2_random") == ours
    assert await partitions_of(running, accounts) != ours
