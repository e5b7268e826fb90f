"""Users: who may do what, passwords, sign-in at a real OIDC provider, sessions that end, keys that are rotated."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio

from services.chassis.database import database_url
from services.chassis.schema_versions import DATABASES
from services.rules_engine.domain.sign_in_throttle import FREE_ATTEMPTS
from tests.integration.rules_engine.conftest import Engine, engine, problem_of
from tests.node import running_script
from tests.stack import free_port, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]
CONSOLE: Final = "http://127.0.0.1:1"
CLIENT: Final = {"id": "drumbeat", "secret": "not-a-secret: only of this test"}
PASSWORD: Final = "seven green herons wade"
ACCOUNTS: Final[dict[str, dict[str, object]]] = {
    "kim": {
        "name": "Kim Okafor",
        "email": "Kim@Northwind.example",
        "email_verified": True,
        "groups": ["cs", "leads"],
    },
    "rob": {"name": "Rob", "email": "rob@northwind.example", "email_verified": False, "groups": ["cs"]},
    "eve": {"name": "Eve", "email": "eve@elsewhere.example", "email_verified": True, "groups": ["cs"]},
    "ned": {"name": "Ned", "email": "ned@northwind.example", "email_verified": True, "groups": ["sales"]},
    "lea": {"name": "Lea", "email": "lea@northwind.example", "email_verified": True, "groups": ["cs"]},
    "slow": {"name": "Slow", "email": "slow@northwind.example", "email_verified": True, "groups": ["cs"]},
}


@dataclass(frozen=True)
class People:
    """A rules engine with an OIDC provider; calls without a key."""

    running: Engine
    stranger: httpx.AsyncClient
    issuer: str

    async def begin(self) -> dict[str, str]:
        """`url` and `flow` of a sign-in at the provider."""
        answer = await self.stranger.post("/v1/sign-in/provider")
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def visit(self, url: str, login: str) -> dict[str, str]:
        """What the provider sends back through the browser after this person has signed in there."""
        async with httpx.AsyncClient() as browser:
            address = f"{url}&login_hint={login}"
            while not address.startswith(CONSOLE):
                answer = await browser.get(address)
                assert answer.status_code == 303, answer.text
                address = str(httpx.URL(self.issuer).join(answer.headers["location"]))
        query = parse_qs(urlsplit(address).query)
        return {
            name: values[0] for name, values in query.items() if name in ("code", "state", "iss", "error")
        }

    async def finish(self, flow: str, answer: dict[str, str]) -> httpx.Response:
        return await self.stranger.post("/v1/sign-in/provider/finish", json={"flow": flow, **answer})

    async def sign_in_at_provider(self, login: str) -> httpx.Response:
        begun = await self.begin()
        return await self.finish(begun["flow"], await self.visit(begun["url"], login))

    async def sign_in(self, login: str, password: str = PASSWORD) -> httpx.Response:
        body = {"login": login, "password": password}
        return await self.stranger.post("/v1/sign-in/password", json=body)

    async def add(self, login: str, role: str, **more: object) -> dict[str, Any]:
        body = {"login": login, "role": role, "password": PASSWORD, **more}
        answer = await self.running.request("POST", "/v1/users", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def call(self, token: str, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.stranger.request(method, path, headers={"authorization": f"Bearer {token}"}, **more)

    async def entries(self, **query: object) -> list[dict[str, Any]]:
        return (await self.running.get("/v1/audit", **query))["items"]

    async def execute(self, statement: str, *values: object) -> None:
        connection = await asyncpg.connect(
            database_url(self.running.stack.postgres.url, DATABASES["rules_engine"])
        )
        try:
            await connection.execute(statement, *values)
        finally:
            await connection.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[People]:
    port = free_port()
    secret = tmp_path_factory.mktemp("oidc") / "secret"
    secret.write_text(CLIENT["secret"])
    configured = {
        "port": port,
        "client": CLIENT,
        "redirectUri": f"{CONSOLE}/sign-in/callback",
        "accounts": ACCOUNTS,
    }
    with running_script("oidc_provider.js", json.dumps(configured)) as issuer:
        settings = {
            "DRUMBEAT_CONSOLE__URL": CONSOLE,
            "DRUMBEAT_OIDC__ISSUER": issuer,
            "DRUMBEAT_OIDC__NAME": "Northwind",
            "DRUMBEAT_OIDC__CLIENT_ID": CLIENT["id"],
            "DRUMBEAT_OIDC__CLIENT_SECRET_FILE": str(secret),
            "DRUMBEAT_OIDC__ROLES": '{"cs": "csm", "leads": "manager"}',
            "DRUMBEAT_OIDC__ALLOWED_DOMAINS": "northwind.example",
        }
        async with (
            engine(settings=settings) as running,
            httpx.AsyncClient(base_url=running.url, timeout=60) as stranger,
        ):
            yield People(running, stranger, issuer)


async def test_a_user_signs_in_with_a_password_and_does_what_the_role_allows(people: People) -> None:
    ways = (await people.stranger.get("/v1/sign-in")).json()
    assert ways == {"password": False, "key": True, "provider": {"name": "Northwind"}}
    user = await people.add("Ann.Lee", "csm", name="Ann Lee", email="ann@northwind.example")
    assert (user["login"], user["state"], user["scopes"]) == ("ann.lee", "active", ["act", "read"])
    assert (await people.stranger.get("/v1/sign-in")).json()["password"]

    begun = (await people.sign_in(" ANN.lee ")).json()
    current = (await people.call(begun["token"], "GET", "/v1/sessions/current")).json()
    shown = {name: user[name] for name in ("user_id", "login", "name", "email", "role")}
    assert current["user"] == shown
    assert current["scopes"] == ["act", "read"]
    assert (await people.call(begun["token"], "GET", "/v1/accounts")).status_code == 200
    problem_of(await people.call(begun["token"], "GET", "/v1/users"), 403)
    by_address = await people.sign_in("ann@northwind.example")
    assert by_address.status_code == 201, by_address.text

    found = await until(
        lambda: people.entries(actor="ann lee", action="session.began"), 30, "the sign-in in the log"
    )
    assert {(entry["actor_name"], entry["after"]["by"]) for entry in found} == {("Ann Lee", "password")}
    added = await people.entries(object=f"user/{user['user_id']}")
    assert [entry["action"] for entry in added] == ["user.added"]
    assert "northwind" not in json.dumps({**added[0], "object_name": ""}), "the log has no address"


async def test_a_user_who_is_disabled_or_has_another_role_loses_the_sessions(people: People) -> None:
    await people.add("bob", "ops")
    first = (await people.sign_in("bob")).json()["token"]
    assert (
        await people.running.request("PUT", "/v1/users/bob/role", json={"role": "csm"})
    ).status_code == 200
    await _until_refused(people, first)
    second = (await people.sign_in("bob")).json()["token"]
    problem_of(await people.call(second, "POST", "/v1/policies/validate", json={}), 403)
    assert (await people.running.request("POST", "/v1/users/bob/disable")).json()["state"] == "disabled"
    await _until_refused(people, second)
    disabled = problem_of(await people.sign_in("bob"), 401)["detail"]
    assert disabled == problem_of(await people.sign_in("nobody-here"), 401)["detail"], (
        "it does not tell who exists"
    )
    assert (await people.running.request("POST", "/v1/users/bob/enable")).status_code == 200
    assert (await people.sign_in("bob")).status_code == 201


async def test_a_password_is_changed_by_its_user_and_other_sessions_end(people: People) -> None:
    await people.add("cleo", "csm")
    other, own = [(await people.sign_in("cleo")).json()["token"] for _ in range(2)]
    body = {"current_password": "wrong wrong wrong", "password": "nine brown otters swim"}
    problem_of(await people.call(own, "PUT", "/v1/users/me/password", json=body), 422)
    body["current_password"] = PASSWORD
    weak = await people.call(own, "PUT", "/v1/users/me/password", json={**body, "password": "cleo cleo cleo"})
    assert "name" in problem_of(weak, 422)["detail"]
    assert (await people.call(own, "PUT", "/v1/users/me/password", json=body)).status_code == 200
    await _until_refused(people, other)
    assert (await people.call(own, "GET", "/v1/accounts")).status_code == 200
    problem_of(await people.sign_in("cleo"), 401)
    assert (await people.sign_in("cleo", body["password"])).status_code == 201


async def test_attempts_are_throttled_for_known_and_unknown_names_alike(people: People) -> None:
    await people.add("dora", "csm")
    for login in ("dora", "no-such-dora"):
        for _ in range(FREE_ATTEMPTS):
            problem_of(await people.sign_in(login, "wrong wrong wrong"), 401)
        refused = await people.sign_in(login, PASSWORD)
        assert "Too many attempts" in problem_of(refused, 429)["detail"]
        assert int(refused.headers["retry-after"]) >= 1
    await people.execute("UPDATE sign_in_attempt SET next_at = clock_timestamp()")
    assert (await people.sign_in("dora")).status_code == 201, "a right password is taken after the pause"
    assert (await people.sign_in("dora")).status_code == 201, "and forgets the attempts"


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        ({"login": "fay", "role": "boss"}, 422, "role"),
        ({"login": "f", "role": "csm"}, 422, "login"),
        ({"login": "u0123abcd", "role": "csm"}, 422, "id of a user"),
        ({"login": "fay", "role": "csm", "password": "short"}, 422, "12 to 200"),
        ({"login": "fay", "role": "csm", "email": "nowhere"}, 422, "email"),
        ({"login": "ann.lee", "role": "csm"}, 409, "ann.lee"),
        ({"login": "fay", "role": "csm", "email": "ANN@northwind.example"}, 409, "ann@"),
    ],
)
async def test_a_user_who_cannot_be_is_refused(
    people: People, body: dict[str, object], status: int, named: str
) -> None:
    answer = await people.running.request("POST", "/v1/users", json=body)
    assert named in json.dumps(problem_of(answer, status))
    for method, path in (("PUT", "role"), ("POST", "disable")):
        problem_of(
            await people.running.request(method, f"/v1/users/no-one/{path}", json={"role": "csm"}), 404
        )


async def test_somebody_of_the_provider_is_made_a_user_with_the_highest_role_of_the_claim(
    people: People,
) -> None:
    answer = await people.sign_in_at_provider("kim")
    assert answer.status_code == 201, answer.text
    current = (await people.call(answer.json()["token"], "GET", "/v1/sessions/current")).json()
    user = current["user"]
    assert (user["name"], user["email"], user["role"]) == ("Kim Okafor", "kim@northwind.example", "manager")
    assert "consent" in current["scopes"]
    again = (await people.sign_in_at_provider("kim")).json()
    assert again["key_id"] == user["user_id"], "the same user"
    await people.running.request("POST", f"/v1/users/{user['user_id']}/disable")
    assert "disabled" in problem_of(await people.sign_in_at_provider("kim"), 401)["detail"]
    await people.running.request("POST", f"/v1/users/{user['user_id']}/enable")


async def test_a_local_user_is_linked_by_the_verified_address(people: People) -> None:
    user = await people.add("lea.local", "admin", email="lea@northwind.example")
    answer = await people.sign_in_at_provider("lea")
    assert answer.json()["key_id"] == user["user_id"]
    assert answer.json()["scopes"] == ["act", "read"], "the role is the provider's"
    linked = next(
        each for each in (await people.running.get("/v1/users"))["items"] if each["login"] == "lea.local"
    )
    assert (linked["issuer"], linked["role"], linked["has_password"]) == (people.issuer, "csm", True)


async def test_a_code_that_has_expired_signs_nobody_in(people: People) -> None:
    begun = await people.begin()
    answer = await people.visit(begun["url"], "slow")
    await asyncio.sleep(2.5)  # the provider's code for this person is valid for a second
    assert "expired" in problem_of(await people.finish(begun["flow"], answer), 401)["detail"]


@pytest.mark.parametrize(
    ("login", "sentence"),
    [
        ("rob", "has not verified the address"),
        ("eve", "elsewhere.example may not sign in"),
        ("ned", "gives you no role"),
        ("who", "access_denied"),
    ],
)
async def test_whom_the_provider_does_not_vouch_for_is_refused(
    people: People, login: str, sentence: str
) -> None:
    assert sentence in problem_of(await people.sign_in_at_provider(login), 401)["detail"]


async def test_an_answer_counts_once_for_the_browser_that_asked(people: People) -> None:
    begun, other = await people.begin(), await people.begin()
    answer = await people.visit(begun["url"], "kim")
    for flow, changed, sentence in (
        (other["flow"], answer, "another sign-in"),
        ("", answer, "No sign-in is under way"),
        (begun["flow"][:-4] + "AAAA", answer, "No sign-in is under way"),
        (begun["flow"], {**answer, "state": "x"}, "another sign-in"),
        (begun["flow"], {**answer, "iss": "https://evil.example"}, "another identity provider"),
    ):
        assert sentence in problem_of(await people.finish(flow, changed), 401)["detail"]
    assert (await people.finish(begun["flow"], answer)).status_code == 201
    assert "used already" in problem_of(await people.finish(begun["flow"], answer), 401)["detail"]


async def test_a_token_with_the_nonce_of_another_sign_in_is_refused(people: People) -> None:
    begun, other = await people.begin(), await people.begin()
    nonce = parse_qs(urlsplit(other["url"]).query)["nonce"][0]
    url = str(httpx.URL(begun["url"]).copy_set_param("nonce", nonce))
    answer = await people.finish(begun["flow"], await people.visit(url, "kim"))
    assert "belongs to another sign-in" in problem_of(answer, 401)["detail"]


async def test_a_code_with_the_challenge_of_another_sign_in_is_refused(people: People) -> None:
    begun, other = await people.begin(), await people.begin()
    challenge = parse_qs(urlsplit(other["url"]).query)["code_challenge"][0]
    url = str(httpx.URL(begun["url"]).copy_set_param("code_challenge", challenge))
    answer = await people.finish(begun["flow"], await people.visit(url, "kim"))
    assert "expired, or was used already" in problem_of(answer, 401)["detail"]


async def test_an_erased_user_is_gone_with_their_sessions_but_for_the_id_in_the_log(people: People) -> None:
    user = await people.add("eve", "csm")
    token = (await people.sign_in("eve")).json()["token"]
    path = f"/v1/users/{user['user_id']}"
    assert (await people.running.request("DELETE", path)).status_code == 204
    await until(lambda: _is_answered(people, token, 401), 30, "the session has ended")
    assert (await people.sign_in("eve")).status_code == 401
    assert "eve" not in [each["login"] for each in (await people.running.get("/v1/users"))["items"]]
    problem_of(await people.running.request("DELETE", path), 404)
    found = await until(
        lambda: people.entries(object=f"user/{user['user_id']}", action="user.erased"), 30, "its entry"
    )
    assert "eve" not in str(found)


async def test_a_key_is_rotated_with_both_valid_until_the_former_one_ends(people: People) -> None:
    made = (await people.running.request("POST", "/v1/keys", json={"name": "crm", "scopes": ["read"]})).json()
    path = f"/v1/keys/{made['key_id']}/rotate"
    rotated = (await people.running.request("POST", path, json={"overlap_hours": 2, "days": 30})).json()
    assert (rotated["name"], rotated["scopes"]) == ("crm", ["read"])
    assert rotated["replaces"]["key_id"] == made["key_id"]
    for key in (made["key"], rotated["key"]):
        await until(lambda key=key: _is_answered(people, key, 200), 30, "both keys are valid")
    assert "rotated already" in problem_of(await people.running.request("POST", path, json={}), 409)["detail"]
    again = f"/v1/keys/{rotated['key_id']}/rotate"
    third = problem_of(await people.running.request("POST", again, json={"days": 30}), 409)["detail"]
    assert f"The key {made['key_id']}, which {rotated['key_id']} replaces, is still valid" in third
    over = "UPDATE api_key SET expires_at = clock_timestamp() - interval '1 s' WHERE key_id = $1"
    await people.execute(over, made["key_id"])
    await until(lambda: _is_answered(people, made["key"], 401), 30, "the former key has expired")
    assert "`days`" in problem_of(await people.running.request("POST", again, json={}), 409)["detail"]
    sentence = problem_of(await people.call(made["key"], "GET", "/v1/accounts"), 401)["detail"]
    assert f"The key {made['key_id']} expired at" in sentence
    assert (await people.call(rotated["key"], "GET", "/v1/accounts")).status_code == 200


async def test_when_a_key_and_a_user_were_last_active_is_known_within_minutes(people: People) -> None:
    """A sign-in counts at once; calls, also of the key in the test above, are reported once a minute."""
    user = await people.add("gus", "csm")
    assert user["last_used_at"] is None
    token = (await people.sign_in("gus")).json()["token"]

    async def last_used_at() -> datetime:
        found = (await people.running.get("/v1/users"))["items"]
        return datetime.fromisoformat(next(each for each in found if each["login"] == "gus")["last_used_at"])

    signed_in_at = await last_used_at()

    async def seen() -> bool:
        assert (await people.call(token, "GET", "/v1/accounts")).status_code == 200
        keys = (await people.running.get("/v1/keys"))["items"]
        crm = [key for key in keys if key["name"] == "crm" and key["last_used_at"]]
        return bool(crm) and await last_used_at() > signed_in_at

    await until(seen, 150, "the report of uses")
    assert (await people.running.get("/v1/audit/verify"))["problem"] is None


async def test_no_password_is_in_a_log_or_in_the_database(people: People) -> None:
    log = people.running.stack.processes["rules_engine"].log.read_text()
    dump = await _dump(people)
    for secret in (PASSWORD, "nine brown otters swim", CLIENT["secret"]):
        assert secret not in log
        assert secret not in dump
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in dump


async def _dump(people: People) -> str:
    connection = await asyncpg.connect(
        database_url(people.running.stack.postgres.url, DATABASES["rules_engine"])
    )
    try:
        rows = [
            row
            for table in ("console_user", "audit_entry", "outbox")
            for row in await connection.fetch(f"SELECT t::text FROM {table} AS t")
        ]
    finally:
        await connection.close()
    return "\n".join(row[0] for row in rows)


async def _is_answered(people: People, key: str, status: int) -> bool:
    return (await people.call(key, "GET", "/v1/accounts")).status_code == status


async def _until_refused(people: People, token: str) -> None:
    await until(lambda: _is_answered(people, token, 401), 30, "the session has ended")
