"""CSMs as events describe them: stamped fields, of which the latest counts, and the record that services share."""

from collections.abc import Iterable, Mapping
from typing import Final

import orjson

from schemas.directory import CsmRecord
from schemas.zones import zones_of_country
from services.cadence.account import FactEvent, Fields, Plain, StampedFields, merge_fields, stamp_of

CSM_FIELDS: Final = (
    "name", "email", "timezone", "weekly_minutes", "working_days", "working_hours", "time_off", "pool",
    "phone", "language", "country", "region", "role", "manager_id", "booking_url", "slack", "news_by",
)  # fmt: skip


def json_values(fields: Mapping[str, object]) -> Fields:
    """Each value as JSON text: lists and nested objects are merged whole."""
    return {name: orjson.dumps(value, default=str).decode() for name, value in fields.items()}


def merge_description(stored: StampedFields, event: FactEvent) -> bool:
    """Merge a `csm.described` event in place; whether anything changed."""
    described = {name: event.fields[name] for name in CSM_FIELDS if name in event.fields}
    return merge_fields(stored, stamp_of(event.provenance), json_values(described))[0]


def csm_values(stored: StampedFields) -> dict[str, Plain]:
    """Each field that has a value, as JSON."""
    return {name: value for fields in stored.values() for name, value in fields.items() if value != "null"}


def csm_record(csm_id: str, stored: StampedFields, version: int) -> CsmRecord:
    """The record of `directory.csms`."""
    values = {name: orjson.loads(str(value)) for name, value in csm_values(stored).items()}
    record = {name: values.get(name) for name in CSM_FIELDS}
    record["time_off"] = record["time_off"] or []
    zones = zones_of_country(str(record["country"] or ""))
    if not record["timezone"] and len(zones) == 1:
        record |= {"timezone": zones[0], "timezone_derived": True}
    return CsmRecord.read(orjson.dumps({"csm_id": csm_id, **record, "version": version}))


def csm_records(descriptions: Iterable[FactEvent]) -> list[CsmRecord]:
    """The records of the CSMs that these events describe, in order of their ids."""
    stored: dict[str, StampedFields] = {}
    for event in descriptions:
        merge_description(stored.setdefault(event.account_id, {}), event)
    return [csm_record(csm_id, stored[csm_id], 1) for csm_id in sorted(stored)]
