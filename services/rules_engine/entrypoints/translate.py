"""From the wire to facts: an envelope and its letter become a `FactEvent`, its identity and its content hash."""

from datetime import date, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import cast

import orjson

from schemas.base import Wire
from schemas.envelope import Envelope
from schemas.events import parse_data
from schemas.facts import Driver
from schemas.touchpoints import TOUCHPOINT_EVENTS, TouchpointData
from services.rules_engine.application.account import Heard
from services.rules_engine.domain.facts import FactEvent, Stamp, micros

PREFIX, SUFFIX = "drumbeat.", ".v1"
SCALARS = frozenset({str, int, float, bool, type(None), datetime, date})


@lru_cache(maxsize=256)
def short(event_type: str) -> str:
    """`drumbeat.health.scored.v1` -> `health.scored`."""
    return event_type.removeprefix(PREFIX).removesuffix(SUFFIX)


def identity(source: str, event_id: str) -> bytes:
    """Sixteen bytes for a fact's identity: what a receipt is found by."""
    # The length says where the source ends; JSON would too, at ten times the cost.
    return blake2b(f"{len(source)} {source}{event_id}".encode(), digest_size=16).digest()


def heard(envelope: Envelope, letter: Wire, record: object) -> Heard:
    """The event as the core takes it: only the fields that were present, null where the sender cleared one."""
    # Canonical, so that white space and the order of members do not make another content of it.
    said = orjson.dumps(orjson.loads(envelope.data), option=orjson.OPT_SORT_KEYS)
    about = f"\n{envelope.type}\n{envelope.subject}\n{micros(envelope.time)}".encode()
    content = blake2b(said + about, digest_size=8).digest()
    stamp = Stamp(envelope.time, envelope.source, envelope.id, content.hex())
    event = FactEvent(short(envelope.type), envelope.subject, stamp, fields_of(letter))
    return Heard(event, identity(envelope.source, envelope.id), content, record)


def told(envelope: Envelope) -> FactEvent:
    """An event out of its envelope, whichever topic it would travel on. Raises `Malformed`."""
    announced = envelope.type in TOUCHPOINT_EVENTS
    letter = TouchpointData.read(envelope.data) if announced else parse_data(envelope.type, envelope.data)
    return heard(envelope, letter, None).event


def fields_of(letter: Wire) -> dict[str, object]:
    """Fields by wire name; nested messages as dictionaries, instants and dates as Python's."""
    said = letter.__dict__
    return {
        name: value if type(value := said[name]) in SCALARS else _plain(value)
        for name in letter.__pydantic_fields_set__
        if name in said
    }


def _plain(value: object) -> object:
    # Lists first: asking whether something is a message is the dear question.
    match value:
        case tuple():
            elements = cast("tuple[object, ...]", value)
            return [each if type(each) in SCALARS else _plain(each) for each in elements]
        case dict():
            return {name: _plain(each) for name, each in cast("dict[str, object]", value).items()}
        case Driver():
            return value.text or value.name
        case Wire():
            return value.model_dump(exclude_unset=True, by_alias=True)
        case _:
            return value
