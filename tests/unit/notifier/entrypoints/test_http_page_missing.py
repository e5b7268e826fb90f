"""A person who follows a broken link gets a page with a way on, in the language of the browser."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from services.notifier.main import openapi_app


@pytest.fixture
async def visitor() -> AsyncGenerator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(openapi_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://links.example") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/p", "/p/", "/a/", "/a/x/y", "/v1/unsubscribe/a/b", "/wp-login.php"])
async def test_a_broken_link_leads_to_our_own_page(visitor: httpx.AsyncClient, path: str) -> None:
    answer = await visitor.get(path, headers={"accept": "text/html", "accept-language": "de-DE,de;q=0.9"})
    assert answer.status_code == 404
    assert '<html lang="de"' in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_a_program_gets_a_problem_document(visitor: httpx.AsyncClient) -> None:
    for path, headers in (("/nowhere", {}), ("/v1/nowhere", {"accept": "text/html"})):
        answer = await visitor.get(path, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
