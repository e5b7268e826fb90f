"""Documents of the APIs, read tolerantly: what is missing or of another kind is absent, never a crash."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

Json = dict[str, object]


def text(document: Mapping[str, object], name: str) -> str:
    """The string under `name`; empty when there is none."""
    found = document.get(name)
    return found if isinstance(found, str) else ""


def number(document: Mapping[str, object], name: str) -> int:
    found = document.get(name)
    return int(found) if isinstance(found, int | float) else 0


def part(document: Mapping[str, object], name: str) -> Json:
    """The object under `name`; empty when there is none."""
    found = document.get(name)
    return cast("Json", found) if isinstance(found, dict) else {}


def items(document: Mapping[str, object], name: str = "items") -> list[Json]:
    """The objects of the list under `name`."""
    found = document.get(name)
    listed = cast("list[object]", found) if isinstance(found, list) else []
    return [cast("Json", each) for each in listed if isinstance(each, dict)]


def moment(document: Mapping[str, object], name: str) -> datetime | None:
    """The instant under `name`, in UTC; None for what is none."""
    try:
        found = datetime.fromisoformat(text(document, name))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None
