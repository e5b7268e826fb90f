"""The JSON Schema of policy files, for editors: completion, descriptions, and most mistakes while they are typed.

What it cannot express (conditions, names of touchpoints, what fits together) `drumbeat policy check` finds.
"""

import json

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from services.cadence.policy.schema import PolicyFile


class _Generator(GenerateJsonSchema):
    """Without titles made of key names, without null, which files do not have, and with the names of free keys."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return schema is None

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        return {name: value for name, value in described.items() if name != "default" or value is not None}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """With `propertyNames`, whether the names have a pattern or are listed."""
        described = {
            **super().dict_schema(schema),
            "propertyNames": self.generate_inner(schema.get("keys_schema", core_schema.str_schema())),
        }
        patterns = described.pop("patternProperties", {})
        return {"additionalProperties": next(iter(patterns.values()), True), **described}


def policy_schema() -> JsonSchemaValue:
    """JSON Schema draft 2020-12 of one file of a policy."""
    schema = PolicyFile.model_json_schema(schema_generator=_Generator)
    dialect = GenerateJsonSchema.schema_dialect
    return {"$schema": dialect, "$id": "urn:drumbeat:schema:policy", **schema, "title": "Drumbeat policy"}


def schema_text() -> str:
    """The schema as a file, `schemas/generated/policy.schema.json`."""
    return json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"
