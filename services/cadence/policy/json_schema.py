"""The JSON Schema of policy files, for editors: completion, descriptions, and most mistakes while they are typed.

What it cannot express (conditions, names of touchpoints, what fits together) `drumbeat policy check` finds.
"""

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from services.cadence.policy.schema import PolicyFile


class _Generator(GenerateJsonSchema):
    """Without titles made of key names, without null, which files do not have, and with the names of free keys."""

    def field_title_should_be_set(self, _schema: object) -> bool:
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        return {name: value for name, value in described.items() if name != "default" or value is not None}

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        keys, values = (self.generate_inner(schema[part]) for part in ("keys_schema", "values_schema"))
        least = {"minProperties": schema["min_length"]} if "min_length" in schema else {}
        return {"type": "object", "propertyNames": keys, "additionalProperties": values, **least}


def policy_schema() -> JsonSchemaValue:
    """JSON Schema draft 2020-12 of one file of a policy."""
    schema = PolicyFile.model_json_schema(schema_generator=_Generator)
    dialect = GenerateJsonSchema.schema_dialect
    return {"$schema": dialect, "$id": "urn:drumbeat:schema:policy", **schema, "title": "Drumbeat policy"}
