"""Addresses of no page: a browser gets a page in our layout with a way on, a program a problem document."""

import re
from collections.abc import AsyncGenerator, Iterator
from itertools import chain

import httpx
import pytest
from fastapi.routing import APIRoute

from services.chassis.clock import service_clock
from services.chassis.settings import Clock
from services.console.web import make_console
from tests.unit.console.test_client import make_settings

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
async def visitor() -> AsyncGenerator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make_console(make_settings(), service_clock(Clock())))
    async with httpx.AsyncClient(transport=transport, base_url="http://console.example") as client:
        yield client


@pytest.mark.parametrize("path", ["/nowhere", "/policy/draft", "/a/b/c", "/%3Cscript%3E"])
async def test_a_browser_gets_our_own_page_with_a_way_on(visitor: httpx.AsyncClient, path: str) -> None:
    answer = await visitor.get(path, headers=BROWSER)
    assert answer.status_code in (404, 405)
    assert answer.headers["content-type"].startswith("text/html")
    assert "This page does not exist" in answer.text
    assert '<a href="/">Today</a>' in answer.text
    assert "<script>" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/nowhere", "/v1/nowhere"])
async def test_a_program_gets_a_problem_document(visitor: httpx.AsyncClient, path: str) -> None:
    answer = await visitor.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_page_of_the_console_leads_to_the_sign_in_page_and_back(visitor: httpx.AsyncClient) -> None:
    answer = await visitor.get("/sessions?a=1", headers=BROWSER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fsessions%3Fa%3D1")


def changing_routes() -> Iterator[tuple[str, str]]:
    """What a page may change, with `x` for each part of a path that varies; the API asks for a key instead."""
    app = make_console(make_settings(), service_clock(Clock()))
    routers = [getattr(route, "original_router", None) for route in app.routes]
    for route in chain(app.routes, *(router.routes for router in routers if router is not None)):
        if isinstance(route, APIRoute) and not route.path.startswith("/v1/"):
            for method in sorted(set[str](route.methods or ()) - {"GET", "HEAD"}):
                yield method, re.sub(r"{[^}]+}", "x", route.path)


CHANGES = sorted(changing_routes())


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "https://console.example.evil.example"},
        {"Origin": "http://console.example:81"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://console.example"},
        {"Origin": "null"},
    ],
)
async def test_a_form_of_another_site_changes_nothing_wherever_it_is_sent(
    visitor: httpx.AsyncClient, foreign: dict[str, str]
) -> None:
    """Issue 11: every route of the console that changes something; no service is asked (none runs here)."""
    visitor.cookies.set("drumbeat_session", "db_0123abcd~1122334455667788_token")
    assert len(CHANGES) >= 10
    for method, path in CHANGES:
        answer = await visitor.request(method, path, data={"session": "x", "act": "done"}, headers=foreign)
        assert "set-cookie" not in answer.headers, (method, path)
        signs = path in ("/sign-in", "/sign-out")
        assert signs or answer.status_code == 403, (method, path, answer.status_code)


async def test_whoever_has_no_session_changes_nothing_and_is_led_to_the_sign_in_page(
    visitor: httpx.AsyncClient,
) -> None:
    for method, path in CHANGES:
        if path not in ("/sign-in", "/sign-out"):
            answer = await visitor.request(method, path, data={"act": "done"})
            assert (answer.status_code, answer.headers.get("location")) == (303, "/sign-in?next=%2F"), path
