"""Between the published language and the notifier's own values, in both directions."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import orjson
from prometheus_client import Counter

from schemas.directory import AccountRecord, CsmRecord, PreferenceRecord
from schemas.envelope import Envelope
from schemas.notices import NOTICE_REQUESTED, NoticeRequested
from schemas.outcomes import DELIVERY_FINISHED
from schemas.touchpoints import TouchpointData
from services.chassis.outbox import Outgoing, timestamp
from services.notifier.domain.consent import Preference
from services.notifier.domain.delivery import Delivery
from services.notifier.domain.event import KINDS, Announcement, Owner, TouchpointKind, type_of
from services.notifier.domain.people import Account, Contact, Pause, Person

OUTCOMES, SIGNALS = "touchpoint.outcomes", "account.signals"
KIND_OF: dict[str, TouchpointKind] = {type_of(kind): kind for kind in KINDS}
NOBODY = "nobody"
# Counted when written, so a transaction that is rolled back and repeated counts twice: a gauge of work.
FINISHED = Counter("drumbeat_deliveries_total", "Deliveries brought to a final state", ["channel", "state"])


def announcement(event_id: str, type_: str, time: datetime, data: bytes) -> Announcement:
    """A touchpoint event or a notice as the notifier thinks of it; `Malformed` says what is wrong with it."""
    if type_ == NOTICE_REQUESTED:
        return _notice(event_id, time, data)
    said = TouchpointData.read(data)
    return Announcement(
        event_id=event_id,
        kind=KIND_OF[type_],
        time=time,
        touchpoint_id=said.touchpoint_id,
        account_id=said.account_id,
        touchpoint_type=said.touchpoint_type,
        status=said.status,
        sequence=said.sequence,
        owner=Owner(said.owner.kind, said.owner.csm_id, said.owner.email),
        channel=said.channel,
        data=data,
        purpose=said.purpose,
        topic=said.topic,
        audience=said.audience,
        reason_text=said.reason.text,
        due_at=said.due_at,
        deadline=said.deadline,
    )


def _notice(event_id: str, time: datetime, data: bytes) -> Announcement:
    said = NoticeRequested.read(data)
    lines = [f"{each.touchpoint_type.replace('_', ' ')}: {_every(each.every_days)}" for each in said.rhythms]
    return Announcement(
        event_id=event_id,
        kind="notice",
        time=time,
        touchpoint_id=None,
        account_id=said.account_id,
        touchpoint_type=said.kind,
        status="due",
        sequence=0,
        owner=Owner("automation", None, None),
        channel="email",
        data=data,
        purpose="\n".join([said.text, *lines] if said.text else lines),
        topic="account",
        audience=said.audience,
        reason_text=said.reason.text if said.reason else None,
    )


def _every(days: int) -> str:
    if days % 7 == 0:
        weeks = days // 7
        return "every week" if weeks == 1 else f"every {weeks} weeks"
    return "every day" if days == 1 else f"every {days} days"


def heard(envelope: Envelope) -> Announcement:
    return announcement(envelope.id, envelope.type, envelope.time, envelope.data)


def account_of(record: AccountRecord) -> Account:
    return Account(
        account_id=record.account_id,
        name=record.name,
        timezone=record.timezone,
        contacts=tuple(
            Contact(
                contact_id=each.contact_id,
                account_id=record.account_id,
                name=each.name,
                email=each.email,
                role=each.role,
                language=each.language,
                timezone=each.timezone,
                left=each.left,
            )
            for each in record.contacts
        ),
        pauses=tuple(Pause(each.contact_id, each.until, each.reason) for each in record.pauses),
    )


def preference_of(record: PreferenceRecord) -> Preference:
    return Preference(
        contact_id=record.contact_id,
        topic=record.topic,
        channel=record.channel,
        opted_in=record.opted_in,
        frequency=record.frequency,
        time=record.time,
        source=record.source,
        id=record.id,
    )


def person_of(record: CsmRecord) -> Person:
    return Person(record.csm_id, record.name, record.email, record.timezone)


# A batch of deliveries has one moment and few counters: neither is looked up anew for each.
_written = lru_cache(maxsize=64)(timestamp)
_counter = lru_cache(maxsize=64)(FINISHED.labels)


def finished(
    delivery: Delivery, *, account_id: str, touchpoint: tuple[str | None, str | None], at: datetime
) -> Outgoing:
    """What the other services hear of a delivery in its final state; `touchpoint` is (id, type)."""
    _counter(delivery.channel, delivery.state).inc()
    data = orjson.dumps(
        {
            "delivery_id": delivery.id,
            "touchpoint_id": touchpoint[0],
            "touchpoint_type": touchpoint[1],
            "channel": delivery.channel,
            "recipient": {"kind": delivery.recipient.kind, "id": delivery.recipient.id or NOBODY},
            "state": delivery.state,
            "reason": delivery.reason,
            "at": _written(at),
        }
    )
    return Outgoing(OUTCOMES, account_id, f"{delivery.id}:finished", DELIVERY_FINISHED, at, data)


def preference_facts(words: Sequence[Preference], account_id: str) -> list[Outgoing]:
    """Preferences taken in here, as facts for the rules engine. An absent field is one that was not said."""
    return [
        Outgoing(
            SIGNALS,
            account_id,
            each.id,
            "drumbeat.preference.changed.v1",
            each.time,
            orjson.dumps({name: value for name, value in _said(each) if value is not None}),
        )
        for each in words
    ]


def _said(word: Preference) -> list[tuple[str, object]]:
    return [
        ("contact_id", word.contact_id),
        ("topic", word.topic),
        ("channel", word.channel),
        ("frequency", word.frequency),
        ("opted_in", word.opted_in),
    ]
