"""The JSON Schema of policy files, for editors: completion, descriptions, and most mistakes while they are typed.

What only Drumbeat can tell (conditions, names of touchpoints, what fits together) `policy check` tells.
"""

import json
from collections.abc import Callable, Mapping

from services.cadence.features.registry import STAGES
from services.cadence.policy.forms import FORMS
from services.cadence.policy.grammar import (
    LONGEST,
    PATTERNS,
    RUNGS,
    SECTIONS,
    TEXT,
    Form,
    Key,
    Section,
    Shape,
)

Schema = dict[str, object]


def policy_schema() -> str:
    """JSON Schema draft 2020-12, as text. A file of a folder may say any of the sections, so none is required."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:drumbeat:schema:policy",
        "title": "Drumbeat policy",
        "type": "object",
        "additionalProperties": False,
        "properties": {section.name: _section(section) for section in SECTIONS},
        "$defs": {name: _form(form) for name, form in FORMS.items()},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _section(section: Section) -> Schema:
    ref: Schema = {"$ref": f"#/$defs/{section.form}"}
    about: Schema = {"description": f"{section.text}."}
    match section.arrangement:
        case "one":
            return {**about, **ref}
        case "list":
            return {**about, **_listed(ref)}
        case "named":
            names = {"pattern": f"^{PATTERNS['touchpoint']}$"}
            return {**about, "type": "object", "propertyNames": names, "additionalProperties": ref}


def _form(form: Form) -> Schema:
    made: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _key(key) for key in form.keys},
        "required": [key.name for key in form.keys if key.required],
    }
    if form.either:
        made["oneOf"] = [{"required": [key]} for key in form.either]
    return made


def _key(key: Key) -> Schema:
    value = _SHAPES[key.shape](key) if key.shape in _SHAPES else _patterned(PATTERNS[key.shape])
    if key.many:
        value = {"anyOf": [value, {**_listed(value), "uniqueItems": True}]}
    default = f" Left out: {key.default}." if key.default else ""
    return {"description": f"{key.text}.{default}", **value}


def _patterned(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$"}


def _listed(items: Schema) -> Schema:
    return {"type": "array", "items": items, "minItems": 1}


def _text(_: Key) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": TEXT}


def _lines(key: Key) -> Schema:
    return {"anyOf": [_text(key), _listed(_text(key))]}


def _rhythm(_: Key) -> Schema:
    span = _patterned(PATTERNS["days"])
    stages: Schema = {"type": "object", "additionalProperties": False, "minProperties": 1}
    stages["properties"] = dict.fromkeys(STAGES, span)
    return {"anyOf": [span, stages]}


def _ladder(_: Key) -> Schema:
    rungs = _listed(_patterned(PATTERNS["days"]))
    return {**rungs, "minItems": 2, "maxItems": RUNGS, "uniqueItems": True}


_SHAPES: Mapping[Shape, Callable[[Key], Schema]] = {
    "text": _text,
    "lines": _lines,
    "condition": lambda _: {"type": ["string", "boolean"]},
    "truth": lambda _: {"type": "boolean"},
    "number": lambda key: {"type": "number", "minimum": key.least, "maximum": key.most},
    "whole": lambda key: {"type": "integer", "minimum": key.least, "maximum": key.most},
    "day": lambda _: {"type": "integer", "minimum": 1, "maximum": LONGEST},
    "choice": lambda key: {"enum": list(key.values)},
    "rhythm": _rhythm,
    "ladder": _ladder,
    "forms": lambda key: _listed({"$ref": f"#/$defs/{key.form}"}),
}
