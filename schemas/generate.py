"""The documents of the messages in `schemas/generated`: a JSON Schema for each event type, and AsyncAPI."""

import json
from collections.abc import Mapping
from typing import Final

import yaml
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from schemas.asyncapi import document
from schemas.topics import MODELS

VERSION: Final = "1.0.0"
"""The version of the published messages; its major number is that of the event types."""


class _Generator(GenerateJsonSchema):
    """Omits a default of None: an absent field leaves the value unchanged, whereas null clears it."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def documents() -> Mapping[str, str]:
    """Path below the folder -> content, of all documents that this module writes."""
    schemas = {f"jsonschema/{event_type}.json": json_schema(event_type) for event_type in MODELS}
    return {"asyncapi.yaml": _async_api(), **schemas}


def json_schema(event_type: str) -> str:
    """The JSON Schema of the data of an event type."""
    schema = MODELS[event_type].model_json_schema(schema_generator=_Generator)
    head = {"$schema": GenerateJsonSchema.schema_dialect, "$id": f"urn:drumbeat:schema:{event_type}"}
    return json.dumps({**head, **schema}, indent=2, ensure_ascii=False) + "\n"


def _async_api() -> str:
    head = "# Generated from schemas/topics.py. Do not edit; run `make generate`.\n"
    return head + yaml.safe_dump(document(VERSION), sort_keys=False, allow_unicode=True, width=110)
