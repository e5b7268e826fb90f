"""A body as items: JSON objects that a mapping reads."""

from collections.abc import Callable, Mapping
from typing import Final, Literal, cast

from schemas.base import check_depth, parse_json
from schemas.problems import Malformed

MOST_ITEMS: Final = 1000
"""Items of one request: HubSpot and Salesforce send up to 100, Segment's API takes 500 KB."""
Item = Mapping[str, object]
BodyForm = Literal["json", "hubspot", "otlp", "salesforce", "segment", "stripe"]
Split = Callable[[object], object]
"""The items of a parsed body; what is no list of objects is refused."""


def parse_body(body: bytes) -> object:
    """The JSON of a body. Raises Malformed: no UTF-8, no JSON, a NUL, a number beyond a double, nested too deep."""
    if not body.strip():
        raise Malformed("body: is empty; send the event")
    check_depth(body, "body")
    return parse_json(body, "body")


def as_items(found: object) -> list[Item]:
    """The items; one object is one item. Raises Malformed."""
    listed = cast("list[object]", found) if isinstance(found, list) else [found]
    if len(listed) > MOST_ITEMS:
        raise Malformed(f"body: has {len(listed)} items, more than {MOST_ITEMS}; send fewer at a time")
    for index, item in enumerate(listed):
        if not isinstance(item, dict):
            raise Malformed(f"body: item {index} is no JSON object")
    return cast("list[Item]", listed)


def mapping_of(value: object) -> Item:
    """The value, if it is an object, else an empty one."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
