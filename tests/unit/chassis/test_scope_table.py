"""docs/scopes.md says which scope each call needs, and every service holds to it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from services.chassis.clock import service_clock
from services.chassis.keys import ApiKey, Scope, digest
from services.chassis.scope_table import operations
from services.chassis.settings import Clock, Settings
from services.chassis.web import Chassis
from services.console.web import make_console
from services.notifier.main import openapi_app as notifier
from services.rules_engine.main import openapi_app as rules_engine
from services.scheduler.main import openapi_app as scheduler

PAGE = Path("docs/scopes.md")
ROW = re.compile(r"\| (?P<method>[A-Z]+) \| `(?P<path>[^`]+)` \| (?P<scopes>.+) \|")


def console() -> FastAPI:
    return make_console(Settings.model_construct(), service_clock(Clock()))


APPS: Mapping[str, Any] = {
    "rules_engine": rules_engine,
    "scheduler": scheduler,
    "notifier": notifier,
    "console": console,
}
OWN_PROOF = {
    ("POST", "/v1/inbound/postmark"),
    ("POST", "/v1/inbound/sms"),
    ("POST", "/v1/inbound/sms/status"),
}
"""Calls of a provider, which proves itself otherwise: without that they are refused like calls without a key."""


def documented(service: str) -> dict[tuple[str, str], tuple[str, ...] | None]:
    """The rows of the page about this service: (method, path) -> scopes."""
    section = PAGE.read_text().partition(f"\n## {service}\n")[2].partition("\n## ")[0]
    words = {"none": None, "any key": ()}
    return {
        (row["method"], row["path"]): words.get(row["scopes"], tuple(re.findall(r"`(\w+)`", row["scopes"])))
        for row in ROW.finditer(section)
    }


@pytest.mark.parametrize("service", APPS)
async def test_every_call_answers_a_key_as_the_page_says(service: str) -> None:
    app: FastAPI = APPS[service]()
    rows = documented(service)
    assert rows.keys() == {(method, path) for method, path, _ in operations(app.openapi())}
    chassis: Chassis = app.state.chassis
    for scope in get_args(Scope):
        chassis.keys.learn(ApiKey(scope, digest(f"db_{scope}_secret"), frozenset({scope})))
    app.add_exception_handler(Exception, lambda _, __: Response(status_code=500))  # nothing is behind the app
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for (method, path), scopes in rows.items():
            url = re.sub(r"\{[^}]+\}", "1", path)
            unsigned = await client.request(method, url)
            is_refused = scopes is not None or (method, path) in OWN_PROOF
            assert (unsigned.status_code == 401) is is_refused, f"{method} {path} without a key"
            for scope in get_args(Scope) if scopes is not None else ():
                headers = {"authorization": f"Bearer db_{scope}_secret"}
                answer = await client.request(method, url, headers=headers)
                allowed = not scopes or scope in (*scopes, "admin")
                assert (answer.status_code not in (401, 403)) is allowed, f"{method} {path} with {scope}"
