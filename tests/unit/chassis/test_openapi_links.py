"""Links between operations of an OpenAPI document."""

from typing import Any

import pytest

from services.chassis.openapi_links import Links, add_links


def document() -> dict[str, Any]:
    return {
        "paths": {
            "/things": {"post": {"operationId": "create", "responses": {"201": {}}}},
            "/things/{id}": {"delete": {"operationId": "delete", "responses": {"204": {}}}},
        }
    }


def test_a_link_names_its_operation_and_where_its_values_come_from() -> None:
    written = document()
    values = {"id": "$response.body#/id"}
    add_links(
        written, [Links("POST /things", 201, ("DELETE /things/{id}",), values, {"version": "$statusCode"})]
    )
    (name, link), *more = written["paths"]["/things"]["post"]["responses"]["201"]["links"].items()
    assert (name, more) == ("DELETE_things_id", [])
    assert link == {"operationId": "delete", "parameters": values, "requestBody": {"version": "$statusCode"}}


@pytest.mark.parametrize(
    "link",
    [
        Links("POST /things", 200, ("DELETE /things/{id}",)),
        Links("POST /things", 201, ("GET /things/{id}",)),
        Links("POST /others", 201, ()),
    ],
)
def test_a_link_of_what_the_document_does_not_have_is_refused(link: Links) -> None:
    with pytest.raises(KeyError):
        add_links(document(), [link])
