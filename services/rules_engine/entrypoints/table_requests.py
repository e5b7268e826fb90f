"""Requests with a table and their answers: the body in a temporary file, the mapping of columns, the OpenAPI document."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import IO, Any, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.requests import Request

from schemas.times import format_instant
from schemas.zones import ZONE_NAMES
from services.chassis.body_limits import find_charset
from services.chassis.ndjson import LARGEST_STREAM
from services.chassis.problems import Problem
from services.connectors.tables.columns import IGNORED, ColumnRule
from services.connectors.tables.dates import DayOrder
from services.connectors.tables.encoding import ENCODINGS
from services.connectors.tables.kinds import KINDS
from services.connectors.tables.numbers import DecimalMark
from services.rules_engine.application.import_table import MOST_REFUSED, MOST_WARNINGS, ImportResult

IN_MEMORY: Final = 4 << 20
"""Bytes of a table that are kept in memory; a larger one is written to a temporary file."""
COUNTS: Final = ("rows", "accepted", "unchanged", "refused_rows", "warning_count")
_MEDIA: Final = frozenset(
    {
        "text/csv",
        "text/tab-separated-values",
        "text/plain",
        "application/csv",
        "application/vnd.ms-excel",
    }
)
_LISTED: Final = {"line": {"type": "integer"}, "column": {"type": ["string", "null"]}}
_RESULT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["kind", *COUNTS, "columns", "refused"],
    "properties": {
        "kind": {"enum": list(KINDS)},
        **{name: {"type": "integer"} for name in COUNTS},
        "as_of": {"type": "string", "format": "date-time"},
        "columns": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        "ignored": {"type": "object", "additionalProperties": {"type": "string"}},
        "forms": {"type": "object", "additionalProperties": {"type": "object"}},
        "notes": {"type": "array", "items": {"type": "string"}},
        "encoding": {"type": "string"},
        "separator": {"type": "string"},
        "refused": {
            "type": "array",
            "description": f"the first {MOST_REFUSED:,} problems",
            "items": {"type": "object", "properties": {**_LISTED, "problem": {"type": "string"}}},
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
TABLE_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "A table with the names of its columns in the first row; see docs/import-export.md.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}
RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {"description": "every row is accepted", **_RESULT_BODY},
    207: {"description": "some rows are; `refused` has the others", **_RESULT_BODY},
    400: {"description": "not a table: `line` says where it cannot be read"},
    413: {"description": f"larger than {LARGEST_STREAM:,} bytes"},
    415: {"description": "not text/csv, or compressed, or in an encoding that is not known"},
    422: {"description": "no row is accepted, or an option does not fit; with the members of the answer"},
    429: {"description": "too many simulations wait; try again after `Retry-After` seconds"},
    503: {"description": "the broker or, in a dry run, the scheduler does not answer"},
}


class _ColumnBody(BaseModel):
    """A column of a mapping. `field`: absent: as its name says."""

    model_config = ConfigDict(extra="forbid")

    field: str | None = None
    dates: DayOrder | None = None
    numbers: DecimalMark | None = None


_MAPPING: Final = TypeAdapter(dict[str, str | _ColumnBody | None])


async def receive_table(request: Request, file: IO[bytes]) -> str:
    """Keep the body. Returns its SHA-256. Raises a `Problem`, 413, 415 or 422."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in _MEDIA:
        raise Problem(
            415, f"{media or 'A body without a media type'} is no table. Send Content-Type: text/csv."
        )
    total, content = 0, sha256()
    async for chunk in request.stream():
        total += len(chunk)
        content.update(chunk)
        file.write(chunk)
    if not total:
        raise Problem(422, "The body is empty. Send a table with the names of its columns in the first row.")
    return content.hexdigest()


def find_encoding_name(request: Request, named: str | None) -> str | None:
    """The encoding that the query or else the media type names. Raises a `Problem`, 415."""
    name = named or find_charset(request.headers.get("content-type", ""))
    if name is not None and name.strip().lower() not in ENCODINGS:
        raise Problem(415, f"The encoding {name[:40]!r} is not known. Give one of {', '.join(ENCODINGS)}.")
    return name


def check_zone(zone: str) -> str:
    """Raises a `Problem`, 422."""
    if zone not in ZONE_NAMES:
        raise Problem(422, f"zone: {zone[:64]!r} is not an IANA time zone; write one like Europe/Berlin.")
    return zone


def read_mapping(mapping: str | None) -> Mapping[str, ColumnRule]:
    """What a caller says of columns. Raises a `Problem`, 422."""
    if mapping is None:
        return {}
    try:
        bodies = _MAPPING.validate_json(mapping)
    except ValidationError as invalid:
        error = invalid.errors(include_url=False)[0]
        where = ".".join(map(str, error["loc"]))[:200]
        raise Problem(
            422,
            f'mapping: {where or "JSON"}: {error["msg"]}. Write {{"Renewal Date": "renews_on"}}, null to ignore a column,'
            " or an object with `field`, `dates` (dmy, mdy) and `numbers` (point, comma).",
        ) from invalid
    return {name: _rule(body) for name, body in bodies.items()}


def _rule(body: str | _ColumnBody | None) -> ColumnRule:
    match body:
        case None:
            return ColumnRule(IGNORED)
        case str():
            return ColumnRule(body)
        case _ColumnBody():
            return ColumnRule(body.field, body.dates, body.numbers)


def write_result(result: ImportResult, as_of: datetime) -> dict[str, Any]:
    """The members of an answer."""
    table = result.table
    columns = table.report.columns
    forms = {
        name: {"dates": form.dates, "numbers": form.numbers}
        for name, form in table.forms.items()
        if form.dates or form.numbers
    }
    return {
        "kind": table.kind.name,
        "rows": result.rows,
        "accepted": result.accepted,
        "unchanged": result.unchanged,
        "refused_rows": result.refused_rows,
        "warning_count": result.warning_count,
        "as_of": format_instant(as_of),
        "columns": {column.name: column.field for column in columns},
        "ignored": {column.name: column.note for column in columns if column.field is None},
        "forms": forms,
        "notes": table.notes,
        "encoding": table.file.encoding.name,
        "separator": table.file.separator,
        "refused": [each._asdict() for each in result.refused],
        "warnings": [each._asdict() for each in result.warnings],
    }
