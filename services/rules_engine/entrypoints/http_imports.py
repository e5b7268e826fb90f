"""HTTP: tables (CSV) in and out. An import is read to its end before anything of it is sent."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import IO, Annotated, Any, Final, Literal, Protocol

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response, StreamingResponse

from schemas.base import parse_json
from schemas.ids import derived_id
from schemas.problems import Malformed
from schemas.times import Instant, format_instant
from schemas.zones import find_zone
from services.chassis.keys import ApiKey
from services.chassis.ndjson import LARGEST_STREAM
from services.chassis.problems import Problem
from services.chassis.web import JSON, require
from services.connectors.tables.columns import IGNORED, ColumnRule
from services.connectors.tables.dates import DayOrder
from services.connectors.tables.encoding import ENCODINGS
from services.connectors.tables.kinds import KindName
from services.connectors.tables.numbers import DecimalMark
from services.connectors.tables.refusal import TableRefused
from services.connectors.tables.table import Refusal, TableOptions
from services.rules_engine.application.import_table import (
    MOST_REFUSED,
    MOST_WARNINGS,
    Event,
    ImportResult,
    NotAcknowledged,
)

FORECAST_DAYS: Final = 30
IN_MEMORY: Final = 4 << 20
"""Bytes of a table that are kept in memory; of a larger one a temporary file is written."""
LARGEST_MAPPING: Final = 20_000
_CHARSET: Final = re.compile(r'charset\s*=\s*"?([^";\s]+)', re.IGNORECASE)
_MEDIA: Final = frozenset(
    {"text/csv", "text/tab-separated-values", "text/plain", "application/csv", "application/vnd.ms-excel"}
)
_COUNTS: Final = ("rows", "accepted", "unchanged", "refused_rows", "warning_count")
_RESULT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["kind", *_COUNTS, "columns", "refused"],
    "properties": {
        "kind": {"enum": ["accounts", "contacts", "contracts", "csms"]},
        **{name: {"type": "integer"} for name in _COUNTS},
        "columns": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        "ignored": {"type": "object", "additionalProperties": {"type": "string"}},
        "forms": {"type": "object", "additionalProperties": {"type": "object"}},
        "notes": {"type": "array", "items": {"type": "string"}},
        "encoding": {"type": "string"},
        "separator": {"type": "string"},
        "as_of": {"type": "string", "format": "date-time"},
        "refused": {
            "type": "array",
            "description": f"the first {MOST_REFUSED:,} problems",
            "items": {
                "type": "object",
                "required": ["line", "column", "problem"],
                "properties": {
                    "line": {"type": "integer"},
                    "column": {"type": ["string", "null"]},
                    "problem": {"type": "string"},
                },
            },
        },
        "warnings": {
            "type": "array",
            "description": f"the first {MOST_WARNINGS:,}",
            "items": {
                "type": "object",
                "properties": {"line": {"type": "integer"}, "warning": {"type": "string"}},
            },
        },
        "dry_run": {"type": ["object", "null"]},
    },
}
_RESULT_BODY: Final[dict[str, Any]] = {"content": {"application/json": {"schema": _RESULT}}}
_IMPORT: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A table with the names of its columns in the first row; docs/import-export.md has the forms.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "every row is accepted", **_RESULT_BODY},
    207: {"description": "some rows are; `refused` has the others", **_RESULT_BODY},
    400: {"description": "not a table: `line` says where it cannot be read"},
    413: {"description": f"larger than {LARGEST_STREAM:,} bytes"},
    415: {"description": "not text/csv, or compressed"},
    422: {
        "description": "no row is accepted, or an option does not fit; a problem with the members of the answer"
    },
    429: {"description": "too many simulations wait; try again after `Retry-After` seconds"},
    503: {"description": "the broker or, in a dry run, the scheduler does not answer"},
}
_CSV: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "the table, UTF-8", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
Mapped = Annotated[
    str | None,
    Query(
        max_length=LARGEST_MAPPING,
        description=(
            'JSON: column -> field, null to ignore it, or `{"field", "dates", "numbers"}`, such as'
            ' `{"Renewal Date": "renews_on"}`'
        ),
    ),
]
ValidateOnly = Annotated[bool, Query(description="send nothing; `dry_run` says what would come of it")]


class Wanted(Protocol):
    """What a request asks for."""

    @property
    def as_of(self) -> datetime: ...


Import = Callable[
    [IO[bytes], TableOptions, datetime | None, ApiKey, bool], Awaitable[tuple[ImportResult, datetime]]
]
"""Reads a file and, unless it is to be checked only, sends its events. The moment: from when they count."""
Forecast = Callable[[list[Event], int], Awaitable[Mapping[str, object]]]
Export = Callable[[KindName], AsyncIterator[str]]


class Records(Protocol):
    """Entries of the audit log."""

    async def record_import(self, kind: KindName, after: Mapping[str, object], entry_id: str) -> None: ...

    async def record_export(self, kind: KindName) -> None: ...


def import_routes(take: Import, forecast: Forecast, records: Records) -> APIRouter:
    router = APIRouter(prefix="/v1/imports", tags=["tables"])

    @router.post(
        "",
        summary="Import a table of accounts, contacts, contracts or CSMs",
        description=(
            "Columns are found by their names; `columns` of the answer says which field each became. A row that says"
            " nothing new leads to no event, so the same file again changes nothing. The scope is that of the events."
        ),
        openapi_extra=_IMPORT,
        responses=_RESPONSES,
        status_code=202,
        response_class=Response,
    )
    async def import_table(
        request: Request,
        key: Annotated[ApiKey, require("signals", "directory")],
        kind: Annotated[KindName | None, Query(description="absent: by the columns and `file_name`")] = None,
        file_name: Annotated[str, Query(max_length=300)] = "",
        mapping: Mapped = None,
        dates: Annotated[DayOrder | None, Query(description="of dates that can be read in two ways")] = None,
        numbers: Annotated[DecimalMark | None, Query(description="what decimals follow")] = None,
        zone: Annotated[str, Query(max_length=64, description="of times without one")] = "UTC",
        encoding: Annotated[str | None, Query(max_length=40)] = None,
        separator: Annotated[Literal[",", ";", "\t", "|"] | None, Query()] = None,
        empty: Annotated[Literal["keep", "clear"], Query(description="what an empty cell does")] = "keep",
        as_of: Annotated[Instant | None, Query(description="when the table was right; absent: now")] = None,
        validate_only: ValidateOnly = False,
        simulate: Annotated[
            bool, Query(description="with `validate_only`: simulate the next 30 days")
        ] = True,
    ) -> Response:
        options = TableOptions(
            kind, file_name, _rules(mapping), dates, numbers, _known_zone(zone), _encoding(request, encoding),
            separator, empty == "clear",
        )  # fmt: skip
        with SpooledTemporaryFile[bytes](max_size=IN_MEMORY) as file:
            content_hash = await _receive(request, file)
            result, moment = await _take(take, (file, options, as_of, key, validate_only))
        answer = _answer(result, moment)
        if validate_only:
            answer["dry_run"] = await forecast(result.events, FORECAST_DAYS) if simulate else None
        else:
            counts: dict[str, object] = {name: answer[name] for name in _COUNTS}
            entry = derived_id("audit", "import", content_hash, answer["kind"], format_instant(moment))
            await records.record_import(
                result.table.kind.name,
                {**counts, "sha256": content_hash, "as_of": format_instant(moment)},
                entry,
            )
        return _response(result, answer)

    return router


def export_routes(export: Export, records: Records) -> APIRouter:
    router = APIRouter(prefix="/v1/exports", tags=["tables"])

    @router.get(
        "/{kind}",
        summary="Export accounts, contacts, contracts or CSMs as a table that an import reads back",
        description=(
            "An apostrophe stands before a cell that a spreadsheet would take for a formula; an import takes it away."
        ),
        dependencies=[require("read")],
        responses=_CSV,
        response_class=Response,
    )
    async def export_table(kind: Annotated[KindName, Path()]) -> Response:
        await records.record_export(kind)
        headers = {"Content-Disposition": f'attachment; filename="{kind}.csv"', "Cache-Control": "no-store"}
        return StreamingResponse(export(kind), 200, headers, "text/csv; charset=utf-8")

    return router


async def _take(
    take: Import, wanted: tuple[IO[bytes], TableOptions, datetime | None, ApiKey, bool]
) -> tuple[ImportResult, datetime]:
    """Raises a `Problem`: 400 or 422 for a table that cannot be read, 503 when the broker does not answer."""
    try:
        return await take(*wanted)
    except TableRefused as refused:
        members = {"line": refused.line, "column": refused.column}
        raise Problem(422 if refused.line is None else 400, str(refused), **members) from refused
    except NotAcknowledged as late:
        counts = {"rows": late.result.rows, "accepted": late.result.accepted}
        raise Problem(503, str(late), headers={"Retry-After": "5"}, **counts) from late


async def _receive(request: Request, file: IO[bytes]) -> str:
    """Keep the body. Returns its SHA-256. Raises a `Problem`, 413 or 415."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in _MEDIA:
        raise Problem(
            415, f"{media or 'A body without a media type'} is no table. Send Content-Type: text/csv."
        )
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "Content-Encoding is not read here. Send the table as it is.")
    total, content = 0, sha256()
    async for chunk in request.stream():
        total += len(chunk)
        if total > LARGEST_STREAM:
            raise Problem(413, f"The table is larger than {LARGEST_STREAM:,} bytes. Send it in parts.")
        content.update(chunk)
        file.write(chunk)
    if not total:
        raise Problem(422, "The body is empty. Send a table with the names of its columns in the first row.")
    return content.hexdigest()


def _encoding(request: Request, named: str | None) -> str | None:
    charset = _CHARSET.search(request.headers.get("content-type", ""))
    name = named or (charset[1] if charset else None)
    if name is not None and name.strip().lower() not in ENCODINGS:
        raise Problem(415, f"The encoding {name[:40]!r} is not known. Give one of {', '.join(ENCODINGS)}.")
    return name


def _known_zone(zone: str) -> str:
    try:
        find_zone(zone)
    except (ValueError, LookupError):
        raise Problem(
            422, f"zone: {zone[:64]!r} is not an IANA time zone; write one like Europe/Berlin."
        ) from None
    return zone


def _rules(mapping: str | None) -> Mapping[str, ColumnRule]:
    """Raises a `Problem`, 422."""
    if mapping is None:
        return {}
    try:
        document = parse_json(mapping.encode("utf-8", "replace"), "mapping")
    except Malformed as problem:
        raise Problem(422, str(problem)) from problem
    if not isinstance(document, dict):
        raise Problem(422, 'mapping: is not a JSON object; write {"Renewal Date": "renews_on"}')
    return {str(name): _rule(str(name), value) for name, value in document.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _rule(name: str, value: object) -> ColumnRule:
    match value:
        case None:
            return ColumnRule(IGNORED)
        case str():
            return ColumnRule(value)
        case {**members} if members.keys() <= {"field", "dates", "numbers"}:
            field = members.get("field")
            dates, numbers = members.get("dates"), members.get("numbers")
            if (
                isinstance(field, str | None)
                and dates in {None, "dmy", "mdy"}
                and numbers in {None, "point", "comma"}
            ):
                return ColumnRule(field, dates, numbers)  # pyright: ignore[reportArgumentType]
        case _:
            pass
    raise Problem(
        422,
        f"mapping: {name[:100]!r} has no field; write the name of one, null to ignore the column, or an object with"
        " `field`, `dates` (dmy, mdy) and `numbers` (point, comma)",
    )


def _answer(result: ImportResult, as_of: datetime) -> dict[str, Any]:
    table = result.table
    forms = {
        name: {key: value for key, value in form._asdict().items() if value and key != "zone"}
        for name, form in table.forms.items()
    }
    return {
        "kind": table.kind.name,
        **{name: getattr(result, name) for name in _COUNTS},
        "as_of": format_instant(as_of),
        "columns": {column.name: column.field for column in table.report.columns},
        "ignored": {column.name: column.note for column in table.report.columns if column.field is None},
        "forms": {name: form for name, form in forms.items() if form},
        "notes": table.notes,
        "encoding": table.file.encoding.name,
        "separator": table.file.separator,
        "refused": [_refusal(each) for each in result.refused],
        "warnings": [each._asdict() for each in result.warnings],
    }


def _refusal(refused: Refusal) -> dict[str, object]:
    return refused._asdict()


def _response(result: ImportResult, answer: dict[str, Any]) -> Response:
    if result.rows and not result.accepted:
        raise Problem(422, "No row was accepted; `refused` says why.", **answer)
    return JSON(answer, 207 if result.refused_rows else 202)
