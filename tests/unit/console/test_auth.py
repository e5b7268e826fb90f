"""Signing in: a key becomes a session in a cookie, and only forms of this console count."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from fastapi import FastAPI

from services.chassis.settings import Http
from services.chassis.web import KEY_NEEDED
from services.console.auth import Cookies, local_path
from services.console.client import AsyncApiClient
from services.console.sign_in import auth_routes
from tests.unit.console.test_client import KEY, make_settings

TOKEN = "db_0123abcd~1122334455667788_tokentokentoken"
CONSOLE = "http://console.example"
PROXIED = "https://console.example"


class Apis:
    """Begins sessions, and keeps what was asked; the scheduler knows a session at its third question."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str]] = []
        self.status, self.scopes = 201, ["read"]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if (request.method, request.url.path) == ("GET", "/v1/sign-in"):
            return httpx.Response(200, json={"password": False, "key": True, "provider": None})
        key = request.headers["authorization"].removeprefix("Bearer ")
        self.calls.append((request.method, request.url.path, key))
        if request.method == "POST":
            session = {"token": TOKEN, "scopes": self.scopes, "expires_at": "2099-01-01T00:00:00Z"}
            refused = {"detail": KEY_NEEDED} if self.status == 401 else {}
            return httpx.Response(self.status, json=session | refused)
        late = request.url.port == 2 and len(self.calls) < 6
        return httpx.Response(401 if late else 200, json={})


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


def test_a_path_of_this_console_is_kept() -> None:
    assert local_path("/?account=a") == "/?account=a"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "/\n",
    ],
)
def test_any_other_target_becomes_the_first_page(target: str) -> None:
    assert local_path(target) == "/"


async def test_the_cookie_has_the_token_of_a_session_that_every_service_knows_and_never_the_key(
    console: httpx.AsyncClient, apis: Apis
) -> None:
    answer = await console.post("/sign-in", data={"key": KEY, "next": "/my-day"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/my-day")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"drumbeat_session={TOKEN};")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert KEY not in str(answer.headers) + answer.text
    assert apis.calls[0] == ("POST", "/v1/sessions", KEY)
    assert {key for _, _, key in apis.calls[1:]} == {TOKEN}
    assert len(apis.calls) >= 6, "signing in waits for a service that does not know the session yet"


async def test_behind_tls_the_cookie_is_secure_and_bound_to_the_host(console: httpx.AsyncClient) -> None:
    answer = await console.post(f"{PROXIED}/sign-in", data={"key": KEY})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"__Host-drumbeat_session={TOKEN};")
    assert {"Secure", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_a_console_whose_address_has_tls_always_sets_secure_cookies() -> None:
    settings = make_settings().model_copy(update={"console": Http(port=4, url=PROXIED)})
    request = httpx.Request("GET", CONSOLE)
    assert Cookies(settings).is_secure(request)  # pyright: ignore[reportArgumentType]
    assert not Cookies(make_settings()).is_secure(request)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://console.example:81", "Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "none"},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
async def test_a_form_of_another_site_neither_signs_in_nor_out(
    console: httpx.AsyncClient, apis: Apis, path: str, headers: dict[str, str]
) -> None:
    console.cookies.set("drumbeat_session", TOKEN)
    answer = await console.post(path, data={"key": KEY}, headers=headers)
    assert "set-cookie" not in answer.headers
    assert apis.calls == []


async def test_a_form_of_this_console_counts(console: httpx.AsyncClient) -> None:
    headers = {"Origin": CONSOLE, "Sec-Fetch-Site": "same-origin"}
    answer = await console.post("/sign-in", data={"key": KEY}, headers=headers)
    assert answer.status_code == 303


async def test_signing_out_ends_the_session_everywhere(console: httpx.AsyncClient, apis: Apis) -> None:
    console.cookies.set("drumbeat_session", TOKEN)
    answer = await console.post("/sign-out")
    assert apis.calls == [("DELETE", "/v1/sessions/0123abcd~1122334455667788", TOKEN)]
    assert 'drumbeat_session=""' in answer.headers["set-cookie"]


async def test_signing_in_ends_the_session_of_the_cookie_that_was_there_and_never_takes_it_over(
    console: httpx.AsyncClient, apis: Apis
) -> None:
    """Issue 11, session fixation: a cookie that somebody else set."""
    planted = "db_0123abcd~8877665544332211_planted"
    console.cookies.set("drumbeat_session", planted)
    answer = await console.post("/sign-in", data={"key": KEY})
    assert answer.headers["set-cookie"].startswith(f"drumbeat_session={TOKEN};")
    assert apis.calls[-1] == ("DELETE", "/v1/sessions/0123abcd~8877665544332211", planted)


@pytest.mark.parametrize("value", [KEY, "", "db_x", "no session", "x" * 300])
async def test_a_cookie_that_is_no_session_signs_nobody_in(console: httpx.AsyncClient, value: str) -> None:
    answer = await console.get("/sign-in", headers={"cookie": f"drumbeat_session={value}"})
    assert answer.status_code == 200
    assert "API key" in answer.text


async def test_the_cookie_of_an_earlier_version_is_deleted_with_a_message(console: httpx.AsyncClient) -> None:
    answer = await console.get("/sign-in", headers={"cookie": f"drumbeat_key={KEY}"})
    assert "Your session has ended" in answer.text
    assert 'drumbeat_key=""' in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("status", "scopes", "expected"),
    [
        (401, [], "This key is not valid"),
        (503, [], "Nobody can sign in"),
        (201, ["signals"], "lacks the scope"),
    ],
)
async def test_a_key_that_cannot_sign_in_is_told_why(
    console: httpx.AsyncClient, apis: Apis, status: int, scopes: list[str], expected: str
) -> None:
    apis.status, apis.scopes = status, scopes
    answer = await console.post("/sign-in", data={"key": KEY})
    assert expected in answer.text
    assert "set-cookie" not in answer.headers
    assert KEY not in answer.text


async def test_the_token_of_a_session_is_no_key_to_sign_in_with(
    console: httpx.AsyncClient, apis: Apis
) -> None:
    answer = await console.post("/sign-in", data={"key": TOKEN})
    assert "not an API key" in answer.text
    assert apis.calls == []
