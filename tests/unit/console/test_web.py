"""Addresses of no page: a browser gets a page in our layout with a way on, a program a problem document."""

from collections.abc import AsyncGenerator

import httpx
import pytest

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


async def test_a_form_of_another_site_changes_nothing(visitor: httpx.AsyncClient) -> None:
    visitor.cookies.set("drumbeat_session", "db_0123abcd~1122334455667788_token")
    for path in ("/sessions/end", "/unowned", "/policy/roll-back", "/my-day/person", "/touchpoints/t"):
        for foreign in (
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "null"},
        ):
            answer = await visitor.post(path, data={"session": "x", "act": "done"}, headers=foreign)
            assert (answer.status_code, "set-cookie" in answer.headers) == (403, False), (path, foreign)
