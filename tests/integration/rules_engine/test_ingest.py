"""Events over HTTP in every content mode, and every way in which they are refused."""

import gzip
import json
from datetime import timedelta
from typing import cast

import pytest
import zstandard

from tests.integration.rules_engine.conftest import Engine, problem_of
from tests.integration.rules_engine.ingest_requests import (
    BATCH,
    NDJSON,
    STRUCTURED,
    Sent,
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


class TestModes:
    async def test_one_structured_event(self, running: Engine) -> None:
        sent = await running.make_event("health.scored", "modes", {"score": 30})
        answer = await running.send(json.dumps(sent), f"{STRUCTURED}; charset=UTF-8")
        assert results_of(answer, 202) == [
            {"index": 0, "source": "/test", "id": sent["id"], "status": "accepted"}
        ]
        await running.wait_until_folded(sent)

    async def test_one_binary_event_with_a_subject_beyond_ascii(self, running: Engine) -> None:
        sent = await running.make_event("health.scored", "Müller%20", {"score": 30})
        headers = {f"ce_{name}": sent[name] for name in ("specversion", "id", "source", "type", "time")}
        answer = await running.send(
            json.dumps(sent["data"]), "application/json", ce_subject="M%C3%BCller%2520", **headers
        )
        results_of(answer, 202)
        await running.wait_until_folded(sent)
        assert (await running.account("M%C3%BCller%2520"))["id"] == "Müller%20"

    async def test_a_batch_in_which_some_are_refused(self, running: Engine) -> None:
        good = await running.make_event("health.scored", "modes", {"score": 30})
        bad = await running.make_event("health.scored", "modes", {"score": 130})
        answer = await running.send(json.dumps([bad, good, 7]), BATCH)
        results = results_of(answer, 207)
        assert [result["status"] for result in results] == ["refused", "accepted", "refused"]
        assert [result["index"] for result in results] == [0, 1, 2]
        assert results[0]["id"] == bad["id"]
        assert "130 is greater than 100" in results[0]["problem"]
        await running.wait_until_folded(good)

    @pytest.mark.parametrize("encoding", ["", "gzip", "zstd"])
    async def test_ndjson(self, running: Engine, encoding: str) -> None:
        events = await make_events(running, 700)
        body = ndjson(events[:400]) + b"\r\n\n  \n" + ndjson(events[400:]).rstrip()
        packed = {
            "": lambda: body,
            "gzip": lambda: gzip.compress(body),
            "zstd": lambda: zstandard.compress(body),
        }
        more = {"content_encoding": encoding} if encoding else {}
        answer = await running.send(packed[encoding](), NDJSON, **more)
        results = results_of(answer, 202)
        assert [result["id"] for result in results] == [event["id"] for event in events]
        await running.wait_until_folded(events[-1])

    @pytest.mark.parametrize("encoding", ["gzip", "zstd"])
    async def test_every_member_of_a_concatenated_file_is_read(self, running: Engine, encoding: str) -> None:
        events = [await running.make_event("health.scored", "joined", {"score": 30}) for _ in range(3)]
        pack = gzip.compress if encoding == "gzip" else zstandard.compress
        body = b"".join(pack(ndjson([event])) for event in events)
        answer = await running.send(body, NDJSON, content_encoding=encoding)
        assert len(results_of(answer, 202)) == 3

    async def test_validation_publishes_nothing(self, running: Engine) -> None:
        sent = await running.make_event("health.scored", "only-checked", {"score": 30})
        answer = await running.send(json.dumps(sent), STRUCTURED, query="?validate_only=true")
        assert results_of(answer, 202)[0]["status"] == "accepted"
        await running.post_event("health.scored", "only-checked-after", {"score": 30})
        assert await running.receipt(sent) is None
        problem_of(await running.request("GET", "/v1/accounts/only-checked"), 404)

    async def test_an_undeclared_field_is_accepted_with_a_warning(self, running: Engine) -> None:
        sent = await running.make_event("health.scored", "modes", {"score": 30, "scroe": 3})
        (result,) = results_of(await running.send(json.dumps(sent), STRUCTURED), 202)
        assert "data.scroe" in result["warnings"][0]


class TestMedia:
    @pytest.mark.parametrize(
        ("media", "headers"),
        [
            (None, {}),
            ("text/plain", {}),
            ("application/json", {}),
            ("application/xml", {}),
            (STRUCTURED, {"ce_id": "1"}),
            (BATCH, {"ce_type": "x"}),
            (NDJSON, {"ce_source": "x"}),
            (NDJSON, {"content_encoding": "br"}),
            (STRUCTURED, {"content_encoding": "gzip"}),
        ],
    )
    async def test_a_media_type_without_events_is_415(
        self, running: Engine, media: str | None, headers: dict[str, str]
    ) -> None:
        answer = await running.send(b"{}", media, **headers)
        assert problem_of(answer, 415)["results"] == []

    async def test_an_empty_body_is_422(self, running: Engine) -> None:
        for media, body in ((NDJSON, b"\n\n"), (BATCH, b"[]")):
            assert problem_of(await running.send(body, media), 422)["results"] == []
        for body in (b"", b"[]", b"null"):
            assert len(results_of(await running.send(body, STRUCTURED), 422)) == 1

    async def test_a_batch_that_is_no_list_or_no_json(self, running: Engine) -> None:
        problem_of(await running.send(b"{}", BATCH), 422)
        problem_of(await running.send(b"[{", BATCH), 400)


class TestContent:
    async def test_an_unknown_type_is_refused_with_a_suggestion(self, running: Engine) -> None:
        sent = await running.make_event("health.score", "acme", {"score": 3})
        assert "drumbeat.health.scored.v1" in await refusal(running, sent)

    @pytest.mark.parametrize(
        ("kind", "data", "words"),
        [
            ("health.scored", {"score": "80"}, "data.score"),
            ("health.scored", {"score": -1}, "data.score: -1 is less than 0"),
            ("health.scored", {"color": "blue"}, "data.color"),
            ("health.scored", {}, "score"),
            ("health.scored", {"score": True}, "data.score"),
            ("nps.answered", {"score": 11}, "data.score"),
            ("nps.answered", {"score": None}, "data.score"),
            ("contact.described", {"name": "X"}, "data.contact_id"),
            ("contact.described", {"contact_id": "c", "email": "not an address"}, "data.email"),
            ("contract.changed", {"contract_id": "c", "renews_on": "31.12.2026"}, "data.renews_on"),
            ("contract.changed", {"contract_id": "c", "renews_on": "2026-02-30"}, "data.renews_on"),
            ("usage.reported", {"period_start": "2026-01-01T00:00:00Z"}, "data.period_end"),
            ("interaction.logged", {"channel": "call", "at": "2026-01-01T00:00:00"}, "data.at"),
            ("account.described", {"arr": 1e16}, "data.arr"),
            ("account.described", {"timezone": "Mars/Olympus"}, "data.timezone"),
            ("account.described", {"name": "x" * 3000}, "data.name"),
        ],
    )
    async def test_invalid_data_is_refused_with_its_path(
        self, running: Engine, kind: str, data: Sent, words: str
    ) -> None:
        problem = await refusal(running, await running.make_event(kind, "acme", data))
        assert words in problem

    @pytest.mark.parametrize(
        ("raw", "words"),
        [
            (b'"NUL \\u0000"', "NUL"),
            (b'"\\ud800"', "JSON"),
            (b'"\xed\xa0\x80"', "JSON"),
            (b"NaN", "NaN"),
            (b"Infinity", "JSON"),
            (b"1e999", "JSON"),
            (b"9" * 4000, ""),
            (b"-" + b"9" * 400, ""),
            (b"[" * 100_000 + b"]" * 100_000, "deep"),
            (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "deep"),
            (b"[" * 70 + b"]" * 70, "deep"),
        ],
    )
    @pytest.mark.parametrize("field", ["name", "arr", "undeclared"])
    async def test_no_json_value_breaks_ingestion(
        self, running: Engine, raw: bytes, words: str, field: str
    ) -> None:
        sent = await running.make_event("account.described", "odd", {field: "HERE"})
        problem = await refusal(running, json.dumps(sent).encode().replace(b'"HERE"', raw))
        assert words in problem
        assert len(problem) < 500
        headers = {
            f"ce_{name}": cast("str", sent[name])
            for name in ("specversion", "id", "source", "type", "subject", "time")
        }
        answer = await running.send(b'{"%s": %s}' % (field.encode(), raw), "application/json", **headers)
        assert results_of(answer, 422)[0]["id"] == sent["id"]

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"time": "2026-03-31T09:30:00"}, "time"),
            ({"time": "yesterday"}, "time"),
            ({"time": "1969-12-31T23:59:59Z"}, "time"),
            ({"time": None}, "time"),
            ({"subject": ""}, "subject"),
            ({"subject": None}, "subject"),
            ({"subject": "  "}, "subject"),
            ({"subject": "x" * 201}, "subject"),
            ({"subject": "a\x00b"}, "NUL"),
            ({"subject": "a\nb"}, "subject"),
            ({"subject": 7}, "subject"),
            ({"id": ""}, "id"),
            ({"id": "x" * 256}, "id"),
            ({"source": None}, "source"),
            ({"specversion": "0.3"}, "specversion"),
            ({"type": None}, "type"),
            ({"data": []}, "data"),
            ({"data": None}, "data"),
            ({"datacontenttype": "text/xml"}, "content type"),
            ({"Bad-Name": "x"}, "Bad-Name"),
        ],
    )
    async def test_the_envelope_is_checked(self, running: Engine, changes: Sent, words: str) -> None:
        sent = {**await running.make_event("health.scored", "acme", {"score": 3}), **changes}
        assert words in await refusal(running, sent)

    async def test_a_time_ahead_of_the_service_clock(self, running: Engine) -> None:
        ahead = await running.now() + timedelta(minutes=5, seconds=30)
        sent = await running.make_event("health.scored", "acme", {"score": 3}, time=ahead)
        assert "ahead of the service clock" in await refusal(running, sent)
        soon = await running.now() + timedelta(minutes=4, seconds=50)
        await running.post_event("health.scored", "ahead", {"color": "red"}, time=soon)
        assert (await running.account("ahead"))["color"] == "red"

    async def test_the_service_still_accepts_events(self, running: Engine) -> None:
        await running.post_event("health.scored", "odd", {"score": 30})
        assert (await running.account("odd"))["facts"]["health_score"]["value"] == 30
        log = running.stack.processes["rules_engine"].log.read_text()
        assert "Traceback" not in log, log[-3000:]
