"""Telemetry at volume (issue 14, point 3): rates of keys, bounded memory, a slow broker, the senders of the page."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import asyncio
import gzip
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from services.rules_engine.entrypoints.http_ingest import MOST, MOST_WAITING
from tests.integration.rules_engine.conftest import Engine, engine, problem_of
from tests.integration.rules_engine.ingest_requests import BATCH, NDJSON, Sent, ndjson, results_of
from tests.integration.rules_engine.telemetry_senders import collector, http_sink
from tests.stack import KEY, ROOT, event, stopped, until
from tests.unit.connectors.sources.test_otlp import DAY, attributes, log, logs, nanoseconds

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="module"),
]
RATE, BURST = 100, 200
FIRST_KEY = "0123abcd"
SECRET = "a-secret-of-the-collector"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def limited() -> AsyncGenerator[Engine]:
    """An engine whose keys are limited, but for the first one."""
    settings = {
        "DRUMBEAT_RATE_LIMIT__EVENTS_PER_SECOND": str(RATE),
        "DRUMBEAT_RATE_LIMIT__BURST": str(BURST),
        "DRUMBEAT_KEY_RATE_LIMITS": json.dumps({FIRST_KEY: {}}),
        "DRUMBEAT_WEBHOOKS__OPENTELEMETRY__SECRET": SECRET,
    }
    async with engine(settings=settings) as running:
        yield running


async def create_key(running: Engine) -> str:
    answer = await running.request("POST", "/v1/keys", json={"name": "agents", "scopes": ["signals", "read"]})
    assert answer.status_code == 201, answer.text
    key = answer.json()["key"]

    async def works() -> bool:
        answer = await running.request("GET", "/v1/clock", headers={"authorization": f"Bearer {key}"})
        return answer.status_code == 200

    await until(works, 60, "the key is known")
    return key


async def make_scores(running: Engine, name: str, count: int, **data: object) -> list[Sent]:
    """One score of each of so many accounts."""
    now = await running.now()
    return [
        event("health.scored", f"{name}-{each}", {"score": each % 101, **data}, id=f"{name}-{each}", time=now)
        for each in range(count)
    ]


async def test_a_key_that_sends_faster_than_its_rate_is_refused_until_it_may_go_on(limited: Engine) -> None:
    authorization = {"authorization": f"Bearer {await create_key(limited)}"}
    events = await make_scores(limited, "rate", BURST + 10 * RATE)
    first = await limited.send(ndjson(events), NDJSON, query="?validate_only=true", **authorization)
    assert len(results_of(first, 202)) == len(events), "a request that began is taken whole"
    assert first.headers["ratelimit-policy"] == f'"events";q={BURST};qu="events";w=2'
    assert first.headers["ratelimit"].startswith('"events";r=')

    refused = await limited.send(json.dumps(events[:1]), BATCH, **authorization)
    body = problem_of(refused, 429)
    assert (body["results"], body["violated-policies"]) == ([], ["events"])
    assert body["type"].endswith("#quota-exceeded")
    seconds = int(refused.headers["retry-after"])
    assert refused.headers["ratelimit"] == f'"events";r=0;t={seconds}'
    await asyncio.sleep(seconds)
    assert len(results_of(await limited.send(json.dumps(events[:1]), BATCH, **authorization), 202)) == 1

    unlimited = await limited.send(json.dumps(events[:1]), BATCH)
    assert "ratelimit" not in unlimited.headers, "a key with a limit of its own has that one"


async def test_a_stream_of_64_megabytes_is_read_in_bounded_memory(limited: Engine) -> None:
    line = ndjson(await make_scores(limited, "large", 1, drivers=["d" * 100] * 15))
    body = line * ((63 << 20) // len(line))
    pid = limited.stack.processes["rules_engine"].child.pid
    before = memory_of(pid, "VmRSS")
    packed = gzip.compress(body, 1)
    answer = await limited.send(packed, NDJSON, query="?validate_only=true", content_encoding="gzip")
    assert len(results_of(answer, 202)) == len(body) // len(line)
    grown = memory_of(pid, "VmHWM") - before
    assert grown < 120, f"{grown} MB for {len(body) >> 20} MB"
    too_much = gzip.compress(line * ((65 << 20) // len(line)), 1)
    problem_of(
        await limited.send(too_much, NDJSON, query="?validate_only=true", content_encoding="gzip"), 413
    )


def memory_of(pid: int, name: str) -> int:
    """Megabytes: `VmRSS` now, `VmHWM` at the most."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) >> 10


@asynccontextmanager
async def stopped_broker(running: Engine) -> AsyncGenerator[None]:
    kafka = running.stack.kafka
    kafka.freeze()
    await until(lambda: stopped(kafka.nodes[0].pid or 0), 30, "the broker is stopped")
    try:
        yield
    finally:
        kafka.thaw()


async def test_a_stream_ends_with_503_before_more_of_it_is_read_than_the_broker_takes(
    limited: Engine,
) -> None:
    sent = await make_scores(limited, "away", 20 * MOST)
    async with stopped_broker(limited):
        answer = await limited.send(ndjson(sent), NDJSON)
    results = problem_of(answer, 503)["results"]
    assert int(answer.headers["retry-after"]) > 0
    assert len(results) <= 2 * MOST, "not twenty waits one after the other"
    assert {result["status"] for result in results[-MOST:]} == {"unknown"}


async def test_more_events_than_may_wait_for_the_broker_are_refused_before_they_are_taken(
    limited: Engine,
) -> None:
    sent = json.dumps(await make_scores(limited, "waiting", MOST))
    headers = {"content-type": BATCH, "authorization": f"Bearer {KEY}"}
    many = httpx.Limits(max_connections=None)
    async with (
        stopped_broker(limited),
        httpx.AsyncClient(limits=many, timeout=180, headers=headers) as client,
    ):
        posts = [
            client.post(f"{limited.url}/v1/events", content=sent) for _ in range(MOST_WAITING // MOST + 5)
        ]
        answers = await asyncio.gather(*posts)
    refused = [answer for answer in answers if not problem_of(answer, 503)["results"]]
    assert len(refused) >= 5
    assert all(answer.headers["retry-after"] for answer in answers)
    await limited.post_event("health.scored", "afterwards", {"score": 3})


async def test_a_file_is_posted_whole_over_a_slow_broker_and_within_the_rate_of_the_key(
    limited: Engine, tmp_path: Path
) -> None:
    count = 2_000
    key = await create_key(limited)
    (tmp_path / "key").write_text(key)
    events = await make_scores(limited, "file", count)
    (tmp_path / "events.ndjson.gz").write_bytes(gzip.compress(ndjson(events)))
    owed = {"query": "?validate_only=true", "authorization": f"Bearer {key}"}
    results_of(await limited.send(ndjson((events * 2)[: BURST + 30 * RATE]), NDJSON, **owed), 202)
    slow = asyncio.create_task(_slow_down(limited))
    try:
        posting = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from services.console.cli import main; main()",
            "events", "post", "events.ndjson.gz",
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "DRUMBEAT_API_KEY_FILE": "key",
                 "DRUMBEAT_RULES_ENGINE__PORT": str(limited.stack.processes["rules_engine"].port)},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await posting.communicate()
    finally:
        slow.cancel()
        with suppress(asyncio.CancelledError):
            await slow
        limited.stack.kafka.thaw()
    assert posting.returncode == 0, (out, err)
    assert f"{count} accepted, 0 not accepted" in out.decode()
    assert "answered 429" in err.decode(), "checked events count too: it had to wait"

    async def known() -> bool:
        ids = [event_id async for event_id in _account_ids(limited) if event_id.startswith("file-")]
        return len(ids) == count

    await until(known, 120, "each event of the file is applied")


async def _slow_down(running: Engine) -> None:
    """A broker that works for a tenth of the time."""
    while True:
        running.stack.kafka.freeze()
        await asyncio.sleep(0.9)
        running.stack.kafka.thaw()
        await asyncio.sleep(0.1)


async def _account_ids(running: Engine) -> AsyncIterator[str]:
    page = await running.get("/v1/accounts", limit=500)
    while True:
        for account in page["items"]:
            yield account["id"]
        if not page["next_cursor"]:
            return
        page = await running.get("/v1/accounts", limit=500, cursor=page["next_cursor"])


async def test_a_collector_with_the_configuration_of_the_page_reports_usage_and_a_score(
    limited: Engine,
) -> None:
    now = await limited.now()
    usage = log(
        "usage.reported",
        {
            "account.id": "otel",
            "period_start": (now - DAY).isoformat(),
            "period_end": now.isoformat(),
            "active_users": 41,
        },
        time_unix_nano=nanoseconds(now),
    )
    score = ExportMetricsServiceRequest()
    gauge = score.resource_metrics.add().scope_metrics.add().metrics.add(name="customer.health.score").gauge
    owner = attributes({"account.id": "otel"})
    gauge.data_points.add(time_unix_nano=nanoseconds(now), as_double=31, attributes=owner)
    for signal, body in (("logs", logs(usage)), ("metrics", MessageToJson(score).encode())):
        sending = collector(signal, body, SECRET)
        async with httpx.AsyncClient(timeout=60) as client:
            answer = await client.post(
                limited.url + sending.path, content=sending.body, headers=sending.headers
            )
        assert (answer.status_code, answer.json()["refused"]) == (202, []), answer.text

    async def has_both() -> bool:
        account = await limited.stack.find("rules_engine", "/v1/accounts/otel")
        return account is not None and {"health_score", "active_users"} <= account["facts"].keys()

    await until(has_both, 120, "usage and score are facts of the account")


async def test_an_http_sink_of_kafka_connect_with_the_configuration_of_the_page(limited: Engine) -> None:
    values = [json.dumps(each) for each in await make_scores(limited, "sink", 3)]
    sending = http_sink(values, KEY)
    answer = await limited.request("POST", sending.path, content=sending.body, headers=dict(sending.headers))
    assert len(results_of(answer, 202)) == 3
