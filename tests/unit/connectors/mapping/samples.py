"""Mappings and items of tests."""

from datetime import UTC, datetime
from typing import Any

from services.connectors.batch import read_batch
from services.connectors.mapping.facts import map_item
from services.connectors.mapping.load import SHIPPED, load_mapping, read_mapping
from services.connectors.mapping.model import MappedItem, SourceMapping

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
HEAD = """
signature: standard
id: id
label: kind
properties: fields
time: {from: at, otherwise: received}
account: account
facts:
  contract:
    type: contract.changed
    data:
      contract_id: contract
"""


def shipped(source: str) -> SourceMapping:
    return load_mapping(SHIPPED / f"{source}.yaml")


def contract_mapping(*lines: str) -> SourceMapping:
    """A mapping of contracts with further lines of `data`."""
    return read_mapping(HEAD + "".join(f"      {line}\n" for line in lines))


def map_one(mapping: SourceMapping, **item: Any) -> MappedItem:
    return map_item(mapping, {"id": "1", "account": "acme", "contract": "c", **item}, NOW)


def data_of(mapping: SourceMapping, **item: Any) -> Any:
    """The data of the only fact."""
    mapped = map_one(mapping, **item)
    assert not mapped.problems, mapped.problems
    (fact,) = mapped.facts
    return fact.data


def map_body(source: str, body: bytes) -> list[MappedItem]:
    mapping = shipped(source)
    return [map_item(mapping, item, NOW) for item in read_batch(mapping, body).items]
