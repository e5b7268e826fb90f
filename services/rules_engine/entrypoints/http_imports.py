"""HTTP: import a table (CSV). It is read to its end before anything of it is sent."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from schemas.ids import derived_id
from schemas.times import parse_instant
from services.chassis.keys import ApiKey
from services.chassis.problems import Problem
from services.chassis.web import JSON, require
from services.connectors.tables.dates import DayOrder
from services.connectors.tables.kinds import KindName
from services.connectors.tables.numbers import DecimalMark
from services.connectors.tables.refusal import TableRefused
from services.connectors.tables.table import TableOptions
from services.rules_engine.application.import_table import Event, ImportResult
from services.rules_engine.entrypoints.table_requests import (
    COUNTS,
    IN_MEMORY,
    RESPONSES,
    TABLE_BODY,
    check_zone,
    find_encoding_name,
    read_mapping,
    receive_table,
    write_result,
)

FORECAST_DAYS: Final = 30
LARGEST_MAPPING: Final = 20_000
Kind = Annotated[KindName | None, Query(description="absent: by the columns and `file_name`")]
Mapped = Annotated[
    str | None,
    Query(
        max_length=LARGEST_MAPPING,
        description=(
            'JSON: column -> field, null to ignore it, or `{"field", "dates", "numbers"}`; such as'
            ' `{"Renewal Date": "renews_on"}`'
        ),
    ),
]
Dates = Annotated[DayOrder | None, Query(description="of dates that can be read in two ways")]
Decimals = Annotated[DecimalMark | None, Query(description="what decimals follow")]
Separator = Annotated[Literal[",", ";", "\t", "|"] | None, Query(description="absent: found")]
Encoding = Annotated[str | None, Query(max_length=40, description="absent: found")]
Empty = Annotated[Literal["keep", "clear"], Query(description="what an empty cell does to the field")]
AsOf = Annotated[
    str | None, Query(max_length=40, description="when the table was right, RFC 3339; absent: now")
]
ValidateOnly = Annotated[bool, Query(description="send nothing; `dry_run` says what would come of it")]
Simulated = Annotated[bool, Query(description="with `validate_only`: simulate the next 30 days")]


@dataclass(frozen=True, slots=True)
class TableRequest:
    """`as_of`: None: now."""

    options: TableOptions
    as_of: datetime | None
    key: ApiKey
    validate_only: bool


TakeTable = Callable[[IO[bytes], TableRequest], Awaitable[tuple[ImportResult, datetime]]]
"""Reads a file and, unless it is to be checked only, sends its events. The moment: of the events."""
Forecast = Callable[[Sequence[Event], int], Awaitable[Mapping[str, object]]]
RecordImport = Callable[[KindName, Mapping[str, object], str], Awaitable[None]]


def import_routes(take: TakeTable, forecast: Forecast, record: RecordImport) -> APIRouter:
    router = APIRouter(prefix="/v1/imports", tags=["tables"])

    @router.post(
        "",
        summary="Import a table of accounts, contacts, contracts or CSMs",
        description=(
            "Columns are found by their names; `columns` of the answer says which field each became. A row that says"
            " nothing new leads to no event, so the same file again changes nothing. The scope is that of the events:"
            " `signals` for contracts, `directory` for the others."
        ),
        openapi_extra=TABLE_BODY,
        responses=RESPONSES,
        status_code=202,
        response_class=Response,
    )
    async def import_table(
        request: Request,
        key: Annotated[ApiKey, require("signals", "directory")],
        kind: Kind = None,
        file_name: Annotated[str, Query(max_length=300)] = "",
        mapping: Mapped = None,
        dates: Dates = None,
        numbers: Decimals = None,
        zone: Annotated[str, Query(max_length=64, description="of times without one")] = "UTC",
        encoding: Encoding = None,
        separator: Separator = None,
        empty: Empty = "keep",
        as_of: AsOf = None,
        validate_only: ValidateOnly = False,
        simulate: Simulated = True,
    ) -> Response:
        options = TableOptions(
            kind,
            file_name,
            read_mapping(mapping),
            dates,
            numbers,
            check_zone(zone),
            find_encoding_name(request, encoding),
            separator,
            empty == "clear",
        )
        wanted = TableRequest(options, _read_as_of(as_of), key, validate_only)
        with SpooledTemporaryFile[bytes](max_size=IN_MEMORY) as file:
            content_hash = await receive_table(request, file)
            result, moment = await _take(take, file, wanted)
        answer = write_result(result, moment)
        if validate_only:
            answer["dry_run"] = await forecast(result.events, FORECAST_DAYS) if simulate else None
        else:
            await record(result.table.kind.name, *_entry(answer, content_hash, request.url.query))
        return _respond(result, answer)

    return router


def _read_as_of(as_of: str | None) -> datetime | None:
    try:
        return None if as_of is None else parse_instant(as_of)
    except ValueError as problem:
        raise Problem(422, f"as_of: {problem}") from problem


async def _take(take: TakeTable, file: IO[bytes], wanted: TableRequest) -> tuple[ImportResult, datetime]:
    """Raises a `Problem`, 400 or 422, for a table that cannot be read."""
    try:
        return await take(file, wanted)
    except TableRefused as refused:
        status = 422 if refused.line is None else 400
        raise Problem(status, str(refused), line=refused.line, column=refused.column) from refused


def _entry(answer: Mapping[str, Any], content_hash: str, query: str) -> tuple[dict[str, object], str]:
    """What the audit log says of an import, and the id of the entry: the same import has the same one."""
    after = {name: answer[name] for name in (*COUNTS, "as_of")}
    entry_id = derived_id("audit", "import", content_hash, query, str(answer["as_of"]))
    return {**after, "sha256": content_hash}, entry_id


def _respond(result: ImportResult, answer: Mapping[str, Any]) -> Response:
    if not result.is_acknowledged:
        late = "The broker did not acknowledge in time. Import the table again: what is known by then is left out."
        counts: dict[str, Any] = {"rows": result.rows, "accepted": result.accepted}
        raise Problem(503, late, headers={"Retry-After": "5"}, **counts)
    if result.rows and not result.accepted:
        raise Problem(422, "No row was accepted; `refused` says why.", **answer)
    return JSON(answer, 207 if result.refused_rows else 202)
