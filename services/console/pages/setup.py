"""Set-up: an installation step by step, each step with what was found of it."""

import asyncio
import json
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.chassis.clock import real_now
from services.console.client import Failure
from services.console.event_batches import LINES
from services.console.json_fields import text
from services.console.pages.forms import read_form
from services.console.pages.rendering import back_to, reader_of, render_page
from services.console.pages.tables import KINDS
from services.console.reader import Backend, Reader
from services.console.sample.history import sample_events
from services.console.setup_view import SAMPLE_IDS, Found, sample_ids, setup_steps

_PATH: Final = "/setup"
_CONFIGURED_SECONDS: Final = 10.0  # real seconds for which what was configured is not asked for again


def setup_pages(backend: Backend) -> APIRouter:
    """`/setup`, its sample book and its test mail."""
    router = APIRouter(include_in_schema=False)

    @router.get(_PATH)
    async def show(request: Request) -> Response:
        reader = await reader_of(backend, request)
        found = await _find(reader)
        present = sample_ids(found.accounts)
        context = {
            "steps": setup_steps(found, real_now()),
            "kinds": [(kind, kind) for kind in KINDS],
            "may_load_sample": found.accounts.document is not None and not present,
            "may_erase_sample": bool(present),
        }
        return await render_page(request, reader, "setup.html", context)

    _add_sample(router, backend)
    _add_test_mail(router, backend)
    return router


def _add_sample(router: APIRouter, backend: Backend) -> None:
    @router.post("/setup/sample")
    async def load_sample(request: Request) -> Response:
        reader = await reader_of(backend, request)
        lines = "\n".join(json.dumps(event) for event in sample_events(reader.now()))
        answer = await reader.upload("rules_engine", "/v1/events", lines.encode(), LINES)
        if isinstance(answer, Failure):
            return back_to(_PATH, failed=answer.text)
        return back_to(_PATH, did="sample_sent")

    @router.post("/setup/sample/erase")
    async def erase_sample(request: Request) -> Response:
        reader = await reader_of(backend, request)
        for account_id in sorted(SAMPLE_IDS):
            answer = await reader.send("DELETE", "rules_engine", f"/v1/accounts/{quote(account_id, safe='')}")
            if isinstance(answer, Failure) and answer.status != 404:
                return back_to(_PATH, failed=answer.text)
        return back_to(_PATH, did="sample_erased")


def _add_test_mail(router: APIRouter, backend: Backend) -> None:
    @router.post("/setup/test-mail")
    async def send_test(request: Request) -> Response:
        reader = await reader_of(backend, request)
        to = (await read_form(request)).get("to", "").strip()
        answer = await reader.post("notifier", "/v1/channels/mail/test", {"to": to})
        if isinstance(answer, Failure):
            return back_to(_PATH, failed=answer.text)
        if text(answer, "state") != "sent":
            return back_to(_PATH, failed=f"The test mail was not sent: {text(answer, 'detail')}")
        return back_to(_PATH, did="test_sent")


async def _find(reader: Reader) -> Found:
    accounts, sources, channels, policy, people, mode = await asyncio.gather(
        reader.read("rules_engine", "/v1/accounts", {"limit": 500}),
        reader.read("rules_engine", "/v1/webhooks", max_age=_CONFIGURED_SECONDS),
        reader.read("notifier", "/v1/channels", max_age=_CONFIGURED_SECONDS),
        reader.read("rules_engine", "/v1/policies/current", max_age=_CONFIGURED_SECONDS),
        reader.people(),
        reader.mode(),
    )
    return Found(accounts, people, sources, channels, policy, mode)
