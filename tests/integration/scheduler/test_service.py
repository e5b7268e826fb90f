# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The scheduler as a process of its own, on a real broker."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from schemas.envelope import Envelope, from_kafka, kafka_headers
from services.chassis.clock import real_now
from services.chassis.kafka import Producer
from services.chassis.kafka_message import Message
from services.chassis.keys import new_secret
from services.chassis.settings import Kafka
from services.devstack.embedded.kafka import EmbeddedKafka
from services.devstack.embedded.ports import free_port
from tests.conftest import PATIENCE
from tests.integration.scheduler.conftest import rhythm, tips

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
ROOT = Path(__file__).resolve().parents[3]


def plan(account: str) -> Message:
    data = {
        "account_id": account, "version": 1, "policy": "p1", "rhythms": [rhythm(7), tips(7)],
        "touchpoints": [], "changes": [], "decided_at": datetime(2026, 3, 2, 10, tzinfo=UTC),
    }  # fmt: skip
    envelope = Envelope(
        id=f"{account}:1", source="/test", type="drumbeat.plan.adjusted.v1", subject=account,
        time=real_now(), data=orjson.dumps(data),
    )  # fmt: skip
    return Message("touchpoint.commands", account.encode(), envelope.data, kafka_headers(envelope))


async def due_events(broker: str, wanted: int) -> list[Envelope]:
    """So many different ones: a record whose acknowledgement was late is written again, with its id."""
    consumer = AIOKafkaConsumer("touchpoint.events", bootstrap_servers=broker, auto_offset_reset="earliest")
    await consumer.start()
    found: dict[str, Envelope] = {}
    try:
        async with asyncio.timeout(60 * PATIENCE):
            async for record in consumer:
                envelope = from_kafka(record.headers, record.value)
                if envelope.type == "drumbeat.touchpoint.due.v1":
                    found.setdefault(envelope.id, envelope)
                if len(found) >= wanted:
                    break
    finally:
        await consumer.stop()
    return list(found.values())


async def test_a_plan_leads_to_due_events(scheduler_url: str, kafka: EmbeddedKafka, tmp_path: Path) -> None:
    key_id_and_key = new_secret()
    (tmp_path / "key").write_text(key_id_and_key[1])
    port = free_port()
    environment = {
        **os.environ,
        "DRUMBEAT_DATA_DIR": str(tmp_path),
        "DRUMBEAT_API_KEY_FILE": str(tmp_path / "key"),
        "DRUMBEAT_DATABASE__URL": scheduler_url,
        "DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap,
        "DRUMBEAT_SCHEDULER__PORT": str(port),
        "DRUMBEAT_CLOCK__START": "2026-03-02T10:00:00Z",
        "DRUMBEAT_CLOCK__ORIGIN": (real_now() - timedelta(seconds=1)).isoformat(),
        "DRUMBEAT_CLOCK__RATE": "86400",
    }
    command = [sys.executable, "-m", "services.scheduler", "serve"]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    producer = Producer(Kafka(bootstrap_servers=kafka.bootstrap), client_id="test")
    try:
        await ready(port)
        await producer.send([plan(f"live-{n}") for n in range(3)], timeout=20)
        due = await due_events(kafka.bootstrap, 12)
    finally:
        await producer.stop()
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0

    assert len(due) == 12
    for each in due:
        data = orjson.loads(each.data)
        assert data["released_at"] >= data["due_at"]
        assert each.source == "/drumbeat/scheduler"


async def ready(port: int) -> None:
    async with httpx.AsyncClient() as http, asyncio.timeout(60 * PATIENCE):
        while True:
            try:
                if (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
