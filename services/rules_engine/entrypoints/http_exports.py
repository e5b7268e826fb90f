"""HTTP: export what is known as a table (CSV) that an import reads back."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from starlette.responses import Response, StreamingResponse

from services.chassis.web import require
from services.connectors.tables.kinds import KindName

_CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "the table, in UTF-8", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
Export = Callable[[KindName], AsyncIterator[str]]
RecordExport = Callable[[KindName], Awaitable[None]]


def export_routes(export: Export, record: RecordExport) -> APIRouter:
    router = APIRouter(prefix="/v1/exports", tags=["tables"])

    @router.get(
        "/{kind}",
        summary="Export accounts, contacts, contracts or CSMs as a table that an import reads back",
        description=(
            "An apostrophe stands before a cell that a spreadsheet would take for a formula; an import removes it."
        ),
        dependencies=[require("read")],
        responses=_CSV,
        response_class=Response,
    )
    async def export_table(kind: Annotated[KindName, Path()]) -> Response:
        await record(kind)
        headers = {"Content-Disposition": f'attachment; filename="{kind}.csv"', "Cache-Control": "no-store"}
        return StreamingResponse(export(kind), 200, headers, "text/csv; charset=utf-8")

    return router
