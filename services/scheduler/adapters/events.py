"""What is said of touchpoints on `touchpoint.events`, built as bytes: the release has no time for models."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import orjson

from schemas.outcomes import TOUCHPOINT_SETTLED, TouchpointSettled
from services.chassis.outbox import Outgoing, timestamp
from services.scheduler.adapters.rows import REASON, fragment
from services.scheduler.application.ports import Kept, Kind
from services.scheduler.domain.touchpoint import Outcome, Status, Touchpoint

EVENTS = "touchpoint.events"
OUTCOMES = "touchpoint.outcomes"
TYPES: Mapping[Kind, str] = {
    "scheduled": "drumbeat.touchpoint.scheduled.v1",
    "moved": "drumbeat.touchpoint.moved.v1",
    "cancelled": "drumbeat.touchpoint.cancelled.v1",
    "due": "drumbeat.touchpoint.due.v1",
    "overdue": "drumbeat.touchpoint.overdue.v1",
}


def moment(value: datetime | None) -> str:
    if value is None:
        return "null"
    if value.tzinfo is UTC:  # as PostgreSQL answers
        return f'"{value.isoformat()[:-6]}Z"'
    return f'"{timestamp(value)}"'


@lru_cache(maxsize=10_000)
def text(value: str | None) -> str:
    """A short, often repeated text (a type, an account, a person) as JSON."""
    return orjson.dumps(value).decode()


def owner(kind: str, csm_id: str | None, email: str | None) -> str:
    return f'{{"kind":"{kind}","csm_id":{text(csm_id)},"email":{text(email)}}}'


def closed_face(face: str, verdict: str) -> str:
    """A face whose reason says why the touchpoint was cancelled; the rule and the facts stay."""
    members, _, reason = face.partition(REASON)
    said = orjson.loads(reason)
    said["text"] = verdict
    return members + REASON + orjson.dumps(said).decode()


def kept_events(kept: Sequence[Kept], emails: Mapping[str, str | None], now: datetime) -> list[Outgoing]:
    """An event for every kept touchpoint that the world is to hear of."""
    return [_event(each, each.tell, emails, now) for each in kept if each.tell is not None]


def _event(kept: Kept, kind: Kind, emails: Mapping[str, str | None], now: datetime) -> Outgoing:
    each = kept.touchpoint
    face, start = fragment(kept.face), min(each.start, each.due_at)
    if each.status is Status.CANCELLED and each.verdict is not None:
        face = closed_face(face, f"{each.verdict.closure}: {each.verdict.text}")
    data = (
        f'{{"touchpoint_id":"{each.id}","account_id":{text(each.account_id)},"touchpoint_type":{text(each.type)},'
        f'"status":"{each.status}","due_at":{moment(each.due_at)},"released_at":{moment(each.released_at)},'
        f'"deadline":{moment(each.deadline)},"window":{{"from":{moment(start)},"to":{moment(each.end)}}},'
        f'"owner":{owner(each.owner, each.csm_id, emails.get(each.csm_id or ""))},"sequence":{each.sequence},'
        f'"minutes":{each.minutes},"occurrence":{orjson.dumps(each.number).decode()},'
        f'"previous_due_at":{moment(kept.previous_due_at)},"note":{text(kept.note)},{face}}}'
    )
    return outgoing(each.id, each.account_id, each.sequence, kind, data, now=now)


def outgoing(
    touchpoint_id: str, account_id: str, sequence: int, kind: Kind, data: str, *, now: datetime
) -> Outgoing:
    return Outgoing(EVENTS, account_id, f"{touchpoint_id}:{sequence}:{kind}", TYPES[kind], now, data.encode())


def settled_event(touchpoint: Touchpoint, outcome: Outcome, to: datetime | None) -> Outgoing:
    """What a person said here, for those who read `touchpoint.outcomes`. Its id is the outcome's."""
    data = TouchpointSettled.model_validate(
        {
            "touchpoint_id": touchpoint.id,
            "touchpoint_type": touchpoint.type,
            "outcome": outcome.kind,
            "at": outcome.time,
            "to": to,
            "notes": outcome.notes,
        }
    )
    return Outgoing(
        OUTCOMES, touchpoint.account_id, outcome.id, TOUCHPOINT_SETTLED, outcome.time, data.write()
    )
