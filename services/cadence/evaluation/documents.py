"""Plans as documents, in the shapes of the wire: what is stored, sent and compared. Values for whoever asks for them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast

from services.cadence.account import Plain, moment
from services.cadence.account.codec import dumps, loads
from services.cadence.evaluation.shapes import Avoid, Evidence, OneOffItem, Plan, Reason, RhythmItem

Document = Mapping[str, object]


def plan_bytes(document: Document) -> bytes:
    """The canonical JSON of a plan: without version and moment, equal for equal plans."""
    return dumps(document)


def plan_from_bytes(data: bytes) -> Plan:
    return plan_of(document_from_bytes(data))


def document_from_bytes(data: bytes) -> Document:
    return cast("Document", loads(data))


def plan_of(document: Document) -> Plan:
    """A plan's document as values."""
    parts = cast("Mapping[str, list[Document]]", document)
    return Plan(
        tuple(_read_rhythm(each) for each in parts["rhythms"]),
        tuple(_read_one_off(each) for each in parts["touchpoints"]),
        tuple(_read_avoid(each) for each in parts.get("avoid", ())),
    )


@lru_cache(maxsize=16_384)
def text_at(value: int) -> str:
    """Microseconds since 1970 as RFC 3339 in UTC, with a fraction only where there is one.

    Remembered: windows open and close at midnight, and one fact stands behind many words.
    """
    return moment(value).isoformat()[:-6] + "Z"


def _time(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def _evidence(document: Document) -> Evidence:
    return Evidence(
        str(document.get("name")),
        cast("Plain", document.get("value")),
        str(document.get("source")),
        str(document.get("id")),
        _time(document.get("time")) or datetime.fromtimestamp(0, UTC),
    )


def _read_reason(document: object) -> Reason:
    said = cast("Document", document)
    return Reason(
        str(said["rule"]),
        str(said["policy"]),
        tuple(_evidence(each) for each in cast("list[Document]", said["facts"])),
        str(said["text"]),
    )


def _read_rhythm(document: Document) -> RhythmItem:
    return RhythmItem(
        touchpoint_type=str(document["touchpoint_type"]),
        every_days=cast("int", document["every_days"]),
        channel=str(document["channel"]),
        owner=str(document["owner"]),
        csm_id=cast("str | None", document["csm_id"]),
        purpose=str(document["purpose"]),
        topic=cast("str | None", document["topic"]),
        minutes=cast("int", document["minutes"]),
        audience=tuple(cast("list[str]", document["audience"])),
        urgency=str(document["urgency"]),
        last_touch_at=_time(document["last_touch_at"]),
        reason=_read_reason(document["reason"]),
        never_skip=document.get("never_skip") is True,
    )


def _read_one_off(document: Document) -> OneOffItem:
    window = cast("Mapping[str, str]", document["window"])
    cause = cast("Mapping[str, str] | None", document["cause"])
    return OneOffItem(
        id=str(document["id"]),
        touchpoint_type=str(document["touchpoint_type"]),
        window_from=datetime.fromisoformat(window["from"]),
        window_to=datetime.fromisoformat(window["to"]),
        deadline=_time(document["deadline"]),
        channel=str(document["channel"]),
        owner=str(document["owner"]),
        csm_id=cast("str | None", document["csm_id"]),
        purpose=str(document["purpose"]),
        topic=cast("str | None", document["topic"]),
        minutes=cast("int", document["minutes"]),
        audience=tuple(cast("list[str]", document["audience"])),
        spacing_days=cast("int | None", document["spacing_days"]),
        cause=None if cause is None else (cause["source"], cause["id"]),
        reason=_read_reason(document["reason"]),
        never_skip=document.get("never_skip") is True,
    )


def _read_avoid(document: Document) -> Avoid:
    return Avoid(
        str(document["name"]),
        datetime.fromisoformat(str(document["from"])),
        _time(document["to"]),
        tuple(cast("list[str]", document["touchpoint_types"])),
        str(document["text"]),
    )
