"""The audit log as rows of a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import cast

import orjson

from schemas.times import format_instant
from services.chassis.keys import is_user, key_of_session
from services.console.json_fields import Json, instant, nested, number, text

_ACTORS = {"drumbeat": "Drumbeat itself", "link": "the holder of a link"}


@dataclass(frozen=True, slots=True)
class AuditRow:
    """`actor` as a person reads it; `changes`: (name, before, after) of every value that differs."""

    seq: int
    at: datetime | None
    service: str
    actor: str
    action: str
    object: str
    object_name: str
    changes: Sequence[tuple[str, str, str]]
    detail: str


def audit_rows(entries: Sequence[Json]) -> list[AuditRow]:
    return [
        AuditRow(
            number(entry, "seq"),
            instant(entry, "at"),
            text(entry, "service").replace("_", " "),
            actor_name(text(entry, "actor"), text(entry, "actor_name")),
            text(entry, "action").replace(".", " ").replace("_", " "),
            text(entry, "object"),
            text(entry, "object_name"),
            _changes(entry),
            text(entry, "detail"),
        )
        for entry in entries
    ]


def actor_name(actor: str, name: str = "") -> str:
    """`Kim Okafor`, `key crm (1a2b3c4d)`, `key 1a2b3c4d, in a session`, or what stands for nobody's key."""
    key_id = key_of_session(actor)
    if is_user(key_id or actor):
        return name or f"user {key_id or actor}"
    if name:
        return f"key {name} ({key_id or actor})" + (", in a session" if key_id else "")
    if key_id is not None:
        return f"key {key_id}, in a session"
    if actor.startswith("source "):
        return actor
    return _ACTORS.get(actor, f"key {actor}")


def day_range(filters: Mapping[str, str]) -> tuple[dict[str, str | int | list[str]], str]:
    """The query of the filters, whose days are whole days in UTC, and what is wrong with a day, or ""."""
    query: dict[str, str | int | list[str]] = {}
    for name, value in filters.items():
        if not value:
            continue
        if name not in ("from", "to"):
            query[name] = value
            continue
        try:
            day = date.fromisoformat(value) + timedelta(days=name == "to")
            query[name] = format_instant(datetime(day.year, day.month, day.day, tzinfo=UTC))
        except (ValueError, OverflowError):
            return {}, f"“{value}” is not a day like 2026-03-31."
    return query, ""


def _changes(entry: Json) -> list[tuple[str, str, str]]:
    before, after = nested(entry, "before"), nested(entry, "after")
    names = [*before, *(name for name in after if name not in before)]
    return [
        (name.replace("_", " "), _value(before.get(name)), _value(after.get(name)))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _value(value: object) -> str:
    """A value in words: lists with commas, an object by its known fields, what is deeper as JSON, nothing for nothing."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            parts = cast("list[object]", value)
            is_plain = all(isinstance(part, str) for part in parts)
            return ", ".join(map(str, parts)) if is_plain else orjson.dumps(parts).decode()
        case str():
            at = instant({"at": value}, "at")
            return value if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
        case int() | float():
            return str(value)
        case dict():
            fields = cast("Json", value)
            known = {name: part for name, part in fields.items() if part is not None}
            if any(isinstance(part, dict | list) for part in known.values()):
                return orjson.dumps(fields).decode()
            return ", ".join(f"{name.replace('_', ' ')}: {_value(part)}" for name, part in known.items())
        case _:
            return orjson.dumps(value).decode()
