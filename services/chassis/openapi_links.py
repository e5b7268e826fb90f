"""Links of an OpenAPI document (OpenAPI 3.1, Link Object): which operation reads or changes what another one answered."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast


@dataclass(frozen=True, slots=True)
class Links:
    """Links from one answer. Operations are `METHOD /path`, as the document has them.

    `parameters` of the targets, and members of their JSON `body`, by name: runtime expressions such as
    `$response.body#/id`.
    """

    source: str
    status: int
    targets: Sequence[str]
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, str] = field(default_factory=dict[str, str])


DEAD_LETTERS = Links(
    "GET /v1/dead-letters",
    200,
    ("POST /v1/dead-letters/{letter_id}/replay",),
    {"letter_id": "$response.body#/items/0/id"},
)
"""Of every service that lists dead letters."""


def add_links(document: dict[str, Any], links: Iterable[Links]) -> None:
    """Write the links into the document. Raises KeyError for an operation or an answer that it does not have."""
    for link in links:
        answers = cast("dict[str, dict[str, Any]]", _operation(document, link.source)["responses"])
        named = answers[str(link.status)].setdefault("links", {})
        for target in link.targets:
            operation: dict[str, Any] = {"operationId": _operation(document, target)["operationId"]}
            if link.parameters:
                operation["parameters"] = dict(link.parameters)
            if link.body:
                operation["requestBody"] = dict(link.body)
            named[re.sub(r"\W+", "_", target).strip("_")] = operation


def _operation(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    method, path = name.split(" ")
    return document["paths"][path][method.lower()]
