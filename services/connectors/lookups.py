"""What an item does not have and its provider can be asked for: the object behind a HubSpot change or a thin event.

An answer is the newest state of an object, at the time of the change that led to it: of several changes the last one asks
last, so what is asked for a change that is late is the same, or older by its time.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import quote

from services.connectors.mapping.expression import NotApplicable
from services.connectors.mapping.model import FactRule, SourceMapping
from services.connectors.sources.items import Item, mapping_of
from services.connectors.sources.stripe import THIN, split_stripe

API_URLS: Final[Mapping[str, str]] = {"hubspot": "https://api.hubapi.com", "stripe": "https://api.stripe.com"}
"""Where providers answer, unless a deployment says otherwise."""
_HUBSPOT_OBJECTS: Final[Mapping[str, str]] = {"contact": "contacts", "deal": "deals"}
_HUBSPOT_CHANGES: Final = frozenset({"creation", "propertyChange"})
_STRIPE_PATH: Final = re.compile(r"/v[12]/[A-Za-z0-9_]{1,64}(?:/[A-Za-z0-9_]{1,255}){1,4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Lookup:
    """`path`: below the address of the provider's API, with its query."""

    path: str


def lookup_of(mapping: SourceMapping, item: Item) -> Lookup | None:
    """What is to be asked for before the item is mapped; None: nothing, or no fact would come of it."""
    path = _path(mapping, item)
    return Lookup(path) if path is not None and any(_applies(rule, item) for rule in mapping.facts) else None


def missing_token(source: str) -> str:
    """Why an item that has to be completed is not."""
    return (
        "the webhook leaves out what a fact is made of: set"
        f" DRUMBEAT_WEBHOOKS__{source.upper()}__TOKEN so that the provider is asked for it, then replay this"
    )


def _path(mapping: SourceMapping, item: Item) -> str | None:
    if mapping.body == "hubspot":
        folder, object_id = _HUBSPOT_OBJECTS.get(str(item.get("object"))), item.get("objectId")
        if folder is None or item.get("change") not in _HUBSPOT_CHANGES or not _is_id(object_id):
            return None
        names = quote(",".join(sorted(set(_properties(mapping)))), safe=",")
        return f"/crm/v3/objects/{folder}/{object_id}?associations=companies&properties={names}"
    if mapping.body == "stripe" and item.get("object") == THIN:
        url = mapping_of(item.get("related_object")).get("url")
        return url if isinstance(url, str) and _STRIPE_PATH.fullmatch(url) else None
    return None


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


def _applies(rule: FactRule, item: Item) -> bool:
    try:
        return rule.when is None or rule.when.holds(item)
    except NotApplicable:
        return False


def _properties(mapping: SourceMapping) -> Iterator[str]:
    """The properties of HubSpot's objects that the mapping reads as plain paths."""
    for rule in mapping.facts:
        for value in rule.data.values():
            for path in value.expression.alternatives if value.expression is not None else ():
                if len(path) > 1 and path[0] == "properties":
                    yield path[1]


def complete(mapping: SourceMapping, item: Item, answer: Item) -> Item:
    """The item with what the provider answered."""
    if mapping.body == "stripe":
        return cast("Item", split_stripe({**item, "data": {"object": answer}}))
    known = {name: value for name, value in mapping_of(answer.get("properties")).items() if value is not None}
    changed = mapping_of(item.get("properties"))
    return {**item, "properties": {**changed, **known}, "companyId": _company(answer)}


def _company(answer: Item) -> object:
    """The id of the primary company of a contact or a deal; None where it has none."""
    companies = mapping_of(mapping_of(answer.get("associations")).get("companies")).get("results")
    found = (
        [mapping_of(each) for each in cast("list[object]", companies)] if isinstance(companies, list) else []
    )
    primary = [each for each in found if not str(each.get("type", "")).endswith("_unlabeled")]
    return next((each.get("id") for each in (*primary, *found)), None)
