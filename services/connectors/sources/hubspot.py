"""HubSpot: a list of changes, each of one property of one object. An item also has what changed as `properties`.

So one mapping reads webhooks, which say `propertyName` and `propertyValue`, and objects of the API, which have
`properties`. `object` and `change` are the halves of the subscription. Source: HubSpot's documentation, "Webhooks".
"""

from collections.abc import Mapping
from typing import Final, cast

from services.connectors.sources.items import Item, mapping_of

OBJECT_TYPES: Final[Mapping[str, str]] = {"0-1": "contact", "0-2": "company", "0-3": "deal"}
"""Ids of object types, which subscriptions of the kind `object.*` have instead of a name."""


def split_hubspot(document: object) -> object:
    return (
        [_item(each) for each in cast("list[object]", document)]
        if isinstance(document, list)
        else _item(document)
    )


def _item(document: object) -> object:
    event = mapping_of(document)
    if not event:
        return document
    object_type, _, change = str(event.get("subscriptionType", "")).partition(".")
    if object_type == "object":
        object_type = OBJECT_TYPES.get(str(event.get("objectTypeId")), str(event.get("objectTypeId")))
    name = event.get("propertyName")
    changed: Item = {name: event.get("propertyValue")} if isinstance(name, str) else {}
    return {"properties": changed, **event, "object": object_type, "change": change}
