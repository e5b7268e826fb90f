"""Signed webhooks out: the notifier's sender on its database, beside aiohttp alone with the same bodies."""

import asyncio
import hmac
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from statistics import median

import aiohttp

from services.chassis.clock import ServiceClock, real_now
from services.chassis.database import Database
from services.chassis.outbox import Outbox
from services.chassis.private_targets import EVERYTHING
from services.chassis.schema_versions import DATABASES
from services.chassis.secret_box import SecretBox
from services.chassis.settings import Retention
from services.notifier.adapters.channels.webhook import WebhookClient, webhook_body
from services.notifier.adapters.delivery_queue import DeliveryQueue
from services.notifier.adapters.retention import partition_loops
from services.notifier.application.ports import Webhook, WebhookResult
from services.notifier.domain.addresses import AddressKey
from services.notifier.entrypoints.workers import WebhookSender
from tests.benchmarks.figures import Figure, ratio_of_rounds
from tests.benchmarks.processes import serving
from tests.stack import Stack

ENDPOINTS = 100
AT_ONCE = 50
DUE = "drumbeat.touchpoint.due.v1"
DATA = (
    b'{"touchpoint_id":"11111111-1111-4111-8111-111111111111","account_id":"acc-000001","touchpoint_type":"check_in",'
    b'"status":"due","due_at":"2026-03-02T09:00:00Z","owner":{"kind":"csm","csm_id":"ada","email":null},'
    b'"purpose":"Hear how it goes and agree on the next step","reason":{"rule":"red","policy":"p1","facts":[],'
    b'"text":"Health is red."},"sequence":3,"minutes":30}'
)
SUBSCRIBE = """
INSERT INTO subscription (id, url, types, filter, secret)
SELECT 'hook-' || i, $1::text || '/hooks/' || i, '{}', '{}', sha256(convert_to('secret-' || i, 'UTF8'))
FROM generate_series(0, $2::int - 1) i
"""
FEED = """
INSERT INTO feed (key, event_id, type, said_at, account_id, data)
SELECT md5('event-' || i)::uuid, 'event-' || i, $1, $2, 'acc-000001', $3 FROM generate_series(1, $4::int) i
"""
DELIVERIES = """
WITH made AS (
    INSERT INTO delivery (id, caused_at, event_key, message_id, touchpoint_id, touchpoint_type, account_id, channel,
        recipient_kind, recipient_id, state)
    SELECT u.id, $3, md5('event-' || i)::uuid, u.id, 'touchpoint-' || i, 'check_in', 'acc-000001', 'webhook',
        'subscription', 'hook-' || (i % $2::int), 'pending'
    FROM generate_series(1, $1::int) i, LATERAL (SELECT md5('delivery-' || i)::uuid AS id) u
    RETURNING *
)
INSERT INTO delivery_queue (delivery_id, caused_at, event_key, event_at, seq, message_id, account_id, channel,
    recipient_kind, recipient_id, touchpoint_id, touchpoint_type, next_at, created_at)
SELECT id, caused_at, event_key, caused_at, seq, message_id, account_id, channel, recipient_kind, recipient_id,
    touchpoint_id, touchpoint_type, clock_timestamp(), created_at FROM made
"""


SENT = "SELECT count(*) FROM delivery WHERE state = 'sent' AND recipient_id <> $1"
FIRST = "hook-0"


class CountingQueue(DeliveryQueue):
    """The notifier's queue, which says when so many results of endpoints other than the first are recorded."""

    def __init__(self, database: Database, outbox: Outbox, clock: ServiceClock, *, count: int) -> None:
        super().__init__(database, outbox, clock, AddressKey(bytes(32)), "bench")
        self._left = count
        self.done = asyncio.Event()

    async def complete_webhooks(self, results: Sequence[WebhookResult]) -> None:
        await super().complete_webhooks(results)
        self._left -= sum(result.claim.endpoint.id != FIRST for result in results)
        if self._left <= 0:
            self.done.set()


class Senders:
    """Both ways of sending, to one receiver."""

    def __init__(self, database: Database, receiver: str, count: int) -> None:
        self._database = database
        self._receiver = receiver
        self._count = count
        self.cpu: dict[str, list[float]] = {"ours": [], "bare": []}

    async def ours(self, first: str | None = None) -> float:
        """Webhooks a second to all endpoints but the first, from the first claim to the last outcome written down.

        `first`: the address of the first, if it is another than that of the receiver.
        """
        await self._fill()
        if first is not None:
            await self._database.pool.execute("UPDATE subscription SET url = $2 WHERE id = $1", FIRST, first)
        others = self._count - self._count // ENDPOINTS
        client = WebhookClient(EVERYTHING, SecretBox(()))
        await client.start()
        now = real_now()
        outbox, clock = Outbox("/bench"), ServiceClock(now, now, 1.0)
        queue = CountingQueue(self._database, outbox, clock, count=others)
        sender = WebhookSender(queue, client=client, reported=lambda: None)
        loops = [sender.claiming, sender.recording]
        cpu, began = time.process_time(), time.perf_counter()
        tasks = [asyncio.create_task(each.run()) for each in loops]
        await queue.done.wait()
        seconds = time.perf_counter() - began
        self.cpu["ours"].append((time.process_time() - cpu) / others * 1e6)
        for each in loops:
            each.stop()
        await asyncio.gather(*tasks)
        await client.stop()  # ends what waits for an answer
        await sender.close()
        sent = await self._database.pool.fetchval(SENT, FIRST)
        assert sent == others, sent
        return others / seconds

    async def _fill(self) -> None:
        pool = self._database.pool
        now = real_now()
        for loop in partition_loops(self._database, ServiceClock(now, now, 1.0), Retention()):
            await loop.run_once()
        await pool.execute("TRUNCATE delivery, delivery_queue, feed, subscription, outbox")
        await pool.execute(SUBSCRIBE, self._receiver, ENDPOINTS)
        await pool.execute(FEED, DUE, now, DATA, self._count)
        await pool.execute(DELIVERIES, self._count, ENDPOINTS, now)
        await pool.execute("VACUUM ANALYZE delivery, delivery_queue, feed")

    async def bare(self) -> float:
        """Webhooks a second of fifty tasks that sign and post, and keep no account of it."""
        body, instant = webhook_body(Webhook("", DUE, real_now(), DATA)), str(int(real_now().timestamp()))
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        numbers = iter(range(self._count))
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as client:

            async def post(numbers: Iterator[int]) -> None:
                for number in numbers:
                    signed = b"%d.%b.%b" % (number, instant.encode(), body)
                    headers = {
                        "content-type": "application/json",
                        "webhook-id": str(number),
                        "webhook-timestamp": instant,
                        "webhook-signature": hmac.digest(b"secret", signed, "sha256").hex(),
                    }
                    url = f"{self._receiver}/hooks/{number % ENDPOINTS}"
                    async with client.post(url, data=body, headers=headers) as answer:
                        assert answer.status == 204

            cpu, began = time.process_time(), time.perf_counter()
            await asyncio.gather(*(post(numbers) for _ in range(AT_ONCE)))
            seconds = time.perf_counter() - began
            self.cpu["bare"].append((time.process_time() - cpu) / self._count * 1e6)
            return self._count / seconds


@asynccontextmanager
async def deaf_endpoint() -> AsyncGenerator[str]:
    """An endpoint that accepts connections and never answers."""
    writers: set[asyncio.StreamWriter] = set()
    server = await asyncio.start_server(lambda _, writer: writers.add(writer), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    finally:
        for writer in writers:
            writer.close()
        server.close()


async def run(stack: Stack, *, quick: bool) -> list[Figure]:
    """Rounds of each way of sending in turn, over fresh deliveries; the first of each only warms up."""
    database = await Database.open(stack.postgres.url, DATABASES["notifier"])
    rounds, count = (1, 2_000) if quick else (5, 12_000)
    async with (
        serving("tests.benchmarks.receiver:app", stack.folder) as (receiver, _),
        deaf_endpoint() as deaf,
    ):
        senders = Senders(database, receiver, count)
        ours, bare, beside_deaf = [await senders.ours()], [await senders.bare()], list[float]()
        for _ in range(rounds):
            beside_deaf.append(await senders.ours(first=deaf))
            ours.append(await senders.ours())
            bare.append(await senders.bare())
    await database.close()
    del ours[0], bare[0]
    more = {
        "rounds": {"ours": ours, "bare": bare, "beside_deaf": beside_deaf},
        "python_cpu_us_each": {name: median(values[1:]) for name, values in senders.cpu.items()},
    }
    return [
        Figure(
            f"signed webhooks to {ENDPOINTS} endpoints", median(ours), median(bare),
            ratio_of_rounds(ours, bare), "/s", "aiohttp alone, 50 tasks, signed", at_least=0.6, more=more,
        ),
        Figure(
            f"webhooks to {ENDPOINTS - 1} endpoints beside one that never answers", median(beside_deaf), median(ours),
            ratio_of_rounds(beside_deaf, ours), "/s", "the same, and all answer", at_least=0.9,
        ),
    ]  # fmt: skip
