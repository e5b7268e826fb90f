"""Which operation follows which: the links of the OpenAPI document."""

from typing import Final

from services.chassis.openapi_links import DEAD_LETTERS, Links

_ONE: Final = "/v1/subscriptions/{subscription_id}"
_OF_SUBSCRIPTION: Final = (
    f"GET {_ONE}",
    f"GET {_ONE}/deliveries",
    f"POST {_ONE}/test",
    f"POST {_ONE}/rotate-secret",
    f"POST {_ONE}/enable",
    f"POST {_ONE}/recover",
    f"DELETE {_ONE}",
)
_OF_DELIVERY: Final = (
    "GET /v1/deliveries/{delivery_id}",
    "GET /v1/deliveries/{delivery_id}/message",
    "POST /v1/deliveries/{delivery_id}/resend",
)
LINKS: Final = (
    Links("POST /v1/subscriptions", 201, _OF_SUBSCRIPTION, {"subscription_id": "$response.body#/id"}),
    Links("GET /v1/subscriptions", 200, _OF_SUBSCRIPTION, {"subscription_id": "$response.body#/items/0/id"}),
    Links("GET /v1/deliveries", 200, _OF_DELIVERY, {"delivery_id": "$response.body#/items/0/id"}),
    Links(
        "GET /v1/inbox", 200, ("POST /v1/inbox/{entry_id}/read",), {"entry_id": "$response.body#/items/0/id"}
    ),
    Links(
        "PUT /v1/contacts/{contact_id}/preferences",
        200,
        ("GET /v1/contacts/{contact_id}/preferences",),
        {"contact_id": "$request.path.contact_id"},
    ),
    DEAD_LETTERS,
)
