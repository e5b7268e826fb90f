"""Equal reads are made once, and a failure keeps the last good answer."""

import asyncio

import httpx

from services.console.client import AsyncApiClient
from services.console.json_fields import Json
from services.console.shared_reads import SharedReads
from tests.unit.console.test_client import KEY, make_settings


class Engine:
    """Counts requests, and may be down or refuse."""

    def __init__(self) -> None:
        self.requests = 0
        self.status = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        body = {"n": self.requests, "detail": "later"}
        return httpx.Response(self.status, json=body)


def reads_of(engine: Engine) -> SharedReads:
    return SharedReads(AsyncApiClient(make_settings(), httpx.MockTransport(engine)))


async def test_a_hundred_equal_reads_are_one_request_and_another_key_makes_its_own() -> None:
    engine = Engine()
    reads = reads_of(engine)
    found = await asyncio.gather(
        *(reads.read(KEY, "scheduler", "/v1/x", {"a": 1}, max_age=60) for _ in range(100))
    )
    assert engine.requests == 1
    assert {(read.document or {})["n"] for read in found} == {1}
    await reads.read("another", "scheduler", "/v1/x", {"a": 1}, max_age=60)
    assert engine.requests == 2


async def test_after_a_change_the_next_read_is_a_new_one() -> None:
    engine = Engine()
    reads = reads_of(engine)
    await reads.read(KEY, "scheduler", "/v1/x", max_age=60)
    reads.forget(KEY)
    read = await reads.read(KEY, "scheduler", "/v1/x", max_age=60)
    assert (read.document or {})["n"] == 2


async def test_a_failure_shows_the_last_good_answer_with_the_error_and_a_refusal_shows_none() -> None:
    engine = Engine()
    reads = reads_of(engine)
    await reads.read(KEY, "scheduler", "/v1/x", max_age=0)
    engine.status = 503
    read = await reads.read(KEY, "scheduler", "/v1/x", max_age=0)
    assert (read.document or {})["n"] == 1
    assert "temporarily unavailable" in read.error
    engine.status = 403
    assert (await reads.read(KEY, "scheduler", "/v1/x", max_age=0)).document is None


async def test_the_figures_of_a_page_are_one_question_that_is_not_asked_again_while_it_is_young() -> None:
    engine = Engine()
    reads = reads_of(engine)
    body: Json = {"items": [{"account_id": "acme"}, {"account_id": "quiet"}]}
    for _ in range(3):
        await reads.ask(KEY, "rules_engine", "/v1/figures", body, max_age=60)
    assert engine.requests == 1
    engine.status = 503
    read = await reads.ask(KEY, "rules_engine", "/v1/figures", body, max_age=0)
    assert (read.document or {})["n"] == 1
    assert "temporarily unavailable" in read.error
