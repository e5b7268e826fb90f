"""Signing in by password and at the identity provider."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from services.console.auth import Cookies
from services.console.client import AsyncApiClient
from services.console.sign_in import auth_routes
from tests.unit.console.test_client import make_settings

TOKEN = "db_u0123abc~1122334455667788_tokentokentoken"
CONSOLE = "http://console.example"
PROVIDER = "https://login.example/authorize?state=s"
REFUSED = "This name and password do not belong together, or the user is disabled."


class Apis:
    """The rules engine: what it was asked, and what it answers to it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str | None, Any]] = []
        self.ways: dict[str, object] = {"password": True, "key": True, "provider": {"name": "Northwind"}}
        self.refusal = ""
        self.is_away = False
        session: dict[str, object] = {
            "token": TOKEN,
            "key_id": "u0123abcd",
            "scopes": ["read"],
            "expires_at": "2099-01-01T00:00:00Z",
        }
        self.answers: dict[str, dict[str, object]] = {
            "/v1/sign-in/password": session,
            "/v1/sign-in/provider/finish": session,
            "/v1/sign-in/provider": {"url": PROVIDER, "flow": "sealed-flow="},
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if self.is_away:
            raise httpx.ReadTimeout("busy", request=request)
        if path == "/v1/sign-in":
            return httpx.Response(200, json=self.ways)
        if path not in self.answers:
            return httpx.Response(200, json={})
        body = orjson.loads(request.content) if request.content else None
        self.calls.append((path, request.headers.get("authorization"), body))
        if self.refusal:
            return httpx.Response(401, json={"detail": self.refusal})
        return httpx.Response(201, json=self.answers[path])


@pytest.fixture
def apis() -> Apis:
    return Apis()


@pytest.fixture
async def console(apis: Apis) -> AsyncGenerator[httpx.AsyncClient]:
    settings = make_settings()
    app = FastAPI()
    client = AsyncApiClient(settings, httpx.MockTransport(apis))
    app.include_router(auth_routes(client, Cookies(settings), "api-key"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=CONSOLE) as visitor:
        yield visitor
    await client.close()


async def test_a_name_and_a_password_open_a_session_without_any_key(
    console: httpx.AsyncClient, apis: Apis
) -> None:
    console.cookies.set("drumbeat_person", "csm-of-somebody-else")
    form = {"login": "kim", "password": "seven green herons wade", "next": "/drafts"}
    answer = await console.post("/sign-in", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/drafts")
    cookies = answer.headers.get_list("set-cookie")
    assert any(
        cookie.startswith(f"drumbeat_session={TOKEN};") and "SameSite=strict" in cookie for cookie in cookies
    )
    assert any(cookie.startswith('drumbeat_person="";') for cookie in cookies), "nobody is somebody else"
    ((path, key, body),) = apis.calls
    assert (path, key) == ("/v1/sign-in/password", None)
    assert body == {"login": "kim", "password": form["password"], "client": body["client"]}


async def test_a_refusal_keeps_the_name_and_never_the_password(
    console: httpx.AsyncClient, apis: Apis
) -> None:
    apis.refusal = REFUSED
    answer = await console.post("/sign-in", data={"login": "<kim>", "password": "seven green herons"})
    assert REFUSED in answer.text
    assert 'value="&lt;kim&gt;"' in answer.text
    assert "herons" not in answer.text
    assert "set-cookie" not in answer.headers


async def test_the_page_has_the_ways_that_are_there(console: httpx.AsyncClient, apis: Apis) -> None:
    everything = (await console.get("/sign-in", params={"next": "/my-day"})).text
    assert "Sign in with Northwind" in everything
    assert 'href="/sign-in/provider?next=/my-day"' in everything
    assert 'name="password"' in everything
    assert 'name="key"' in everything
    apis.ways = {"password": True, "key": False, "provider": None}
    less = (await console.get("/sign-in")).text
    assert 'name="key"' not in less
    assert "/sign-in/provider" not in less
    apis.ways = {"password": False, "key": False, "provider": None}
    assert "drumbeat users add" in (await console.get("/sign-in")).text


async def test_while_the_rules_engine_is_away_the_page_keeps_its_ways_or_says_that_some_may_be_missing(
    console: httpx.AsyncClient, apis: Apis
) -> None:
    apis.is_away = True
    unknown = (await console.get("/sign-in")).text
    assert "may lack ways to sign in" in unknown
    assert 'name="key"' in unknown
    apis.is_away = False
    await console.get("/sign-in")
    apis.is_away = True
    known = (await console.get("/sign-in")).text
    assert "may lack" not in known
    assert "Sign in with Northwind" in known
    assert 'name="password"' in known


async def test_the_way_over_the_provider_ends_in_a_session_and_a_page_that_goes_on(
    console: httpx.AsyncClient, apis: Apis
) -> None:
    away = await console.get("/sign-in/provider", params={"next": "/my-day?x=1"})
    assert (away.status_code, away.headers["location"]) == (303, PROVIDER)
    flow = away.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=lax", "Path=/sign-in", "Max-Age=600"} <= set(flow.split("; "))

    back = await console.get(
        "/sign-in/callback", params={"state": "s", "code": "c", "iss": "https://login.example"}
    )
    assert back.status_code == 200, "a redirect would not bring the strict cookie"
    assert 'content="0; url=/my-day?x=1"' in back.text
    path, key, body = apis.calls[-1]
    assert (path, key) == ("/v1/sign-in/provider/finish", None)
    assert {name: body[name] for name in ("flow", "state", "code", "error", "iss")} == {
        "flow": "sealed-flow=", "state": "s", "code": "c", "error": "", "iss": "https://login.example",
    }  # fmt: skip
    cookies = back.headers.get_list("set-cookie")
    assert any(cookie.startswith(f"drumbeat_session={TOKEN};") for cookie in cookies)
    assert any(cookie.startswith('drumbeat_sign_in="";') for cookie in cookies), "an answer counts once"


async def test_an_answer_that_is_refused_signs_nobody_in(console: httpx.AsyncClient, apis: Apis) -> None:
    apis.refusal = "No sign-in is under way in this browser. Begin again."
    answer = await console.get("/sign-in/callback", params={"state": "s", "code": "planted"})
    assert apis.refusal in answer.text
    assert TOKEN not in str(answer.headers)
    assert apis.calls[-1][2]["flow"] == ""


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example"])
async def test_the_way_over_the_provider_leads_to_this_console_only(
    console: httpx.AsyncClient, target: str
) -> None:
    await console.get("/sign-in/provider", params={"next": target})
    answer = await console.get("/sign-in/callback", params={"state": "s", "code": "c"})
    assert "evil" not in answer.text
    assert 'content="0; url=/"' in answer.text
