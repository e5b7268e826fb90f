"""The export of everything that is stored of a contact, as a file."""

import asyncio
import re
from typing import Final

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.chassis.clock import real_now
from services.console.client import Answer, Failure, Query, Service
from services.console.contact_data import (
    EXPORT_TIMEOUT_SECONDS,
    account_ids,
    contact_document,
    data_path,
)
from services.console.json_fields import Json
from services.console.pages.rendering import back_to, reader_of
from services.console.reader import Backend, Reader

_EXPORT: Final = "/contacts/data"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")


def contact_pages(backend: Backend) -> APIRouter:
    """`/contacts/data?contact=ID`: a download, linked from the contacts of an account for those who may read it."""
    router = APIRouter(include_in_schema=False)

    @router.get(_EXPORT)
    async def export(request: Request, contact: str = "") -> Response:
        reader = await reader_of(backend, request)
        document = await _collect(reader, contact)
        if isinstance(document, Failure):
            return back_to("/", failed=document.text)
        name = _UNSAFE.sub("_", contact)[:80]
        headers = {
            "Content-Disposition": f'attachment; filename="contact-{name}.json"',
            "Cache-Control": "no-store",
        }
        return Response(orjson.dumps(document, option=orjson.OPT_INDENT_2), 200, headers, "application/json")

    return router


async def _collect(reader: Reader, contact_id: str) -> Json | Failure:
    path = data_path(contact_id)
    engine, notifier = await asyncio.gather(
        _ask(reader, "rules_engine", path), _ask(reader, "notifier", path)
    )
    for answer in (engine, notifier):
        if isinstance(answer, Failure) and answer.status != 404:
            return answer
    found = {"rules_engine": _stored(engine), "notifier": _stored(notifier)}
    accounts = account_ids(found["rules_engine"], found["notifier"])
    calendar = await _ask(reader, "scheduler", path, {"account_id": accounts}) if accounts else None
    if isinstance(calendar, Failure) and calendar.status != 404:
        return calendar
    answers: dict[Service, Json | None] = {
        "rules_engine": found["rules_engine"],
        "scheduler": _stored(calendar),
        "notifier": found["notifier"],
    }
    document = contact_document(contact_id, real_now(), answers)
    return document or Failure(404, f"No service stores anything of a contact {contact_id!r}.")


async def _ask(reader: Reader, service: Service, path: str, query: Query | None = None) -> Answer:
    """Not shared with other readers: each export is an entry of the audit log."""
    return await reader.apis.get(reader.token, service, path, query, EXPORT_TIMEOUT_SECONDS)


def _stored(answer: Answer | None) -> Json | None:
    return None if answer is None or isinstance(answer, Failure) else answer
