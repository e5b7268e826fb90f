"""Plans as documents, in the shapes of the wire, and back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from services.rules_engine.domain.codec import dumps, loads
from services.rules_engine.domain.facts import Plain
from services.rules_engine.domain.plan.shapes import Evidence, OneOffItem, Plan, Reason, RhythmItem

_Document = Mapping[str, object]


def plan_document(plan: Plan) -> dict[str, object]:
    """`{rhythms, touchpoints}`, JSON-ready: times as RFC 3339 text in UTC."""
    return {
        "rhythms": [_rhythm(each) for each in plan.rhythms],
        "touchpoints": [_one_off(each) for each in plan.touchpoints],
    }


def plan_bytes(plan: Plan) -> bytes:
    """The canonical JSON of `plan_document`: without version and moment, equal for equal plans."""
    return dumps(plan_document(plan))


def plan_from_bytes(data: bytes) -> Plan:
    """The plan that `plan_bytes` wrote."""
    document = cast("Mapping[str, list[_Document]]", loads(data))
    return Plan(
        tuple(_read_rhythm(each) for each in document["rhythms"]),
        tuple(_read_one_off(each) for each in document["touchpoints"]),
    )


def text_of(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, with microseconds only where there are some."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def time_of(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def evidence_of(document: _Document) -> Evidence:
    return Evidence(
        str(document.get("name")),
        cast("Plain", document.get("value")),
        str(document.get("source")),
        str(document.get("id")),
        time_of(document.get("time")) or datetime.fromtimestamp(0, UTC),
    )


def _reason(reason: Reason) -> dict[str, object]:
    return {
        "rule": reason.rule,
        "policy": reason.policy,
        "facts": [
            {
                "name": each.name,
                "value": each.value,
                "source": each.source,
                "id": each.id,
                "time": text_of(each.time),
            }
            for each in reason.facts
        ],
        "text": reason.text,
    }


def _shared(item: RhythmItem | OneOffItem) -> dict[str, object]:
    return {
        "touchpoint_type": item.touchpoint_type,
        "channel": item.channel,
        "owner": item.owner,
        "csm_id": item.csm_id,
        "purpose": item.purpose,
        "topic": item.topic,
        "minutes": item.minutes,
        "audience": list(item.audience),
        "reason": _reason(item.reason),
    }


def _rhythm(item: RhythmItem) -> dict[str, object]:
    return {
        **_shared(item),
        "every_days": item.every_days,
        "urgency": item.urgency,
        "last_touch_at": text_of(item.last_touch_at),
    }


def _one_off(item: OneOffItem) -> dict[str, object]:
    return {
        **_shared(item),
        "id": item.id,
        "window": {"from": text_of(item.window_from), "to": text_of(item.window_to)},
        "deadline": text_of(item.deadline),
        "spacing_days": item.spacing_days,
        "cause": None if item.cause is None else {"source": item.cause[0], "id": item.cause[1]},
    }


def _read_reason(document: object) -> Reason:
    said = cast("_Document", document)
    return Reason(
        str(said["rule"]),
        str(said["policy"]),
        tuple(evidence_of(each) for each in cast("list[_Document]", said["facts"])),
        str(said["text"]),
    )


def _read_rhythm(document: _Document) -> RhythmItem:
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
        last_touch_at=time_of(document["last_touch_at"]),
        reason=_read_reason(document["reason"]),
    )


def _read_one_off(document: _Document) -> OneOffItem:
    window = cast("Mapping[str, str]", document["window"])
    cause = cast("Mapping[str, str] | None", document["cause"])
    return OneOffItem(
        id=str(document["id"]),
        touchpoint_type=str(document["touchpoint_type"]),
        window_from=datetime.fromisoformat(window["from"]),
        window_to=datetime.fromisoformat(window["to"]),
        deadline=time_of(document["deadline"]),
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
    )
