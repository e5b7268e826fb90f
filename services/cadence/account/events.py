"""Read CloudEvents: an envelope and its data become a `FactEvent` with its provenance."""

from datetime import date, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import cast

import orjson

from schemas.base import SchemaModel
from schemas.envelope import Envelope
from schemas.events import parse_data
from schemas.facts import Driver
from schemas.touchpoints import TOUCHPOINT_EVENTS, TouchpointData
from services.cadence.account.stamps import Provenance, micros
from services.cadence.account.state import FactEvent

PREFIX, SUFFIX = "drumbeat.", ".v1"
SCALARS = frozenset({str, int, float, bool, type(None), datetime, date})


@lru_cache(maxsize=256)
def short(event_type: str) -> str:
    """`drumbeat.health.scored.v1` -> `health.scored`."""
    return event_type.removeprefix(PREFIX).removesuffix(SUFFIX)


def fact_event(envelope: Envelope, data: SchemaModel) -> FactEvent:
    """The event of an envelope and its parsed data: only the fields that were present, null where one was cleared.

    The provenance's hash (16 hex digits, blake2b-64) is that of the canonical content, so that white space and the order
    of members do not make another content.
    """
    canonical = orjson.dumps(orjson.loads(envelope.data), option=orjson.OPT_SORT_KEYS)
    about = f"\n{envelope.type}\n{envelope.subject}\n{micros(envelope.time)}".encode()
    content = blake2b(canonical + about, digest_size=8).hexdigest()
    provenance = Provenance(envelope.time, envelope.source, envelope.id, content)
    return FactEvent(short(envelope.type), envelope.subject, provenance, fields_of(data))


def read_event(envelope: Envelope) -> FactEvent:
    """Parse the data of an envelope, whichever topic it travels on. Raises `Malformed`."""
    announced = envelope.type in TOUCHPOINT_EVENTS
    data = TouchpointData.read(envelope.data) if announced else parse_data(envelope.type, envelope.data)
    return fact_event(envelope, data)


def fields_of(letter: SchemaModel) -> dict[str, object]:
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
        case SchemaModel():
            return value.model_dump(exclude_unset=True, by_alias=True)
        case _:
            return value
