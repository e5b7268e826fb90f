"""Batches of a hundred events over HTTP: the rules engine's door, beside one that validates and produces only."""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

import aiohttp
import asyncpg
import orjson

from services.chassis.clock import real_now
from services.chassis.database import database_url
from services.chassis.schema_versions import DATABASES
from services.chassis.settings import Kafka
from services.chassis.topics import TopicSpec, ensure_topics
from tests.benchmarks.bare_ingest import TOPIC
from tests.benchmarks.figures import Figure, cpu_seconds, ratio_of_rounds
from tests.benchmarks.processes import serving
from tests.stack import KEY, Stack, event

BATCH = 100
CONNECTIONS = 32
DAY = timedelta(days=1)
# Another replica holds every partition: this one only takes events in, as the bare door does.
ELSEWHERE = "UPDATE consumer_lease SET owner = 'bench', leased_until = 'infinity', epoch = epoch + 1"
MEMBER = """
INSERT INTO consumer_member (grp, owner, seen_at)
SELECT DISTINCT grp, 'bench', 'infinity'::timestamptz FROM consumer_lease
"""
BACK = "UPDATE consumer_lease SET owner = NULL, leased_until = '-infinity'"
FORGET = "DELETE FROM consumer_member WHERE owner = 'bench'"


class Door:
    """One of the two, with the client that posts to it."""

    def __init__(self, url: str, pid: int, bodies: Sequence[bytes]) -> None:
        self._url = url
        self._pid = pid
        self._bodies = bodies
        self.cpu_us: list[float] = []

    async def rate(self, seconds: float) -> float:
        """Events a second over so many connections, each posting again as soon as it is answered."""
        headers = {"authorization": f"Bearer {KEY}", "content-type": "application/cloudevents-batch+json"}
        taken = 0
        async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as client:

            async def post(first: int) -> None:
                nonlocal taken
                number = first
                while time.perf_counter() < began + seconds:
                    body = self._bodies[number % len(self._bodies)]
                    async with client.post(f"{self._url}/v1/events", data=body) as answer:
                        assert answer.status == 202, await answer.text()
                        await answer.read()
                    taken += BATCH
                    number += CONNECTIONS

            cpu, began = cpu_seconds(self._pid), time.perf_counter()
            await asyncio.gather(*(post(each) for each in range(CONNECTIONS)))
            took = time.perf_counter() - began
        self.cpu_us.append((cpu_seconds(self._pid) - cpu) / taken * 1e6)
        return taken / took


def bodies(count: int) -> list[bytes]:
    """Seventy health scores, twenty reports of usage and ten contacts in a hundred, all ids different."""
    dice = random.Random(3)
    now = real_now().astimezone(UTC).replace(microsecond=0)
    return [
        orjson.dumps([_event(dice, batch * BATCH + each, now) for each in range(BATCH)])
        for batch in range(count)
    ]


def _event(dice: random.Random, number: int, now: datetime) -> dict[str, object]:
    kind, data = _letter(dice, now)
    name = f"acc-{dice.randrange(10_000):06}"
    return event(kind, name, data, id=f"in-{number}", time=now, source=f"/agents/{number % 50}")


def _letter(dice: random.Random, now: datetime) -> tuple[str, dict[str, object]]:
    match dice.randrange(10):
        case 0:
            notes = "They asked for the export and how the seats are counted; answered, they will come back next week."
            return "interaction.logged", {"channel": "call", "contact_id": "c-1", "at": now, "notes": notes}
        case 1 | 2:
            seats = dice.randrange(10, 500)
            return "usage.reported", {
                "period_start": now - DAY, "period_end": now, "active_users": seats // 2, "seats": seats,
                "seats_used": seats // 2, "features": {"export": dice.randrange(100), "import": dice.randrange(100)},
            }  # fmt: skip
        case _:
            return "health.scored", {
                "score": dice.randrange(101),
                "drivers": ["logins", "tickets", "payments"],
            }


async def run(stack: Stack, *, quick: bool) -> list[Figure]:
    """Rounds of either door in turn; then once more while the service also works at what it took."""
    seconds, rounds = (1.0, 1) if quick else (3.0, 5)
    await stack.run("rules_engine")
    service = stack.processes["rules_engine"]
    kafka = Kafka(bootstrap_servers=stack.kafka.bootstrap)
    await ensure_topics(kafka, [TopicSpec(TOPIC)])
    letters = bodies(20 if quick else 200)
    async with serving(
        "tests.benchmarks.bare_ingest:app", stack.folder, BOOTSTRAP=stack.kafka.bootstrap
    ) as peer:
        ours, bare = Door(service.url, service.child.pid, letters), Door(*peer, letters)
        await _execute(stack, ELSEWHERE, MEMBER)
        await asyncio.sleep(2)  # until the service has seen that its leases are gone
        rates = await _rounds(ours, bare, seconds, rounds)
        cpu = {"ours": median(ours.cpu_us[1:]), "bare": median(bare.cpu_us[1:])}
        await _execute(stack, BACK, FORGET)
        await asyncio.sleep(2)
        busy = await _rounds(ours, bare, seconds, rounds)
    more = {"rounds": {"ours": rates[0], "bare": rates[1]}, "server_cpu_us_per_event": cpu}
    peer = "validate, produce, acknowledge"
    return [
        Figure(
            f"events in over HTTP, batches of {BATCH}", median(rates[0]), median(rates[1]), ratio_of_rounds(*rates),
            "/s", peer, at_least=0.8, more=more,
        ),
        Figure(
            "the same, while the process also works at them", median(busy[0]), median(busy[1]),
            ratio_of_rounds(*busy), "/s", peer, at_least=0.6, more={"rounds": {"ours": busy[0], "bare": busy[1]}},
        ),
    ]  # fmt: skip


async def _rounds(ours: Door, bare: Door, seconds: float, rounds: int) -> tuple[list[float], list[float]]:
    """The rates of both, each round one after the other; the first round warms up."""
    rates: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        pair = await ours.rate(seconds), await bare.rate(seconds)
        if turn:
            rates[0].append(pair[0])
            rates[1].append(pair[1])
    return rates


async def _execute(stack: Stack, *statements: str) -> None:
    connection = await asyncpg.connect(database_url(stack.postgres.url, DATABASES["rules_engine"]))
    try:
        for each in statements:
            await connection.execute(each)
    finally:
        await connection.close()
