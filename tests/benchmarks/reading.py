"""The list of what is due that the console reads, over HTTP, on a calendar of any size."""

import time
from typing import Final

import httpx

from services.chassis.clock import ServiceClock
from services.chassis.database import Database
from services.chassis.keys import ApiKey, KeyRing, digest, new_secret
from services.chassis.web import Chassis, make_app
from services.scheduler.adapters.queries import PostgresReader
from services.scheduler.entrypoints.http_touchpoints import read_routes
from tests.benchmarks.figures import Figure, percentile

LIMIT_MS: Final = 20.0
"""For a page of what is due, whatever is planned (issue 11, A1)."""
READS: Final = 100


async def read_due(database: Database, clock: ServiceClock) -> list[float]:
    """Milliseconds of each of `READS` first pages, without a network."""
    keys, (key_id, secret) = KeyRing(), new_secret()
    keys.learn(ApiKey(key_id, digest(secret), frozenset({"read"})))

    async def ready() -> None:
        return None

    app = make_app(Chassis("scheduler", clock, keys, ready), title="scheduler")
    app.include_router(read_routes(PostgresReader(database), clock))
    taken: list[float] = []
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://scheduler",
        headers={"Authorization": f"Bearer {secret}"},
    ) as client:
        for _ in range(READS + 1):
            began = time.perf_counter()
            answer = await client.get("/v1/touchpoints", params={"status": "due,overdue"})
            taken.append((time.perf_counter() - began) * 1e3)
            assert answer.status_code == 200, answer.text
            assert {item["status"] for item in answer.json()["items"]} == {"due"}
    return taken[1:]


def figure_of(taken: list[float], planned: int) -> Figure:
    usual = percentile(taken, 0.5)
    return Figure(
        f"GET /v1/touchpoints?status=due,overdue, {planned:,} planned", usual, LIMIT_MS, usual / LIMIT_MS, "ms",
        "the limit", at_most=1.0, more={"p99_ms": percentile(taken, 0.99)},
    )  # fmt: skip
