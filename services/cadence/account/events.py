"""Read CloudEvents: an envelope and its data become a `FactEvent` with its provenance."""

from datetime import date, datetime
from hashlib import blake2b
from typing import cast

import orjson

from schemas.base import SchemaModel
from schemas.envelope import Envelope
from schemas.events import read_data
from schemas.facts import Driver
from schemas.touchpoints import TOUCHPOINT_EVENTS, TouchpointData
from services.cadence.account.stamps import Provenance, micros
from services.cadence.account.state import FactEvent

SCALARS = frozenset({str, int, float, bool, type(None), datetime, date})


def fact_event(envelope: Envelope, data: SchemaModel) -> FactEvent:
    """The event of an envelope and its parsed data: only the fields that were present, null where one was cleared.

    The provenance's hash (16 hex digits, blake2b-64) is that of the canonical content, so that white space and the order
    of members do not make another content.
    """
    canonical = orjson.dumps(orjson.loads(envelope.data), option=orjson.OPT_SORT_KEYS)
    about = f"\n{envelope.type}\n{envelope.subject}\n{micros(envelope.time)}".encode()
    content = blake2b(canonical + about, digest_size=8).hexdigest()
    provenance = Provenance(envelope.time, envelope.source, envelope.id, content)
    short_type = envelope.type.removeprefix("drumbeat.").removesuffix(".v1")
    return FactEvent(short_type, envelope.subject, provenance, fields_of(data))


def read_event(envelope: Envelope) -> FactEvent:
    """Clean and parse the data of an envelope of any topic. Raises `Malformed`."""
    if envelope.type in TOUCHPOINT_EVENTS:
        return fact_event(envelope, TouchpointData.read(envelope.data))
    data, envelope.data, _ = read_data(envelope.type, envelope.data)
    return fact_event(envelope, data)


def fields_of(data: SchemaModel) -> dict[str, object]:
    """The fields that were present, by their JSON names; nested models as dictionaries, instants as datetimes."""
    values = data.__dict__
    return {
        name: value if type(value := values[name]) in SCALARS else _simplify(value)
        for name in data.__pydantic_fields_set__
        if name in values
    }


def _simplify(value: object) -> object:
    # The check for a model is the slowest, so it comes last.
    match value:
        case tuple():
            elements = cast("tuple[object, ...]", value)
            return [element if type(element) in SCALARS else _simplify(element) for element in elements]
        case dict():
            members = cast("dict[str, object]", value)
            return {name: _simplify(member) for name, member in members.items()}
        case Driver():
            return value.text or value.name
        case SchemaModel():
            return value.model_dump(exclude_unset=True, by_alias=True)
        case _:
            return value
