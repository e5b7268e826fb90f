"""Which scope each call needs, as a Markdown page."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

HEAD = """# Scopes

Which scope of an API key each call needs. Generated from the OpenAPI documents by `make generate`; do not edit.

A key has one scope or several: `signals`, `directory`, `consent`, `act`, `read`, `policy`, `admin`. `admin` includes all
others. `events`, of keys from before, is `signals`, `directory` and `consent`. "None" needs no key: it is public, or the
address itself is the proof. "Any key" needs a valid key, whatever its scopes.
"""
EVENTS_HEAD = """
## Events by type

A key sends the events that its scopes cover; others of the same batch are refused one by one (207, or 403 when none is
left).

| event type | scope |
|---|---|
"""


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...] | None]]:
    """(method, path, scopes of which one suffices) of every operation; None: it needs no key; empty: any key."""
    for path, methods in sorted(cast("dict[str, dict[str, Any]]", document["paths"]).items()):
        for method, operation in sorted(methods.items()):
            yield method.upper(), path, needed_scopes(operation)


def needed_scopes(operation: Mapping[str, Any]) -> tuple[str, ...] | None:
    security = cast("list[dict[str, list[str]]] | None", operation.get("security"))
    if not security:
        return None
    return tuple(scope for alternative in security for scopes in alternative.values() for scope in scopes)


def words(scopes: tuple[str, ...] | None) -> str:
    if scopes is None:
        return "none"
    return " or ".join(f"`{scope}`" for scope in scopes) or "any key"


def write_page(documents: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole page, from the OpenAPI documents by service."""
    parts, events = [HEAD], dict[str, list[str]]()
    for service, document in documents.items():
        parts.append(f"\n## {service}\n\n| call | path | scope |\n|---|---|---|\n")
        parts += [
            f"| {method} | `{path}` | {words(scopes)} |\n" for method, path, scopes in operations(document)
        ]
        for methods in cast("dict[str, dict[str, Any]]", document["paths"]).values():
            for operation in methods.values():
                events |= operation.get("x-event-scopes", {})
    parts.append(EVENTS_HEAD)
    parts += [f"| `{name}` | {words(tuple(scopes))} |\n" for name, scopes in sorted(events.items())]
    return "".join(parts)
