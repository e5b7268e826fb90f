"""Requests with CloudEvents: their content mode, by media type and headers, and their bounded bodies.

Sources: CloudEvents 1.0.2 and its HTTP protocol binding.
"""

from typing import Any, Final

from starlette.requests import Request

from services.chassis.body_limits import wrong_charset
from services.chassis.problems import Problem

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
NDJSON: Final = "application/x-ndjson"
LARGEST: Final = 1 << 20  # bytes of a single event's or a batch's body
_RESULTS: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["results"],
    "properties": {
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "source", "id", "status"],
                "properties": {
                    "index": {"type": "integer"},
                    "source": {"type": ["string", "null"]},
                    "id": {"type": ["string", "null"]},
                    "status": {"enum": ["accepted", "refused", "unknown"]},
                    "problem": {"type": "string"},
                    "warnings": {"type": "array", "items": {"type": "string"}},
                },
            },
        }
    },
}
_RESULTS_BODY = {"content": {"application/json": {"schema": _RESULTS}}}
EVENT_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "One CloudEvent (structured, or binary with `ce-` headers), a batch, or NDJSON.",
        "content": {
            STRUCTURED: {"schema": {"type": "object"}},
            BATCH: {"schema": {"type": "array", "items": {"type": "object"}, "maxItems": 500}},
            NDJSON: {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
        },
    },
    "responses": {
        "202": {
            "description": "every event is in Kafka, acknowledged by all in-sync replicas",
            **_RESULTS_BODY,
        },
        "207": {"description": "some are; `results` tells which", **_RESULTS_BODY},
    }
    | {
        str(status): {"description": what}
        for status, what in (
            (400, "not JSON, or not what Content-Encoding says; `results` has what was read before it"),
            (413, "too large; `results` has what was taken before the limit was met"),
            (415, "no media type, one that holds no CloudEvent, or two content modes mixed"),
            (422, "none was accepted; `results` tells why"),
            (429, "the key sent more than its rate; send what has no result after `Retry-After` seconds"),
            (503, "the broker did not acknowledge in time; send again with the same ids what has no result"),
        )
    },
}
"""The request and the answers of `POST /v1/events`, for OpenAPI."""


def read_media_type(request: Request) -> str:
    """The media type in lower case; none of the three: one event in binary mode. Raises a 415 `Problem`."""
    content_type = request.headers.get("content-type", "")
    problem = wrong_charset(content_type)
    if problem is not None:
        raise problem
    media = content_type.partition(";")[0].strip().lower()
    binary = any(name.startswith("ce-") for name in request.headers)
    if not media:
        raise Problem(
            415, f"The request names no media type. Send Content-Type: {STRUCTURED}, {BATCH} or {NDJSON}."
        )
    if media in {STRUCTURED, BATCH, NDJSON} and binary:
        raise Problem(
            415, f"The request mixes content modes: {media} and `ce-` headers. Leave out one of them."
        )
    if media != NDJSON and request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, f"Content-Encoding is read for {NDJSON} only. Send {media} as it is.")
    if media not in {STRUCTURED, BATCH, NDJSON} and not binary:
        raise Problem(
            415,
            f"{media} is no CloudEvents media type. Send {STRUCTURED}, {BATCH} or {NDJSON}, or `ce-` headers with JSON.",
        )
    return media


async def read_body(request: Request) -> bytes:
    """The whole body. Raises a 413 `Problem` for one that is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise Problem(
                413,
                f"The body is larger than {LARGEST} bytes. Send less at a time, or NDJSON.",
                limit=LARGEST,
            )
    return bytes(body)
