"""API keys and scopes: what needs a key, what a scope allows, and that a secret is shown once."""

from typing import Any

import asyncpg
import httpx
import pytest

from services.chassis.database import database_url
from services.chassis.migrations import DATABASES
from tests.integration.rules_engine.conftest import Engine, problem_of
from tests.stack import KEY, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(120),
    pytest.mark.asyncio(loop_scope="module"),
]

CALLS = [
    ("POST", "/v1/events"),
    ("GET", "/v1/events?source=a&id=b"),
    ("GET", "/v1/accounts"),
    ("GET", "/v1/accounts/acme"),
    ("GET", "/v1/accounts/acme/decisions"),
    ("DELETE", "/v1/accounts/acme"),
    ("DELETE", "/v1/accounts/acme/contacts/ann"),
    ("GET", "/v1/mode"),
    ("PUT", "/v1/mode"),
    ("GET", "/v1/parked"),
    ("POST", "/v1/parked/1/replay"),
    ("GET", "/v1/dead-letters"),
    ("POST", "/v1/dead-letters/1/replay"),
    ("GET", "/v1/policies"),
    ("GET", "/v1/policies/x"),
    ("GET", "/v1/policies/current"),
    ("PUT", "/v1/policies/current"),
    ("GET", "/v1/policies/progress"),
    ("POST", "/v1/policies/validate"),
    ("POST", "/v1/policies/rollback"),
    ("GET", "/v1/programs"),
    ("GET", "/v1/keys"),
    ("POST", "/v1/keys"),
    ("DELETE", "/v1/keys/x"),
    ("GET", "/v1/clock"),
]


async def make(running: Engine, *scopes: str, **more: Any) -> dict[str, Any]:
    answer = await running.request(
        "POST", "/v1/keys", json={"name": "for a test", "scopes": [*scopes], **more}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def knock(running: Engine, key: str, method: str, path: str) -> httpx.Response:
    return await running.request(method, path, headers={"authorization": f"Bearer {key}"})


async def until_answered(
    running: Engine, key: str, status: int, path: str = "/v1/accounts"
) -> httpx.Response:
    async def answered() -> httpx.Response | None:
        answer = await knock(running, key, "GET", path)
        return answer if answer.status_code == status else None

    return await until(answered, 15, f"{status} at {path}")


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_every_call_needs_a_valid_key(running: Engine, method: str, path: str) -> None:
    secret = KEY.rsplit("_", 1)[1]
    wrong = ("", "Bearer", f"Basic {KEY}", "Bearer nonsense", "Bearer db_0123abcd_wrong", f"Bearer {secret}")
    async with httpx.AsyncClient(base_url=running.url) as stranger:
        answers = [await stranger.request(method, path)]
        answers += [await stranger.request(method, path, headers={"authorization": value}) for value in wrong]
        answers.append(
            await stranger.request(method, path, headers=[(b"authorization", "Bearer db_ü_ü".encode())])
        )
    for answer in answers:
        problem_of(answer, 401)
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_health_metrics_and_openapi_need_no_key(running: Engine) -> None:
    async with httpx.AsyncClient(base_url=running.url) as stranger:
        for path in ("/livez", "/readyz", "/metrics", "/openapi.json"):
            assert (await stranger.get(path)).status_code == 200, path


async def test_unknown_paths_and_methods_return_a_problem(running: Engine) -> None:
    assert "/nowhere" in problem_of(await running.request("GET", "/nowhere"), 404)["detail"]
    answer = await running.request("PUT", "/v1/events")
    assert "PUT" in problem_of(answer, 405)["detail"]
    assert "allow" in answer.headers


async def test_a_key_does_what_its_scopes_say_and_no_more(running: Engine) -> None:
    key = (await make(running, "read"))["key"]
    await until_answered(running, key, 200)
    for method, path in (("POST", "/v1/events"), ("GET", "/v1/keys"), ("POST", "/v1/dead-letters/1/replay")):
        assert "scope" in problem_of(await knock(running, key, method, path), 403)["detail"]
    sender = (await make(running, "events"))["key"]
    await until_answered(running, sender, 403)
    sent = await running.make_event("health.scored", "sent-by-key", {"score": 3})
    answer = await running.request(
        "POST",
        "/v1/events",
        json=sent,
        headers={"authorization": f"bearer {sender}", "content-type": "application/cloudevents+json"},
    )
    assert answer.status_code == 202, answer.text


async def test_a_revoked_key_is_refused(running: Engine) -> None:
    made = await make(running, "admin")
    await until_answered(running, made["key"], 200)
    answer = await running.request("DELETE", f"/v1/keys/{made['key_id']}")
    assert answer.status_code == 200, answer.text
    problem_of(await until_answered(running, made["key"], 401), 401)
    problem_of(await running.request("DELETE", f"/v1/keys/{made['key_id']}"), 404)


async def test_an_expired_key_is_refused(running: Engine) -> None:
    made = await make(running, "read", days=1)
    await until_answered(running, made["key"], 200)
    connection = await asyncpg.connect(database_url(running.stack.postgres.url, DATABASES["rules_engine"]))
    await connection.execute(
        "UPDATE api_key SET expires_at = clock_timestamp() - interval '1 s' WHERE key_id = $1", made["key_id"]
    )
    await connection.close()
    problem_of(await until_answered(running, made["key"], 401), 401)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"name": "", "scopes": ["read"]}',
        b'{"name": "x", "scopes": []}',
        b'{"name": "x", "scopes": ["all"]}',
        b'{"name": "x", "scopes": ["read"], "days": 0}',
        b'{"name": "x", "scopes": ["read"], "days": 100000}',
        b'{"name": "x", "scopes": ["read"], "days": NaN}',
        b'{"name": "\\u0000", "scopes": ["read"]}',
        b'{"name": "\\ud800", "scopes": ["read"]}',
        b'{"\\ud800": 1}',
        b'{"name": "x", "scopes": ["read"], "more": 1}',
    ],
)
async def test_an_invalid_key_request_is_refused(running: Engine, body: bytes) -> None:
    answer = await running.request(
        "POST", "/v1/keys", content=body, headers={"content-type": "application/json"}
    )
    problem_of(answer, 422)


async def test_no_secret_is_in_a_list_a_response_or_a_log(running: Engine) -> None:
    made = await make(running, "read")
    await until_answered(running, made["key"], 200)
    await knock(running, made["key"], "GET", "/v1/keys")
    secret = made["key"].split("_", 2)[2]
    listed = await running.get("/v1/keys")
    mine = next(item for item in listed["items"] if item["key_id"] == made["key_id"])
    assert mine == {
        "key_id": made["key_id"],
        "scopes": ["read"],
        "expires_at": None,
        "revoked": False,
        "name": "for a test",
    }
    connection = await asyncpg.connect(database_url(running.stack.postgres.url, DATABASES["rules_engine"]))
    rows = await connection.fetch("SELECT api_key::text FROM api_key")
    await connection.close()
    texts = [str(listed), running.stack.processes["rules_engine"].log.read_text(), *(row[0] for row in rows)]
    for text in texts:
        assert secret not in text
        assert KEY.split("_", 2)[2] not in text
