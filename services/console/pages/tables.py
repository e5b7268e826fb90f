"""Importing a table (CSV) in two steps: what would come of it, then the import."""

import base64
from typing import Final, cast

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from services.console.client import Answer, Failure, Query
from services.console.pages.forms import read_form
from services.console.pages.rendering import back_to, reader_of, render_page
from services.console.reader import Backend, Reader
from services.console.table_view import table_report

KINDS: Final = ("accounts", "contacts", "contracts", "csms")
MOST_BYTES: Final = 4 << 20
"""Of a file that the page takes; the command `drumbeat import` takes larger ones."""
LARGER_BODIES: Final = {"/setup/table": MOST_BYTES + (1 << 16), "/setup/table/import": 2 * MOST_BYTES}
_PATH: Final = "/setup"


def table_pages(backend: Backend) -> APIRouter:
    """`/setup/table`: the check of a file and its import."""
    router = APIRouter(include_in_schema=False)

    @router.post("/setup/table")
    async def check(request: Request) -> Response:
        reader = await reader_of(backend, request)
        form = await request.form(max_part_size=MOST_BYTES)
        upload = form.get("file")
        if not isinstance(upload, UploadFile) or not upload.filename:
            return back_to(_PATH, failed="Choose a file first.")
        content, kind = await upload.read(), str(form.get("kind", ""))
        answer = await _send(reader, content, upload.filename, kind, validate_only=True)
        document, error = (answer.document, answer.text) if isinstance(answer, Failure) else (answer, "")
        context = {
            "report": table_report(document) if "columns" in document else None,
            "error": error,
            "content": "" if error else base64.b64encode(content).decode(),
            "file_name": upload.filename[:300],
            "kind": kind,
        }
        return await render_page(request, reader, "table.html", context)

    @router.post("/setup/table/import")
    async def import_checked(request: Request) -> Response:
        reader = await reader_of(backend, request)
        form = await read_form(request)
        try:
            content = base64.b64decode(form.get("content", ""), validate=True)
        except ValueError:
            return back_to(_PATH, failed="The form was changed on its way. Choose the file again.")
        answer = await _send(
            reader, content, form.get("file_name", ""), form.get("kind", ""), validate_only=False
        )
        if isinstance(answer, Failure):
            return back_to(_PATH, failed=answer.text)
        return back_to(_PATH, did="imported")

    return router


async def _send(reader: Reader, content: bytes, file_name: str, kind: str, *, validate_only: bool) -> Answer:
    query = {"file_name": file_name[:300], "validate_only": str(validate_only).lower()}
    if kind in KINDS:
        query["kind"] = kind
    return await reader.upload("rules_engine", "/v1/imports", content, "text/csv", cast("Query", query))
