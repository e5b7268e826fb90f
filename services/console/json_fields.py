"""Tolerant reading of API documents: a field that is missing or of another type counts as absent."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

Json = dict[str, object]


def text(document: Mapping[str, object], name: str) -> str:
    """The string under `name`, or an empty one."""
    value = document.get(name)
    return value if isinstance(value, str) else ""


def number(document: Mapping[str, object], name: str) -> int:
    """The number under `name`, cut to an integer, or 0."""
    value = document.get(name)
    return int(value) if isinstance(value, int | float) else 0


def nested(document: Mapping[str, object], name: str) -> Json:
    """The object under `name`, or an empty one."""
    value = document.get(name)
    return cast("Json", value) if isinstance(value, dict) else {}


def values(document: Mapping[str, object], name: str) -> list[object]:
    """The list under `name`, or an empty one."""
    value = document.get(name)
    return cast("list[object]", value) if isinstance(value, list) else []


def items(document: Mapping[str, object], name: str = "items") -> list[Json]:
    """The objects of the list under `name`."""
    return [cast("Json", item) for item in values(document, name) if isinstance(item, dict)]


def texts(document: Mapping[str, object], name: str) -> list[str]:
    """The strings of the list under `name`."""
    return [item for item in values(document, name) if isinstance(item, str)]


def instant(document: Mapping[str, object], name: str) -> datetime | None:
    """The instant under `name`, in UTC; None for a missing, malformed or zoneless one."""
    try:
        at = datetime.fromisoformat(text(document, name))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo is not None else None
