"""Sizes that ingestion refuses: batches, bodies, events, lines, compressed bodies."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import zstandard

from tests.integration.rules_engine.conftest import Engine, problem_of
from tests.integration.rules_engine.ingest_requests import (
    BATCH,
    NDJSON,
    STRUCTURED,
    make_events,
    ndjson,
    refusal,
    results_of,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]


class TestSize:
    async def test_a_batch_of_more_than_500(self, running: Engine) -> None:
        sent = await running.make_event("health.scored", "big", {"score": 30})
        body = problem_of(await running.send(json.dumps([sent] * 501), BATCH), 413)
        assert "501" in body["detail"]
        assert len(results_of(await running.send(json.dumps([sent] * 500), BATCH), 202)) == 500

    @pytest.mark.parametrize("media", [STRUCTURED, BATCH])
    async def test_a_body_over_a_megabyte(self, running: Engine, media: str) -> None:
        problem_of(await running.send(b" " * ((1 << 20) + 1), media), 413)

    async def test_a_body_over_a_megabyte_without_a_length(self, running: Engine) -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(40):
                yield b" " * 65_536

        problem_of(await running.send(endless(), STRUCTURED), 413)
        keys = {"content-type": "application/json"}
        problem_of(await running.request("POST", "/v1/keys", content=endless(), headers=keys), 413)

    async def test_an_event_over_the_size_limit(self, running: Engine) -> None:
        sent = await running.make_event("health.scored", "big", {"score": 30, "more": ["x" * 1000] * 300})
        assert "262144" in await refusal(running, sent)

    async def test_a_line_without_an_end(self, running: Engine) -> None:
        assert "line" in problem_of(await running.send(b"x" * (1 << 20), NDJSON), 413)["detail"]

    @pytest.mark.parametrize(
        ("encoding", "stuff"),
        [
            ("gzip", b"\n"),
            ("gzip", b'{"id": "x"}' + b" " * 500 + b"\n"),
            ("zstd", b"{}\n"),
            ("zstd", b"x" * 4096),
        ],
    )
    async def test_a_compression_bomb_is_refused_in_bounded_memory(
        self, running: Engine, encoding: str, stuff: bytes
    ) -> None:
        bomb = stuff * ((80 << 20) // len(stuff))
        packed = gzip.compress(bomb, 6) if encoding == "gzip" else zstandard.compress(bomb)
        assert len(packed) < 1 << 20
        answer, *waits = await asyncio.gather(
            running.send(packed, NDJSON, content_encoding=encoding, timeout="60"),
            *(running.request("GET", "/livez") for _ in range(3)),
        )
        assert answer.status_code == 413, answer.text[:500]
        assert all(answer.status_code == 200 for answer in waits)
        peak = _peak_memory(running.stack.processes["rules_engine"].child.pid)
        assert peak < 700 << 20, f"{peak >> 20} MB"

    async def test_events_accepted_before_the_limit_are_reported(self, running: Engine) -> None:
        events = await make_events(running, 600)
        answer = await running.send(ndjson(events) + b"x" * (1 << 20), NDJSON)
        results = problem_of(answer, 413)["results"]
        assert [result["status"] for result in results] == ["accepted"] * 500
        await running.wait_until_folded(events[499])

    @pytest.mark.parametrize("encoding", ["gzip", "zstd"])
    async def test_a_truncated_or_wrong_encoding(self, running: Engine, encoding: str) -> None:
        events = await make_events(running, 50)
        pack = gzip.compress if encoding == "gzip" else zstandard.compress
        torn = pack(ndjson(events))[:-12]
        problem_of(await running.send(torn, NDJSON, content_encoding=encoding), 400)
        problem_of(await running.send(ndjson(events), NDJSON, content_encoding=encoding), 400)


def _peak_memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) << 10
