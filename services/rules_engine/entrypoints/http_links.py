"""Which operation follows which: the links of the OpenAPI document."""

from typing import Final

from services.chassis.openapi_links import DEAD_LETTERS, Links

_RECEIPT: Final = {"source": "$response.body#/results/0/source", "id": "$response.body#/results/0/id"}
_ACCOUNT: Final = "/v1/accounts/{account_id}"
_OF_ACCOUNT: Final = (
    f"GET {_ACCOUNT}",
    f"GET {_ACCOUNT}/decisions",
    f"GET {_ACCOUNT}/why",
    f"DELETE {_ACCOUNT}",
)
_POLICY: Final = ("GET /v1/policies/{policy_hash}", "GET /v1/policies/{policy_hash}/document")
_CHANGES_POLICY: Final = ("PUT /v1/policies/current", "POST /v1/policies/rollback")
LINKS: Final = (
    Links("POST /v1/events", 202, ("GET /v1/events",), _RECEIPT),
    Links("POST /v1/events", 202, _OF_ACCOUNT, {"account_id": "$request.body#/subject"}),
    Links("GET /v1/accounts", 200, _OF_ACCOUNT, {"account_id": "$response.body#/items/0/id"}),
    Links("POST /v1/keys", 201, ("DELETE /v1/keys/{key_id}",), {"key_id": "$response.body#/key_id"}),
    Links(
        "POST /v1/sessions",
        201,
        ("DELETE /v1/sessions/{session_id}",),
        {"session_id": "$response.body#/session_id"},
    ),
    Links("GET /v1/policies/current", 200, _POLICY, {"policy_hash": "$response.body#/hash"}),
    Links(
        "GET /v1/policies/current",
        200,
        ("PUT /v1/policies/current",),
        body={"files": "$response.body#/files"},
    ),
    *(
        Links(source, status, _POLICY, {"policy_hash": "$response.body#/hash"})
        for source in _CHANGES_POLICY
        for status in (200, 201)
    ),
    Links(
        "GET /v1/policies",
        200,
        ("POST /v1/policies/rollback",),
        body={"version": "$response.body#/items/1/version"},
    ),
    Links(
        "GET /v1/parked",
        200,
        ("POST /v1/parked/{parked_id}/replay",),
        {"parked_id": "$response.body#/items/0/id"},
    ),
    DEAD_LETTERS,
)
