"""The body of a request as the items that a mapping reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from schemas.problems import Malformed
from services.connectors.mapping.expression import NotApplicable
from services.connectors.mapping.model import SourceMapping
from services.connectors.sources.hubspot import split_hubspot
from services.connectors.sources.items import Item, Split, as_items, parse_body
from services.connectors.sources.otlp import split_otlp
from services.connectors.sources.salesforce import read_salesforce
from services.connectors.sources.segment import split_segment
from services.connectors.sources.stripe import split_stripe

_SPLITS: Final[Mapping[str, Split]] = {
    "hubspot": split_hubspot,
    "otlp": split_otlp,
    "segment": split_segment,
    "stripe": split_stripe,
}


@dataclass(frozen=True, slots=True)
class Batch:
    """`is_soap`: the sender waits for an Ack. `organization_ids`: of Salesforce, those that the body names."""

    items: list[Item]
    organization_ids: frozenset[str] = field(default_factory=frozenset[str])
    is_soap: bool = False


def read_batch(mapping: SourceMapping, body: bytes, message_id: str | None = None) -> Batch:
    """Raises Malformed for a body that cannot be read, or has no item.

    `message_id`: the id that the sender has signed beside the body. An item has it as `webhook_id`, one of several with
    its place behind it.
    """
    batch = _read_items(mapping, body)
    if message_id is None:
        return batch
    ids = [message_id] if len(batch.items) == 1 else [f"{message_id}/{n}" for n in range(len(batch.items))]
    named: list[Item] = [{"webhook_id": id_, **item} for id_, item in zip(ids, batch.items, strict=True)]
    return replace(batch, items=named)


def _read_items(mapping: SourceMapping, body: bytes) -> Batch:
    if mapping.body == "salesforce":
        found = read_salesforce(body)
        return Batch(found.items, found.organization_ids, found.is_soap)
    document = parse_body(body)
    split = _SPLITS.get(mapping.body)
    if split is not None:
        return Batch(as_items(split(document)))
    try:
        found_items = mapping.items.search(document)
    except NotApplicable as problem:
        raise Malformed(f"body: {problem}") from None
    if found_items is None:
        raise Malformed(f"body: `items: {mapping.items.text}` leads to nothing in it")
    return Batch(as_items(found_items))
