"""Requests of ingestion that several tests make, and the checks of their responses."""

import json
from typing import Any

import httpx

from tests.integration.rules_engine.conftest import Engine

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
NDJSON = "application/x-ndjson"
Sent = dict[str, Any]


def results_of(answer: httpx.Response, status: int) -> list[dict[str, Any]]:
    assert answer.status_code == status, answer.text
    return answer.json()["results"]


async def refusal(running: Engine, sent: object) -> str:
    """Post one structured event that must be refused; returns the problem."""
    content = sent if isinstance(sent, bytes) else json.dumps(sent)
    answer = await running.send(content, STRUCTURED)
    (result,) = results_of(answer, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert result["index"] == 0
    assert result["status"] == "refused"
    return result["problem"]


def ndjson(events: list[Sent]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


async def make_events(running: Engine, count: int) -> list[Sent]:
    moment = await running.now()
    return [
        await running.make_event("health.scored", "many", {"score": 30}, time=moment) for _ in range(count)
    ]
