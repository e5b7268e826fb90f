"""API keys, sessions, audit log: what needs a key, what a scope allows, that secrets are shown once, who did what."""

from typing import Any

import asyncpg
import httpx
import pytest

from services.chassis.database import Database, database_url
from services.chassis.schema_versions import DATABASES
from services.rules_engine.adapters.audit_repository import AuditRepository
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
    ("GET", "/v1/audit"),
    ("GET", "/v1/audit/verify"),
    ("POST", "/v1/sessions"),
    ("GET", "/v1/sessions"),
    ("GET", "/v1/sessions/current"),
    ("DELETE", "/v1/sessions/x"),
    ("GET", "/v1/keys"),
    ("POST", "/v1/keys"),
    ("DELETE", "/v1/keys/x"),
    ("POST", "/v1/keys/x/rotate"),
    ("GET", "/v1/users"),
    ("POST", "/v1/users"),
    ("PUT", "/v1/users/x/role"),
    ("PUT", "/v1/users/me/password"),
    ("POST", "/v1/users/x/disable"),
    ("GET", "/v1/touchpoints/x/history"),
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


async def test_a_batch_beyond_the_scopes_of_a_key_is_refused_item_by_item(running: Engine) -> None:
    key = (await make(running, "signals"))["key"]
    await until_answered(running, key, 403)
    covered = await running.make_event("health.scored", "partly", {"score": 3})
    beyond = await running.make_event("account.described", "partly", {"arr": 1})
    consent = await running.make_event("preference.changed", "partly", {"contact_id": "c", "opted_in": False})
    headers = {"authorization": f"Bearer {key}", "content-type": "application/cloudevents-batch+json"}
    answer = await running.request("POST", "/v1/events", json=[covered, beyond, consent], headers=headers)
    assert answer.status_code == 207
    results = answer.json()["results"]
    assert [result["status"] for result in results] == ["accepted", "refused", "refused"]
    assert "'directory'" in results[1]["problem"]
    assert "'consent'" in results[2]["problem"]
    answer = await running.request("POST", "/v1/events", json=[beyond, consent], headers=headers)
    assert len(problem_of(answer, 403)["results"]) == 2


async def begin(running: Engine, key: str, client: str = "") -> dict[str, Any]:
    headers = {"authorization": f"Bearer {key}"}
    answer = await running.request("POST", "/v1/sessions", json={"client": client}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_session_has_the_scopes_of_its_key_and_ends_by_itself_by_its_holder_or_with_its_key(
    running: Engine,
) -> None:
    made = await make(running, "read")
    other = await make(running, "read", "act")
    for key in (made["key"], other["key"]):
        await until_answered(running, key, 200)
    first, second = await begin(running, made["key"], "Firefox"), await begin(running, made["key"])
    strange = await begin(running, other["key"])

    current = (await knock(running, first["token"], "GET", "/v1/sessions/current")).json()
    assert (current["session_id"], current["key_id"], current["client"]) == (
        first["session_id"],
        made["key_id"],
        "Firefox",
    )
    assert current["scopes"] == ["read"]
    problem_of(await knock(running, first["token"], "GET", "/v1/keys"), 403)
    answer = await running.request(
        "POST", "/v1/sessions", json={}, headers={"authorization": f"Bearer {first['token']}"}
    )
    assert "cannot begin another" in problem_of(answer, 403)["detail"]

    listed = (await knock(running, second["token"], "GET", "/v1/sessions")).json()["items"]
    assert {item["session_id"] for item in listed} == {first["session_id"], second["session_id"]}
    assert strange["session_id"] in {
        item["session_id"] for item in (await running.get("/v1/sessions"))["items"]
    }
    problem_of(await knock(running, first["token"], "DELETE", f"/v1/sessions/{strange['session_id']}"), 404)

    assert (
        await knock(running, second["token"], "DELETE", f"/v1/sessions/{first['session_id']}")
    ).status_code == 200
    problem_of(await until_answered(running, first["token"], 401), 401)
    assert (await running.request("DELETE", f"/v1/keys/{made['key_id']}")).status_code == 200
    problem_of(await until_answered(running, second["token"], 401), 401)
    assert (await knock(running, strange["token"], "GET", "/v1/accounts")).status_code == 200
    keys = {item["key_id"] for item in (await running.get("/v1/keys"))["items"]}
    assert strange["session_id"] not in keys
    problem_of(await running.request("DELETE", f"/v1/keys/{strange['session_id']}"), 404)
    stored = await fetch(
        running,
        "SELECT session::text || api_key::text FROM session JOIN api_key ON session_id = api_key.key_id",
    )
    assert not any(
        session["token"].split("_", 2)[2] in row[0] for row in stored for session in (first, second, strange)
    )


async def test_a_session_ends_with_its_hours_and_never_outlives_its_key(running: Engine) -> None:
    made = await make(running, "read", days=1)
    await until_answered(running, made["key"], 200)
    session = await begin(running, made["key"])
    assert session["expires_at"] <= made["expires_at"]
    await fetch(
        running, "UPDATE api_key SET expires_at = clock_timestamp() WHERE key_id = $1", session["session_id"]
    )
    problem_of(await until_answered(running, session["token"], 401), 401)


async def fetch(running: Engine, statement: str, *values: object) -> list[Any]:
    connection = await asyncpg.connect(database_url(running.stack.postgres.url, DATABASES["rules_engine"]))
    try:
        return await connection.fetch(statement, *values)
    finally:
        await connection.close()


async def audited(running: Engine, **query: str) -> list[dict[str, Any]]:
    async def some() -> list[dict[str, Any]] | None:
        return (await running.get("/v1/audit", **query))["items"] or None

    return await until(some, 15, f"an entry about {query}")


def fields_of(entry: dict[str, Any]) -> list[str] | None:
    after: dict[str, Any] = entry["after"] or {}
    return after.get("fields")


async def test_every_change_is_in_the_audit_log_by_whom(running: Engine) -> None:
    admin = await make(running, "admin")
    await until_answered(running, admin["key"], 200)
    session = await begin(running, admin["key"])
    headers = {"authorization": f"Bearer {session['token']}"}
    for mode in ("hold", "live"):
        assert (
            await running.request("PUT", "/v1/mode", json={"mode": mode}, headers=headers)
        ).status_code == 200
    described = await running.post_event(
        "contact.described", "audited", {"contact_id": "ann", "email": "a@x.example"}
    )
    await running.post_event("preference.changed", "audited", {"contact_id": "ann", "opted_in": False})
    owned = {"arr": 5_000, "csm_id": "csm-audited", "segment": "enterprise"}
    for data in (owned, owned, {"arr": 61_234_567}):  # what is sent again changes nothing
        await running.post_event("account.described", "audited", data)
    for _ in range(2):
        await running.post_event("csm.described", "csm-audited", {"name": "Ada Unlogged"})
    for path in ("/v1/accounts/audited/contacts/ann", "/v1/accounts/audited"):
        assert (await knock(running, session["token"], "DELETE", path)).status_code == 200, path

    (created,) = await audited(running, object=f"key/{admin['key_id']}")
    assert (created["action"], created["actor"]) == ("key.created", KEY.split("_")[1])
    assert created["after"] == {"name": "for a test", "scopes": ["admin"], "expires_at": None}
    switched = await audited(running, action="mode.switched", actor=session["session_id"])
    assert [(entry["before"]["mode"], entry["after"]["mode"]) for entry in switched] == [
        ("hold", "live"),
        ("live", "hold"),
    ]
    (began,) = await audited(running, action="session.began", actor=admin["key_id"])
    assert began["object"] == f"session/{session['session_id']}"
    assert (await audited(running, action="policy.published"))[-1]["actor"] == "drumbeat"
    ours = KEY.split("_")[1]
    await audited(running, object="account/audited", action="account.erased")  # the last of all
    entries: list[tuple[str, str, list[str] | None]] = [
        (entry["action"], entry["actor"], fields_of(entry))
        for wanted in ("account/audited", "contact/ann", "csm/csm-audited")
        for entry in await audited(running, object=wanted)
    ]
    assert entries == [
        ("account.erased", session["session_id"], None),
        ("account.described", ours, ["arr"]),
        ("account.described", ours, ["arr", "csm_id", "segment"]),
        ("contact.erased", session["session_id"], None),
        ("preference.changed", ours, None),
        ("contact.described", ours, ["email"]),
        ("csm.described", ours, ["name"]),
    ]
    assert described["id"] not in str(await running.get("/v1/audit"))
    for value in ("a@x.example", "61234567", "Unlogged", "csm_id': 'csm-audited"):
        assert value not in str(await running.get("/v1/audit"))
    for nobody in ({"actor": "zz"}, {"from": "2200-01-01T00:00:00Z"}, {"to": "2000-01-01T00:00:00Z"}):
        assert (await running.get("/v1/audit", **nobody))["items"] == []
    page = await running.get("/v1/audit", limit=2)
    assert [entry["seq"] for entry in page["items"]] == [page["items"][0]["seq"], page["items"][0]["seq"] - 1]


TAMPERINGS = {
    "changed": "UPDATE audit_entry SET actor = 'nobody' WHERE seq = 2",
    "changed in its document": "UPDATE audit_entry SET after = '{}' WHERE seq = 2",
    "removed": "DELETE FROM audit_entry WHERE seq = 2",
    "removed at the end": "DELETE FROM audit_entry WHERE seq = (SELECT max(seq) FROM audit_entry)",
    "moved": "UPDATE audit_entry SET seq = CASE seq WHEN 2 THEN -3 ELSE -2 END WHERE seq IN (2, 3)",
    "written anew": "UPDATE audit_entry SET hash = sha256(hash) WHERE seq = 2",
}


@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_verify_finds_a_row_that_was_tampered_with(running: Engine, tampering: str) -> None:
    for _ in range(3):
        await make(running, "read")

    async def enough() -> bool:
        return (await fetch(running, "SELECT count(*) > 4 FROM audit_entry"))[0][0]

    await until(enough, 15, "five entries")
    sound = await running.get("/v1/audit/verify")
    assert sound["problem"] is None, sound
    assert (await running.get("/v1/audit/verify", head=f"{sound['last']}:{sound['head']}"))["problem"] is None
    other = await running.get("/v1/audit/verify", head=f"{sound['last']}:{'0' * 64}")
    assert "written anew" in other["problem"]

    await fetch(running, "CREATE TABLE kept AS SELECT * FROM audit_entry")
    try:
        await fetch(running, TAMPERINGS[tampering])
        await fetch(running, "UPDATE audit_entry SET seq = -seq WHERE seq < 0")
        found = await running.get("/v1/audit/verify")
        assert "missing" in found["problem"] or "2 was changed" in found["problem"], found
    finally:
        await fetch(running, "DELETE FROM audit_entry WHERE seq <= (SELECT max(seq) FROM kept)")
        await fetch(running, "INSERT INTO audit_entry SELECT * FROM kept")
        await fetch(running, "DROP TABLE kept")
    assert (await running.get("/v1/audit/verify"))["problem"] is None


async def test_the_chain_is_still_verified_after_retention_dropped_its_old_end(running: Engine) -> None:
    before = await running.get("/v1/audit/verify")
    database = await Database.open(running.stack.postgres.url, DATABASES["rules_engine"], pool_size=2)
    try:
        cut = (await fetch(running, "SELECT max(at) - min(at) AS age, min(at) AS first FROM audit_entry"))[0]
        now = (await fetch(running, "SELECT clock_timestamp()"))[0][0]
        audit = AuditRepository(database)
        while await audit.drop_old(now - cut["first"] - cut["age"] / 2) == 0:
            pass
    finally:
        await database.close()
    after = await running.get("/v1/audit/verify")
    assert (after["problem"], after["last"]) == (None, before["last"])
    assert before["first"] < after["first"] == before["last"] - after["entries"] + 1
    assert (await running.get("/v1/audit/verify", head=f"{before['last']}:{before['head']}"))[
        "problem"
    ] is None


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
        "last_used_at": mine["last_used_at"],
        "replaced_by": None,
    }
    connection = await asyncpg.connect(database_url(running.stack.postgres.url, DATABASES["rules_engine"]))
    rows = await connection.fetch("SELECT api_key::text FROM api_key")
    await connection.close()
    texts = [str(listed), running.stack.processes["rules_engine"].log.read_text(), *(row[0] for row in rows)]
    for text in texts:
        assert secret not in text
        assert KEY.split("_", 2)[2] not in text
