# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""Generated requests, valid and invalid, to the running services: responses match the OpenAPI documents."""

import asyncio
import json
import re
import tempfile
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any, cast

import asyncpg
import httpx
import pytest
import pytest_asyncio
import schemathesis
from confluent_kafka import Producer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)

from services.chassis.database import database_url
from services.chassis.schema_versions import DATABASES
from tests.api_sequences import SEED, WRONG_KEY, create_lacking_keys, is_finding, run_sequences, secured
from tests.conftest import IS_SOAK
from tests.faults.ledger import binary
from tests.stack import KEY, PARTS, SERVICES, Stack, event, until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.long,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

Operation = APIOperation[Any, Any, Any, Any]
EXAMPLES = 200 if IS_SOAK else 12  # per operation
QUIET = settings(
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)
POISONED = 40 if IS_SOAK else 3  # valid bodies of each operation, of which each value is replaced
SEQUENCES = 400 if IS_SOAK else 8
REACHED = {  # at the least, whatever is drawn
    "notifier": {"POST /v1/subscriptions", "GET /v1/deliveries", "GET /v1/subscriptions"},
    "scheduler": {"POST /v1/touchpoints", "GET /v1/touchpoints/{touchpoint_id}"},
    "rules_engine": {"POST /v1/events", "POST /v1/keys", "POST /v1/sessions", "PUT /v1/policies/current"},
}
ENDLESS = ("/v1/stream",)
PARK = """
INSERT INTO parked (account_id, type, source, event_id, topic, headers, value, reason, identity, content)
VALUES ('acme', 'health.scored', '/test', $1, 'account.signals', $2, $3, 'for a test', $4, $5)
"""
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack() -> AsyncGenerator[Stack]:
    with tempfile.TemporaryDirectory(prefix="drumbeat-openapi-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder) as running:
            await running.run(*PARTS)
            now = await running.now()
            await running.tell(
                *(
                    event(kind, account, data, id=f"seed {index}", time=now)
                    for index, (kind, account, data) in enumerate(SEED)
                )
            )
            await fail_events(running)
            yield running


async def fail_events(stack: Stack) -> None:
    """Leave dead letters in every service and parked events in the rules engine, for the operations that need some."""
    producer = Producer({"bootstrap.servers": stack.kafka.bootstrap})
    for topic in ("account.signals", "directory.csms"):
        for number in range(3):
            producer.produce(topic, b"no JSON", key=f"unreadable {number}")
    assert producer.flush(20) == 0
    connection = await asyncpg.connect(database_url(stack.postgres.url, DATABASES["rules_engine"]))
    for number in range(3):
        sent = event("health.scored", "acme", {"score": 50}, id=f"parked {number}", time=await stack.now())
        value, headers = binary(sent)
        flat = [part for name, text in headers for part in (name.encode(), text)]
        await connection.execute(
            PARK, f"parked {number}", flat, value, bytes([number] * 16), bytes([number] * 8)
        )
    await connection.close()

    async def are_listed() -> bool:
        pages = [await stack.get(service, "/v1/dead-letters") for service in SERVICES]
        return all(len(page["items"]) == 3 for page in pages)

    await until(are_listed, 60, "dead letters in every service")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lacking_keys(stack: Stack) -> dict[tuple[str, ...], str]:
    """By the scopes of which an operation needs one: a key that has all others."""
    urls = [stack.processes[service].url for service in PARTS]
    return await asyncio.to_thread(create_lacking_keys, stack.processes["rules_engine"].url, urls)


@pytest.mark.parametrize("service", PARTS)
async def test_every_operation_answers_as_documented(stack: Stack, service: str) -> None:
    await asyncio.to_thread(explore, stack.processes[service].url)
    log = stack.processes[service].log.read_text()
    assert "Traceback" not in log, log[-3000:]


@pytest.mark.parametrize("service", SERVICES)
async def test_no_text_or_number_in_a_body_causes_a_server_error(stack: Stack, service: str) -> None:
    await asyncio.to_thread(send_poisoned_bodies, stack.processes[service].url)
    log = stack.processes[service].log.read_text()
    assert "Traceback" not in log, log[-3000:]


async def test_sequences_of_calls_end_in_no_server_error_and_need_the_right_to_call_at_each_step(
    stack: Stack, lacking_keys: dict[tuple[str, ...], str]
) -> None:
    """Issue 11, "Prove it": what one call creates, the next ones read, change and delete, along the links."""
    for service in ("notifier", "scheduler", "rules_engine"):  # the last one publishes policies, too
        process = stack.processes[service]
        calls = await asyncio.to_thread(
            run_sequences, process.url, lacking_keys, QUIET, sequences=SEQUENCES, steps=12
        )
        assert not calls.broken, "\n".join(calls.broken[:10])
        assert calls.refusals, service
        assert REACHED[service] <= calls.succeeded(), calls.answers
        log = process.log.read_text()
        assert "Traceback" not in log, log[-3000:]


@pytest.mark.parametrize(
    ("status", "is_wrong"),
    [
        (200, False),
        (404, False),
        (418, True),
        (401, True),
        (403, True),
        (500, True),
        (502, True),
        (503, True),
    ],
)
async def test_a_server_error_is_a_finding_of_a_sequence_although_it_is_documented(
    status: int, *, is_wrong: bool
) -> None:
    assert is_finding(status, ["200", "401", "403", "404", "500", "502", "503"]) == is_wrong


async def test_no_operation_that_declares_security_succeeds_without_a_key_of_its_scope(
    stack: Stack, lacking_keys: dict[tuple[str, ...], str]
) -> None:
    """401 without a key and with a wrong one, 403 without the scope, also for a body that cannot be read."""
    wrong: list[str] = []
    async with httpx.AsyncClient(timeout=60) as client:
        for url in [stack.processes[service].url for service in PARTS]:
            for method, path, scopes in secured(url):
                attempts = [("", 401), (f"Bearer {WRONG_KEY}", 401)]
                if scopes:
                    attempts.append((f"Bearer {lacking_keys[scopes]}", 403))
                for authorization, expected in attempts:
                    where = url + re.sub(r"{\w+}", "1", path)
                    headers = {"content-type": "application/json", "authorization": authorization}
                    answer = await client.request(method, where, content=b"{", headers=headers)
                    if answer.status_code != expected:
                        wrong.append(f"{answer.status_code}, not {expected}: {method} {where}")
    assert not wrong, wrong


def send_poisoned_bodies(url: str) -> None:
    """Send valid bodies in which one value after the other is replaced by one that no table can store."""
    broken: list[str] = []
    with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as client:

        @settings(QUIET, max_examples=POISONED)
        @given(st.data())
        def send(data: st.DataObject) -> None:
            for result in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
                operation = result.ok() if isinstance(result, Ok) else None
                if operation is None or not operation.body or operation.path == "/v1/events":
                    continue
                case: Any = data.draw(operation.as_strategy())
                for body in poisoned(case.body):
                    path = url + case.formatted_path
                    sent = json.dumps(body)
                    headers = {"content-type": "application/json"}
                    try:
                        answer = client.request(case.method, path, content=sent, headers=headers)
                    except httpx.TransportError as problem:
                        broken.append(f"{case.method} {path} {sent}: {problem!r}")
                        continue
                    if answer.status_code >= 500:
                        broken.append(f"{case.method} {path} {sent}: {answer.status_code}")

        send()
    assert not broken, broken[:10]


def poisoned(body: Any) -> Iterator[Any]:
    """Copies of a body, each with one text, one number or one member's name replaced."""
    match body:
        case bool():
            return
        case int() | float():
            yield from (float("nan"), float("-inf"), 10**30, -(10**400), 1e308)
        case str():
            yield from ("\x00", "a\x00b", "\ud800", "\x1e", "x" * 5000)
        case dict():
            members = cast("dict[str, Any]", body)
            for name, value in members.items():
                yield from ({**members, name: text} for text in poisoned(value))
            yield from ({**members, odd: 1} for odd in ("\x00", "\ud800"))
        case list():
            items = cast("list[Any]", body)
            for index, value in enumerate(items[:3]):
                yield from ([*items[:index], text, *items[index + 1 :]] for text in poisoned(value))
        case _:
            return


def explore(url: str) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    listed = [*schema.get_all_operations()]
    operations = [result.ok() for result in listed if isinstance(result, Ok)]
    assert len(operations) == len(listed)
    assert {operation.path for operation in operations} >= {"/livez", "/readyz", "/v1/clock"}
    broken: list[Exception] = []
    for operation in operations:
        if operation.path not in ENDLESS:
            try:
                _check_operation(operation, url)
            except Exception as problem:  # noqa: BLE001 - all of them are reported together
                broken.append(problem)
    if broken:
        raise ExceptionGroup("responses that differ from the document", broken)


def _check_operation(operation: Operation, url: str) -> None:
    needs_key = bool(operation.definition.raw.get("security"))
    checks = [*CHECKS, ignored_auth] if needs_key else CHECKS
    cases = operation.as_strategy(generation_mode=GenerationMode.POSITIVE) | operation.as_strategy(
        generation_mode=GenerationMode.NEGATIVE
    )

    @settings(QUIET, max_examples=EXAMPLES)
    @given(case=cases)
    def check(case: Any) -> None:
        case.call_and_validate(url, headers={"Authorization": f"Bearer {KEY}"}, checks=checks, timeout=60)

    check()
