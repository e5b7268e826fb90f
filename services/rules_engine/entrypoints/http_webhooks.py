"""Webhooks of other systems: proved by the provider's signature, mapped to facts, taken in like events over HTTP.

A body that can be read is answered 202, also when items of it are refused: these are stored with their reasons, and
sending them again would change nothing. Freshness of signatures goes by the real clock, facts by the service clock.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Final, Protocol

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from schemas.problems import Malformed
from services.chassis.clock import real_now
from services.chassis.event_requests import read_body
from services.chassis.outbox import timestamp
from services.chassis.problems import Problem
from services.chassis.web import JSON, by_link, require
from services.connectors.batch import Batch, read_batch
from services.connectors.signatures.request import SignedRequest
from services.connectors.signatures.schemes import MESSAGE_IDS, SCHEMES, public_url
from services.connectors.source import Source
from services.connectors.sources.items import Item
from services.connectors.sources.salesforce import ACK
from services.rules_engine.application.complete_items import ProviderAway
from services.rules_engine.application.take_webhook import NotAcknowledged, WebhookResult
from services.rules_engine.metrics import WEBHOOK_ITEMS, WEBHOOKS

MOST_LISTED: Final = 100
"""Refused items that an answer lists."""
_RESULT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["received", "facts", "refused", "unmapped"],
    "properties": {
        "received": {"type": "integer"},
        "facts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "refused": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer"},
                    "id": {"type": "string"},
                    "problem": {"type": "string"},
                },
            },
        },
        "unmapped": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
}
_DOCUMENT: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "What the source sends, as it sends it; docs/connectors.md has an example of each.",
        "content": {"application/json": {"schema": {}}, "text/xml": {"schema": {"type": "string"}}},
    }
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "an Outbound Message of Salesforce was taken in: the SOAP answer with `Ack`"},
    202: {
        "description": "taken in; items that were refused are stored with their reasons",
        "content": {"application/json": {"schema": _RESULT}},
    },
    401: {"description": "the signature is missing, wrong or stale"},
    404: {"description": "the source is not configured"},
}
SourceName = Annotated[str, Path(pattern="^[a-z][a-z0-9_]{0,39}$", description="such as hubspot")]
Take = Callable[[Source, Sequence[Item]], Awaitable[WebhookResult]]


class WebhookCounts(Protocol):
    async def counts(self, source: str) -> list[dict[str, object]]:
        """`kind`, `name`, `count`, `first_at`, `last_at` of everything that is counted of a source."""
        ...


@dataclass(slots=True)
class Rejections:
    """Of each source the last request that this replica refused: when (real time) and why."""

    last: dict[str, tuple[datetime, str]] = field(default_factory=dict[str, tuple[datetime, str]])


def webhook_routes(sources: Mapping[str, Source], take: Take, counts: WebhookCounts) -> APIRouter:
    router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
    rejections = Rejections()

    @router.post(
        "/{source}",
        summary="Take in a webhook of another system, proved by its signature",
        dependencies=[by_link],
        status_code=202,
        response_class=Response,
        openapi_extra=_DOCUMENT,
        responses=_RESPONSES,
    )
    async def receive(source: SourceName, request: Request) -> Response:
        configured = _find(sources, source)
        try:
            batch = await _read(configured, request)
            result = await take(configured, batch.items)
        except Problem as problem:
            outcome = "rejected" if problem.status == 401 else "unreadable"
            WEBHOOKS.labels(source, outcome).inc()
            rejections.last[source] = (real_now(), problem.detail)
            raise
        except (NotAcknowledged, ProviderAway) as later:
            WEBHOOKS.labels(source, "unacknowledged").inc()
            raise try_later(later) from later
        count_result(source, result)
        return Response(ACK, 200, media_type="text/xml") if batch.is_soap else JSON(_answer(result), 202)

    async def state_of(source: str, configured: Source) -> dict[str, object]:
        rows = await counts.counts(source)
        rejected = rejections.last.get(source)
        return {
            "source": source,
            "signature": configured.mapping.signature.scheme,
            "mapping": configured.mapping.file,
            "url": configured.url.partition("?")[0],
            "received": sum(int(str(row["count"])) for row in rows if row["kind"] == "received"),
            "refused": sum(int(str(row["count"])) for row in rows if row["kind"] == "refused"),
            "facts": {str(row["name"]): row["count"] for row in rows if row["kind"] == "fact"},
            "unmapped": [
                {"name": row["name"], "count": row["count"], "last_at": row["last_at"]}
                for row in rows
                if row["kind"] == "unmapped"
            ],
            "last_received_at": next((row["last_at"] for row in rows if row["kind"] == "received"), None),
            "last_rejected": rejected and {"at": timestamp(rejected[0]), "reason": rejected[1]},
        }

    @router.get("", summary="The sources that are configured", dependencies=[require("read")])
    async def states() -> dict[str, object]:
        """There are only a few: `next_cursor` is always null."""
        found = [await state_of(name, configured) for name, configured in sorted(sources.items())]
        return {"items": found, "next_cursor": None}

    @router.get("/{source}/status", summary="What came of a source", dependencies=[require("read")])
    async def status(source: SourceName) -> dict[str, object]:
        return await state_of(source, _find(sources, source))

    return router


def count_result(source: str, result: WebhookResult) -> None:
    """Count a request and its items in the metrics."""
    WEBHOOKS.labels(source, "accepted").inc()
    WEBHOOK_ITEMS.labels(source, "fact").inc(sum(result.facts.values()))
    WEBHOOK_ITEMS.labels(source, "refused").inc(len(result.refused))
    WEBHOOK_ITEMS.labels(source, "unmapped").inc(sum(result.unmapped.values()))


def try_later(problem: NotAcknowledged | ProviderAway) -> Problem:
    """The answer by which a sender sends its request again."""
    what = f"{problem}" or "The broker did not acknowledge in time"
    return Problem(503, f"{what}. Send it again.", headers={"Retry-After": "5"})


def _find(sources: Mapping[str, Source], name: str) -> Source:
    """Raises a `Problem`, 404, that says what to set."""
    source = sources.get(name)
    if source is not None:
        return source
    raise Problem(
        404,
        f"The source {name!r} is not configured: set DRUMBEAT_WEBHOOKS__{name.upper()}__SECRET for the rules engine"
        " (docs/connectors.md has what else each source needs) and start it again.",
    )


async def _read(source: Source, request: Request) -> Batch:
    """The items of a request that is genuine. Raises a `Problem`: 401, 400, 413 or 415."""
    body = await read_body(request)
    query = request.url.query
    url = public_url(source.url, query)
    signed = SignedRequest(body, request.headers, request.method, url, query)
    scheme = source.mapping.signature.scheme
    problem = SCHEMES[scheme](signed, source.proof, real_now())
    if problem is not None:
        raise _unproved(problem)
    try:
        read_id = MESSAGE_IDS.get(scheme)
        batch = read_batch(source.mapping, body, read_id(signed) if read_id else None)
    except Malformed as malformed:
        raise Problem(400, str(malformed)) from malformed
    expected = source.proof.organization_id
    if expected is not None and any(found[:15] != expected[:15] for found in batch.organization_ids):
        raise _unproved(
            "The message comes from another organization than the one of the setting __ORGANIZATION_ID."
        )
    return batch


def _unproved(detail: str) -> Problem:
    return Problem(401, detail, headers={"WWW-Authenticate": 'Signature realm="drumbeat"'})


def _answer(result: WebhookResult) -> dict[str, object]:
    refused = [
        {"index": item.index, "id": item.id, "problem": item.reason} for item in result.refused[:MOST_LISTED]
    ]
    return {
        "received": result.received,
        "facts": result.facts,
        "refused": refused,
        "unmapped": result.unmapped,
    }
