"""Event in over HTTP, signed webhook out, through the three services as they run; beside the bare chain."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from statistics import median

import aiohttp
import asyncpg
import orjson
from aiohttp import web

from services.chassis.clock import real_now
from services.chassis.database import database_url
from services.chassis.schema_versions import DATABASES
from tests.benchmarks.chain import Chain
from tests.benchmarks.figures import Figure, cpu_seconds, percentile
from tests.benchmarks.hops import account, hops
from tests.benchmarks.probes import Probe
from tests.stack import KEY, Stack, event, free_port, until

AT_REST = 200
WHOLE = 40
TURNS = 4
WARM = 20
SECONDS = 6.0  # at half load
MOST_PACED = 400
BARE_FROM = 1_000_000  # numbers of events, so that none is used twice
# Seen every week already: turning red adds the action plan and changes nothing else. One event in, one webhook out.
STEADY = {"name": "Steady", "arr": 250_000, "csm_id": "csm-1", "timezone": "Europe/Berlin"}
# Seen once a quarter: turning red plans a year of weekly calls, and each of them is told as well.
SELDOM = {"name": "Seldom", "arr": 5_000, "csm_id": "csm-1", "timezone": "Europe/Berlin"}
JSON = "application/cloudevents+json"


class Drumbeat(Probe):
    """The whole loop; event number N turns account N red, which calls for an action plan at once."""

    def __init__(self, stack: Stack, client: aiohttp.ClientSession) -> None:
        super().__init__()
        self._url = stack.processes["rules_engine"].url + "/v1/events"
        self._client = client
        self.sent_at: dict[int, float] = {}
        self.acknowledged: dict[int, float] = {}
        self.came_at: dict[int, float] = {}

    async def send(self, number: int) -> None:
        now = real_now()
        self.sent_at[number] = now.timestamp()
        body = orjson.dumps(
            event("health.scored", account(number), {"color": "red"}, id=f"red-{number}", time=now)
        )
        async with self._client.post(self._url, data=body, headers={"content-type": JSON}) as answer:
            assert answer.status == 202, await answer.text()
        self.acknowledged[number] = real_now().timestamp()

    async def hook(self, request: web.Request) -> web.Response:
        data = orjson.loads(await request.read())["data"]
        number = int(data["account_id"].rpartition("-")[2])
        self.came_at.setdefault(number, real_now().timestamp())
        self.arrive(number)
        return web.Response(status=204)


class Cost:
    """The machine's seconds of CPU an event costs, over all processes that have a part in it, beyond their idling."""

    def __init__(self, *pids: int | None) -> None:
        self._pids = pids
        self.idle = 0.0  # of a second, while nothing happens
        self._used = 0.0
        self._events = 0

    async def rest(self, seconds: float) -> None:
        before = self._now()
        await asyncio.sleep(seconds)
        self.idle = (self._now() - before) / seconds

    async def of(self, work: Awaitable[list[float]]) -> list[float]:
        before, began = self._now(), time.perf_counter()
        found = await work
        self._used += self._now() - before - self.idle * (time.perf_counter() - began)
        self._events += len(found)
        return found

    def _now(self) -> float:
        return time.process_time() + sum(cpu_seconds(each) for each in self._pids)

    @property
    def each(self) -> float:
        return self._used / self._events

    @property
    def half_load(self) -> float:
        """Events a second that keep half of this machine busy."""
        return (os.cpu_count() or 1) / 2 / self.each


async def run(stack: Stack, *, quick: bool) -> list[Figure]:
    """At rest and at half load, in turns with the bare chain."""
    await stack.run()
    rest, whole, paced = (20, 5, 60) if quick else (AT_REST, WHOLE, MOST_PACED)
    steady, seldom = range(WARM + rest + paced), range(WARM + rest + paced, WARM + rest + paced + whole)
    await describe(stack, steady, seldom)
    async with subscribed(stack) as ours, bare_chain(stack) as bare:
        await ours.one_at_a_time(steady[:WARM])
        await bare.one_at_a_time(steady[:WARM])
        costs = _costs(stack, bare)
        for each in costs:
            await each.rest(2.0)
        resting, pacing = steady[WARM : WARM + rest], steady[WARM + rest :]
        at_rest = await _at_rest(ours, bare, costs, resting)
        found = [_figure("at rest", *at_rest, {"hops": await hops(stack, ours, resting)})]
        half_load = await _at_half_load(ours, bare, costs, pacing)
        rates = {"ours_per_second": costs[0].half_load, "bare_per_second": costs[1].half_load}
        used = {
            "ours_cpu_ms": costs[0].each * 1000,
            "bare_cpu_ms": costs[1].each * 1000,
            "idle_cores": costs[0].idle,
        }
        found.append(_figure("at half load", *half_load, {**rates, **used}))
        year = await ours.one_at_a_time(seldom)
    return [
        *found,
        _figure("at rest, when a year of calls is planned with it", year, at_rest[1], {}, budget=None),
    ]


def _costs(stack: Stack, bare: Chain) -> tuple[Cost, Cost]:
    parts = [stack.postgres.pid, *(each.pid for each in stack.kafka.nodes)]
    services = [each.child.pid for each in stack.processes.values()]
    return Cost(*parts, *services), Cost(*parts, bare.pid)


async def _at_rest(
    ours: Drumbeat, bare: Chain, costs: tuple[Cost, Cost], numbers: Sequence[int]
) -> tuple[list[float], list[float]]:
    found: tuple[list[float], list[float]] = ([], [])
    for turn in range(TURNS):
        some = numbers[turn::TURNS]
        found[0].extend(await costs[0].of(ours.one_at_a_time(some)))
        found[1].extend(await costs[1].of(bare.one_at_a_time([BARE_FROM + each for each in some])))
    return found


async def _at_half_load(
    ours: Drumbeat, bare: Chain, costs: tuple[Cost, Cost], numbers: Sequence[int]
) -> tuple[list[float], list[float]]:
    found: tuple[list[float], list[float]] = ([], [])
    rates = costs[0].half_load, costs[1].half_load
    count = min(len(numbers), int(rates[0] * SECONDS))
    bare_count = int(rates[1] * SECONDS)
    for turn in range(2):
        some = numbers[turn:count:2]
        found[0].extend(await ours.at_rate(some, rates[0]))
        first = BARE_FROM * (2 + turn)
        found[1].extend(await bare.at_rate(range(first, first + bare_count // 2), rates[1]))
    return found


def _figure(
    how: str,
    ours: Sequence[float],
    bare: Sequence[float],
    also: Mapping[str, object],
    *,
    budget: float | None = 5.0,
) -> Figure:
    ours_p99, bare_p99 = percentile(ours, 0.99), percentile(bare, 0.99)
    more = {
        "ours_ms": {"p50": median(ours), "p90": percentile(ours, 0.9), "p99": ours_p99, "max": max(ours)},
        "bare_ms": {"p50": median(bare), "p90": percentile(bare, 0.9), "p99": bare_p99, "max": max(bare)},
        "events": len(ours),
        **also,
    }
    return Figure(
        f"event in to webhook out, p99 {how}", ours_p99, bare_p99, ours_p99 / bare_p99, "ms",
        "three hops over Kafka and an outbox, p99", at_most=budget, more=more,
    )  # fmt: skip


async def describe(stack: Stack, steady: Sequence[int], seldom: Sequence[int]) -> None:
    """Make the accounts known, and wait until all that follows from it is told."""
    now = real_now()
    person = event("csm.described", "csm-1", {"name": "Ada"}, id="csm-1", time=now)
    facts = [*((each, STEADY) for each in steady), *((each, SELDOM) for each in seldom)]
    described = [
        event("account.described", account(number), fact, id=f"described-{number}", time=now)
        for number, fact in facts
    ]
    await stack.tell(person, *described)

    async def all_heard() -> bool:
        return await heard(stack) >= len(described)

    await until(all_heard, 60, "the described accounts have a calendar")
    await quiet(stack)


async def quiet(stack: Stack) -> float:
    """Wait until nothing new was heard of for a second; answers when the last was."""
    seen, changed = await heard(stack), time.perf_counter()
    while time.perf_counter() < changed + 1:
        await asyncio.sleep(0.05)
        now = await heard(stack)
        if now != seen:
            seen, changed = now, time.perf_counter()
    return changed


async def heard(stack: Stack) -> int:
    connection = await asyncpg.connect(database_url(stack.postgres.url, DATABASES["notifier"]))
    try:
        return int(await connection.fetchval("SELECT count(*) FROM feed") or 0)
    finally:
        await connection.close()


@asynccontextmanager
async def subscribed(stack: Stack) -> AsyncGenerator[Drumbeat]:
    """A receiver that is told of action plans that come due."""
    async with aiohttp.ClientSession(headers={"authorization": f"Bearer {KEY}"}) as client:
        probe = Drumbeat(stack, client)
        app = web.Application()
        app.router.add_post("/hook", probe.hook)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        wish = {
            "url": f"http://127.0.0.1:{port}/hook",
            "types": ["drumbeat.touchpoint.due.v1"],
            "filter": {"touchpoint_type": "risk_action_plan"},
        }
        await stack.post("notifier", "/v1/subscriptions", wish)
        try:
            yield probe
        finally:
            await runner.cleanup()


def bare_chain(stack: Stack) -> Chain:
    return Chain(stack.folder, stack.kafka.bootstrap, database_url(stack.postgres.url, "postgres"))
