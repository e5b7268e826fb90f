"""Each request has an id, in the log and in the answer; its span has the route, never the address."""

import json
from collections.abc import Generator

import httpx
import pytest
import structlog
from fastapi import FastAPI
from prometheus_client import REGISTRY

from services.chassis.request_context import RequestContext
from services.chassis.telemetry import configure_logs
from tests.unit.chassis.recorded_spans import parent_of, recorded


@pytest.fixture(autouse=True)
def logs_of_this_test_alone() -> Generator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


STEP = f"00-{'1' * 32}-{'a' * 16}-01"


def client() -> httpx.AsyncClient:
    app = FastAPI()

    @app.get("/p/{token}")
    async def page(token: str) -> str:
        structlog.get_logger("test").info("page.shown")
        return token

    @app.get("/broken")
    async def broken() -> None:
        raise ValueError("Ann does not exist")

    @app.get("/livez")
    async def livez() -> str:
        return "alive"

    transport = httpx.ASGITransport(RequestContext(app), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_a_line_of_the_log_is_found_from_the_request_and_from_the_trace(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", service="test")
    with recorded() as spans:
        async with client() as api:
            answer = await api.get("/p/secret", headers={"x-request-id": "abc-1", "traceparent": STEP})
        line = json.loads(capsys.readouterr().out)
        span = spans["GET /p/{token}"]
    assert answer.headers["x-request-id"] == "abc-1"
    assert (line["event"], line["request_id"], line["trace_id"]) == ("page.shown", "abc-1", "1" * 32)
    assert span.get_span_context() is not None
    assert line["span_id"] == f"{span.get_span_context().span_id:016x}"  # pyright: ignore[reportOptionalMemberAccess]
    assert parent_of(span) == STEP
    assert span.attributes == {
        "http.request.method": "GET", "http.route": "/p/{token}", "http.response.status_code": 200,
    }  # fmt: skip
    assert "secret" not in span.to_json()


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "näh"])
async def test_an_id_that_cannot_be_used_is_replaced(sent: str) -> None:
    async with client() as api:
        answer = await api.get("/p/1", headers={b"x-request-id": sent.encode()})
    assert len(answer.headers["x-request-id"]) == 36


async def test_without_tracing_a_line_has_the_id_of_the_request_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logs("info", service="test")
    async with client() as api:
        answer = await api.get("/p/1")
    line = json.loads(capsys.readouterr().out)
    assert line["request_id"] == answer.headers["x-request-id"]
    assert "trace_id" not in line


async def test_a_request_that_breaks_is_an_error_of_its_route() -> None:
    with recorded() as spans:
        async with client() as api:
            answer = await api.get("/broken")
        span = spans["GET /broken"]
    assert (answer.status_code, "x-request-id" in answer.headers) == (500, True)
    assert span.attributes is not None
    assert (span.attributes["http.response.status_code"], span.status.is_ok) == (500, False)
    assert "Ann" not in span.to_json()


async def test_time_is_measured_by_route_and_probes_are_not() -> None:
    def count(**labels: str) -> float:
        return REGISTRY.get_sample_value("drumbeat_http_request_seconds_count", labels) or 0.0

    before = count(method="GET", route="/p/{token}", status="2xx")
    with recorded() as spans:
        async with client() as api:
            for path in ("/p/1", "/livez", "/wp-login.php"):
                await api.get(path)
            await api.request("BREW", "/p/1")
        assert spans.all("GET /livez") == []
    assert count(method="GET", route="/p/{token}", status="2xx") == before + 1
    assert count(method="GET", route="/livez", status="2xx") == 0
    assert count(method="GET", route="none", status="4xx") >= 1
    assert count(method="_OTHER", route="none", status="4xx") + count(
        method="_OTHER", route="/p/{token}", status="4xx"
    )
