"""Cursors, pages, limits, and errors as problem documents, on an app of the chassis in this process."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any

import asyncpg
import httpx
import pytest
import tzdata
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from services.chassis.clock import ServiceClock
from services.chassis.keys import ApiKey, KeyRing, digest
from services.chassis.problems import Problem
from services.chassis.web import (
    JSON,
    Chassis,
    Limit,
    RowId,
    decode_cursor,
    encode_cursor,
    make_app,
    page,
    require,
)

KEY = "db_0a1b2c3d_secret"
START = datetime(2026, 3, 2, 10, tzinfo=UTC)
moments = st.datetimes(timezones=st.just(UTC))
plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@given(plain, st.integers(-(2**63) + 1, 2**63 - 1), moments)
def test_a_cursor_decodes_to_what_was_encoded(text: str, number: int, moment: datetime) -> None:
    cursor = encode_cursor(text, number, moment)
    assert cursor.isascii()
    assert decode_cursor(cursor, str, int, datetime) == [text, number, moment]


@given(st.text())
def test_decoding_any_text_as_a_cursor_gives_a_result_or_a_422(text: str) -> None:
    for kinds in ((str,), (int,), (datetime, str)):
        try:
            decode_cursor(text, *kinds)
        except Problem as problem:
            assert problem.status == 422  # noqa: PT017 - any text may also be a cursor by chance


@pytest.mark.parametrize(
    ("cursor", "kinds"),
    [
        (encode_cursor("a"), (int,)),
        (encode_cursor(1), (str,)),
        (encode_cursor(1), (int, int)),
        (encode_cursor("a\x00"), (str,)),
        (encode_cursor(2**63), (int,)),
        (encode_cursor("2026-03-02T10:00:00"), (datetime,)),
        (encode_cursor("yesterday"), (datetime,)),
        ("e30", (int,)),
        ("W3RydWVd", (int,)),
        ("", (int,)),
    ],
)
def test_a_cursor_of_another_list_is_refused(cursor: str, kinds: tuple[type, ...]) -> None:
    with pytest.raises(Problem) as refused:
        decode_cursor(cursor, *kinds)
    assert refused.value.status == 422


def test_a_page_points_to_the_next_only_when_there_is_more() -> None:
    assert page([1, 2, 3], 2, str) == {"items": [1, 2], "next_cursor": "2"}
    assert page([1, 2], 2, str) == {"items": [1, 2], "next_cursor": None}
    assert page([], 2, str) == {"items": [], "next_cursor": None}


def test_instants_are_written_with_z() -> None:
    assert (
        JSON({"at": START, "kinds": frozenset({"a"})}).body == b'{"at":"2026-03-02T10:00:00Z","kinds":["a"]}'
    )


class Order(BaseModel):
    name: str
    many: int


def app() -> FastAPI:
    ring = KeyRing()
    ring.learn(ApiKey("0a1b2c3d", digest(KEY), frozenset({"read"})))

    async def ready() -> str | None:
        return "PostgreSQL does not answer"

    made = make_app(Chassis("test", ServiceClock(START, START, 1.0), ring, ready), title="test")

    @made.get("/rows/{row}", dependencies=[require("read")])
    async def row(row: RowId, limit: Limit = 100) -> dict[str, int]:
        return {"row": row, "limit": limit}

    @made.post("/orders", dependencies=[require("read")])
    async def order(body: Order) -> dict[str, str]:
        return {"name": body.name}

    @made.get("/acts", dependencies=[require("act")])
    async def act() -> None: ...

    @made.post("/acts", dependencies=[require("act")])
    async def act_on(body: Order) -> None: ...

    @made.get("/repeated")
    async def repeated() -> None:
        raise Problem(422, "types: \ud800 is none.", where=datetime(2026, 1, 1, tzinfo=UTC))

    @made.get("/away")
    async def away() -> None:
        raise asyncpg.TooManyConnectionsError("sorry")

    @made.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError

    return made


@pytest.fixture
async def client() -> AsyncGenerator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app(), raise_app_exceptions=False)
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as opened:
        yield opened


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["type"], body["status"]) == ("about:blank", status)
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere", 404),
        ("/acts", 403),
        ("/away", 503),
        ("/broken", 500),
        ("/repeated", 422),
        ("/readyz", 503),
        ("/rows/0", 422),
        ("/rows/x", 422),
        (f"/rows/{2**63}", 422),
        ("/rows/1?limit=0", 422),
        ("/rows/1?limit=501", 422),
        ("/rows/1?q=%00", 422),
        ("/rows/%00", 404),
        ("/%ED%A0%80", 404),
    ],
)
async def test_every_error_is_a_problem_document(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(path)
    problem(answer, status)
    assert status != 503 or int(answer.headers["retry-after"]) >= 1


async def test_a_wrong_method_is_answered_with_the_allowed_one(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/orders")
    assert "POST" in problem(answer, 405)["detail"]
    assert answer.headers["allow"] == "POST"


async def test_an_internal_error_does_not_show_its_cause(client: httpx.AsyncClient) -> None:
    assert "ZeroDivision" not in (await client.get("/broken")).text


async def test_a_problem_names_every_invalid_field(client: httpx.AsyncClient) -> None:
    body = problem(await client.post("/orders", json={"many": "x"}), 422)
    assert [error["where"] for error in body["errors"]] == ["body.name", "body.many"]
    assert "body.name" in body["detail"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"\xff", 400),
        (b'{"\\ud800": 1}', 422),
        (b"[" * 100_000, 400),
        (b'{"name": "a", "many": ' + b"9" * 5000 + b"}", 400),
        (b'{"name": "a", "many": NaN}', 422),
        (b" " * ((1 << 20) + 1), 413),
    ],
)
async def test_no_body_breaks_the_app(client: httpx.AsyncClient, content: bytes, status: int) -> None:
    answer = await client.post("/orders", content=content, headers={"content-type": "application/json"})
    problem(answer, status)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
async def test_without_the_right_to_call_it_does_not_matter_what_the_body_is(
    client: httpx.AsyncClient, content: bytes
) -> None:
    media = {"content-type": "application/json"}
    problem(await client.post("/acts", content=content, headers=media), 403)
    for sent in ("", "Bearer db_0a1b2c3d_wrong", "Basic eA=="):
        headers = {**media, "authorization": sent}
        problem(await client.post("/orders", content=content, headers=headers), 401)


async def test_a_body_is_counted_while_it_arrives(client: httpx.AsyncClient) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield b" " * 65_536

    problem(
        await client.post("/orders", content=endless(), headers={"content-type": "application/json"}), 413
    )


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"content-type": "application/json; charset=utf-16"}, "'utf-16'"),
        ({"content-type": 'application/merge-patch+json; charset="Latin-1"'}, "'Latin-1'"),
        ({"content-type": "application/x-www-form-urlencoded; charset=x"}, "'x'"),
        ({"content-type": "application/json", "content-encoding": "gzip"}, "Content-Encoding: gzip"),
    ],
)
async def test_a_body_that_would_be_read_as_something_else_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], named: str
) -> None:
    assert named in problem(await client.post("/orders", content=b"{}", headers=headers), 415)["detail"]
    for right in ("application/json; charset=UTF-8", "application/json; charset=us-ascii"):
        content = b'{"name": "a", "many": 1}'
        answer = await client.post("/orders", content=content, headers={"content-type": right})
        assert answer.status_code == 200, answer.text


async def test_a_body_that_is_refused_for_its_length_is_read_to_its_end(client: httpx.AsyncClient) -> None:
    """A browser shows an answer only when all of its request was taken."""
    taken = 0

    async def large() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(40):
            taken += 1
            yield b" " * 65_536

    headers = {"content-type": "application/json", "content-length": str(40 * 65_536)}
    problem(await client.post("/orders", content=large(), headers=headers), 413)
    assert taken == 40


async def test_keys_are_required_except_for_health_metrics_and_the_api_document(
    client: httpx.AsyncClient,
) -> None:
    assert (await client.get("/rows/1")).json() == {"row": 1, "limit": 100}
    answer = await client.get("/rows/1", headers={"authorization": "Bearer db_0a1b2c3d_wrong"})
    problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    for path in ("/livez", "/metrics", "/openapi.json"):
        assert (await client.get(path, headers={"authorization": ""})).status_code == 200


async def test_the_clock_shows_its_mapping(client: httpx.AsyncClient) -> None:
    clock = (await client.get("/v1/clock")).json()
    assert clock["start"] == clock["origin"] == "2026-03-02T10:00:00Z"
    assert clock["rate"] == 1.0
    assert clock["holidays"] == version("holidays")
    assert clock["tzdata"] == tzdata.IANA_VERSION  # row 50 of the reported faults
    assert datetime.fromisoformat(clock["now"]) - START > timedelta(0)


async def test_the_openapi_document_describes_the_problems() -> None:
    document = app().openapi()
    assert "HTTPValidationError" not in str(document)
    responses = document["paths"]["/orders"]["post"]["responses"]
    assert responses.keys() >= {"200", "400", "401", "403", "413", "422", "503"}
    assert list(responses["422"]["content"]) == ["application/problem+json"]
    assert "401" not in document["paths"]["/livez"]["get"]["responses"]
