# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""What the OpenAPI documents promise, tried with made-up requests, sound and unsound, against the running services."""

import asyncio
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)

from tests.stack import KEY, SERVICES, Stack

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

Operation = APIOperation[Any, Any, Any, Any]
EXAMPLES = 60  # of each operation
ENDLESS = ("/v1/stream",)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def everything() -> AsyncGenerator[Stack]:
    with tempfile.TemporaryDirectory(prefix="drumbeat-openapi-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder) as stack:
            yield await stack.run()


@pytest.mark.parametrize("service", SERVICES)
async def test_every_operation_keeps_its_word(everything: Stack, service: str) -> None:
    await asyncio.to_thread(explore, everything.processes[service].url)
    log = everything.processes[service].log.read_text()
    assert "Traceback" not in log, log[-3000:]


def explore(url: str) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    listed = [*schema.get_all_operations()]
    operations = [found.ok() for found in listed if isinstance(found, Ok)]
    assert len(operations) == len(listed) >= 10
    broken: list[Exception] = []
    for operation in operations:
        if operation.path not in ENDLESS:
            try:
                _try(operation, url)
            except Exception as problem:  # noqa: BLE001 - all of them are reported together
                broken.append(problem)
    if broken:
        raise ExceptionGroup("promises that were not kept", broken)


def _try(operation: Operation, url: str) -> None:
    guarded = bool(operation.definition.raw.get("security"))
    checks = [*CHECKS, ignored_auth] if guarded else CHECKS
    anything = operation.as_strategy(generation_mode=GenerationMode.POSITIVE) | operation.as_strategy(
        generation_mode=GenerationMode.NEGATIVE
    )

    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(case=anything)
    def tried(case: Any) -> None:
        case.call_and_validate(url, headers={"Authorization": f"Bearer {KEY}"}, checks=checks, timeout=20)

    tried()
