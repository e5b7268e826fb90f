"""Which operation follows which: the links of the OpenAPI document."""

from typing import Final

from services.chassis.openapi_links import DEAD_LETTERS, Links

_ONE: Final = "/v1/touchpoints/{touchpoint_id}"
_ACTS: Final = tuple(
    f"POST {_ONE}/{act}" for act in ("settle", "reschedule", "reassign", "cancel", "claim", "undo")
)
_FEED: Final = ("GET /v1/calendars/{token}.ics", "DELETE /v1/calendars/{token}")
_ID: Final = {"touchpoint_id": "$response.body#/id"}
_VERSION: Final = {"version": "$response.body#/sequence"}
_FIRST: Final = {"touchpoint_id": "$response.body#/items/0/id"}
LINKS: Final = (
    Links("POST /v1/touchpoints", 201, (f"GET {_ONE}",), _ID),
    Links("POST /v1/touchpoints", 201, _ACTS, _ID, _VERSION),
    *(Links(act, 200, _ACTS, _ID, _VERSION) for act in _ACTS),
    Links("GET /v1/touchpoints", 200, (f"GET {_ONE}",), _FIRST),
    Links("GET /v1/touchpoints", 200, _ACTS, _FIRST, {"version": "$response.body#/items/0/sequence"}),
    Links(
        "GET /v1/promises", 200, (f"GET {_ONE}",), {"touchpoint_id": "$response.body#/items/0/touchpoint_id"}
    ),
    Links("POST /v1/calendars", 201, _FEED, {"token": "$response.body#/token"}),
    Links("GET /v1/calendars", 200, _FEED[1:], {"token": "$response.body#/items/0/id"}),
    DEAD_LETTERS,
)
