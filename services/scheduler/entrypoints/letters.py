"""From the published language to the domain's: plans, outcomes and directory records."""

from uuid import UUID

import orjson

from schemas.directory import AccountRecord, CsmRecord, KeyRecord
from schemas.envelope import Envelope
from schemas.outcomes import DeliveryFinished, TouchpointSettled
from schemas.plans import Avoid as AvoidItem
from schemas.plans import OneOffItem, PlanAdjusted, RhythmItem
from schemas.problems import Malformed
from schemas.times import WEEKDAYS, clock_time
from services.chassis.keys import ApiKey
from services.scheduler.application.people import AccountEntry, PersonEntry
from services.scheduler.application.settle import Settlement
from services.scheduler.domain.avoid import Avoid
from services.scheduler.domain.plan import OneOff, Plan
from services.scheduler.domain.recurrence import Rhythm
from services.scheduler.domain.touchpoint import Face, Outcome, Owner

Item = RhythmItem | OneOffItem


def plan_of(data: bytes) -> Plan:
    """A plan from its letter. Raises Malformed."""
    letter = PlanAdjusted.read(data)
    return Plan(
        letter.account_id,
        letter.version,
        letter.decided_at,
        tuple(_rhythm(each) for each in letter.rhythms),
        tuple(_one_off(each) for each in letter.touchpoints),
        tuple(_avoid(each) for each in letter.avoid),
    )


def _avoid(item: AvoidItem) -> Avoid:
    return Avoid(item.name, item.from_, item.to, tuple(item.touchpoint_types), item.text)


def _rhythm(item: RhythmItem) -> Rhythm:
    return Rhythm(
        type=item.touchpoint_type,
        every_days=item.every_days,
        owner=Owner(item.owner),
        csm_id=item.csm_id,
        minutes=item.minutes,
        face=_face(item),
        urgent=item.urgency == "soon",
        last_touch_at=item.last_touch_at,
        never_skip=item.never_skip,
    )


def _one_off(item: OneOffItem) -> OneOff:
    return OneOff(
        id=uuid_text(item.id, "touchpoints[].id"),
        type=item.touchpoint_type,
        start=item.window.from_,
        end=max(item.window.from_, item.window.to),
        deadline=item.deadline,
        owner=Owner(item.owner),
        csm_id=item.csm_id,
        minutes=item.minutes,
        face=_face(item),
        spacing_days=item.spacing_days,
        never_skip=item.never_skip,
    )


def _face(item: Item) -> Face:
    reason = orjson.dumps(item.reason.model_dump(mode="json")).decode()
    return Face(item.channel, item.purpose, item.topic, tuple(item.audience), reason)


def uuid_text(text: str, place: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise Malformed(f"{place}: {text!r} is not a touchpoint's id (a UUID)") from None


def settlement_of(envelope: Envelope) -> Settlement:
    """What somebody says became of a touchpoint. Raises Malformed."""
    said = TouchpointSettled.read(envelope.data)
    name = None if said.touchpoint_id is None else uuid_text(said.touchpoint_id, "data.touchpoint_id")
    outcome = Outcome(said.outcome, envelope.time, envelope.source, envelope.id, said.notes)
    return Settlement(envelope.subject, name, said.touchpoint_type, outcome, said.to)


def delivery_of(envelope: Envelope) -> Settlement | None:
    """What a delivery proves about its touchpoint; None when it proves nothing. Raises Malformed."""
    done = DeliveryFinished.read(envelope.data)
    if done.touchpoint_id is None or done.recipient.kind == "subscription":
        return None
    name = uuid_text(done.touchpoint_id, "data.touchpoint_id")
    kind = "completed" if done.state == "sent" else "missed"
    outcome = Outcome(kind, envelope.time, envelope.source, envelope.id, done.reason)
    return Settlement(envelope.subject, name, done.touchpoint_type or "", outcome, by_delivery=True)


def key_of(data: bytes) -> ApiKey:
    record = KeyRecord.read(data)
    return ApiKey(
        record.key_id,
        record.sha256,
        frozenset(record.scopes),
        record.expires_at,
        record.revoked,
        record.version,
    )


def account_of(data: bytes) -> AccountEntry:
    record = AccountRecord.read(data)
    return AccountEntry(record.account_id, record.version, record.name, record.csm_id, record.timezone)


def csm_of(data: bytes) -> PersonEntry:
    record = CsmRecord.read(data)
    days, hours = record.working_days, record.working_hours
    return PersonEntry(
        csm_id=record.csm_id,
        version=record.version,
        name=record.name,
        email=record.email,
        timezone=record.timezone,
        weekly_minutes=record.weekly_minutes,
        days=None if days is None else sorted(WEEKDAYS.index(each) for each in days),
        start=None if hours is None else clock_time(hours.from_),
        end=None if hours is None else clock_time(hours.to),
        away=[(each.from_, each.to) for each in record.time_off],
        pool=record.pool,
    )
