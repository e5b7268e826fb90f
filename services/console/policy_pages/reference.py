"""The reference page of the policy, made of the schema of its files, the features and the functions of conditions."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from services.cadence.expressions.functions import FUNCTIONS
from services.cadence.features.event_features import EVENT_FEATURES, EVENTS
from services.cadence.features.feature import TOUCHPOINT_TYPES, Feature
from services.cadence.features.registry import FEATURES
from services.cadence.lint import KINDS
from services.cadence.policy.json_schema import policy_schema
from services.cadence.policy.schema import REQUIRED, SLOTS
from services.cadence.policy.values import MAX_DAYS, MAX_TEXT

_TEMPLATE = Path(__file__).with_name("reference.md")
_OF_TYPES = frozenset(f"days_since_{name}" for name in TOUCHPOINT_TYPES) - {"days_since_survey"}
Schema = Mapping[str, Any]
"""A JSON Schema, or a part of one."""


def policy_reference() -> str:
    """The page as Markdown."""
    page, schema = _TEMPLATE.read_text(encoding="utf-8"), policy_schema()
    parts = {
        "sections": _rows("section", {**schema, "required": REQUIRED}),
        "keys": "\n\n".join(
            f"### `{_heading(name)}`\n\n{_rows('key', schema['$defs'][name])}" for name in _mappings(schema)
        ),
        "functions": "\n".join(f"| `{entry.usage}` | {entry.description} |" for entry in FUNCTIONS.values()),
        "features": _features(),
        "events": "\n\n".join(_event(event, features) for event, features in EVENT_FEATURES.items()),
        "slots": "; ".join(f"{anchor}: {_listed(names)}" for anchor, names in SLOTS.items()),
        "findings": _table(("kind", "meaning"), ((f"`{kind}`", meaning) for kind, meaning in KINDS.items())),
        "text": f"{MAX_TEXT:,}",
        "longest": f"{MAX_DAYS:,}",
    }
    for name, text in parts.items():
        page = page.replace("{" + name + "}", text)
    return page


def _mappings(schema: Schema) -> Iterator[str]:
    """The definitions of the mappings in a file, each before those inside it."""
    for name in _references(schema["properties"]):
        yield name
        yield from _references(schema["$defs"][name])


def _references(part: object) -> list[str]:
    return re.findall(r'"#/\$defs/(\w+)"', json.dumps(part))


def _rows(head: str, mapping: Schema) -> str:
    one_of_two = [key for option in mapping.get("oneOf", ()) for key in option["required"]]
    required: tuple[str, ...] = tuple(mapping.get("required", ()))
    rows: list[tuple[str, ...]] = []
    for key, part in sorted(mapping["properties"].items(), key=lambda item: _order(item[0], required)):
        value = "[event](#events-and-their-features)" if key == "on" else _value(part)
        need = "required" if key in required else "one of the two" if key in one_of_two else _left_out(part)
        rows.append((f"`{key}`", value, need, part["description"]))
    return _table((head, "value", "", "meaning"), rows)


def _order(key: str, required: Iterable[str]) -> int:
    """The name first, then what is required."""
    return 0 if key in {"rule", "limit", "budget", "blackout", "sequence"} else 1 if key in required else 2


def _heading(definition: str) -> str:
    """`FeedbackRuleSpec` -> `feedback_rule`."""
    return re.sub(r"\B(?=[A-Z])", "_", definition.removesuffix("Spec")).lower()


def _left_out(part: Schema) -> str:
    default: list[str] | str | bool = part.get("default", "")
    text = f"[{', '.join(default)}]" if isinstance(default, list) else str(default).lower()
    return f"left out: {text}" if text else ""


def _value(part: Schema) -> str:
    match part:
        case {"title": str(title)}:
            return title
        case {"$ref": str(reference)}:
            return f"`{_heading(reference.rsplit('/', 1)[-1])}`"
        case {"enum": options}:
            return _listed(options)
        case {"anyOf": [alone, _]}:
            return f"{_value(alone)}; one or several"
        case {"items": items}:
            return f"list of {_value(items)}"
        case {"additionalProperties": values}:
            return f"{_value(values)} by name"
        case {"minimum": least, "maximum": most}:
            kind = "whole number" if part["type"] == "integer" else "number"
            return f"{kind}, {least} to {most}" if least < most else str(least)
        case _:
            return "`true` or `false`"


def _features() -> str:
    rows = (
        (*_feature(feature), ", ".join((*feature.changed_by, *(("time",) if feature.counts else ()))))
        for feature in FEATURES.values()
        if feature.name not in _OF_TYPES
    )
    return _table(("feature", "kind", "", "meaning", "changed by"), rows)


def _feature(feature: Feature) -> tuple[str, ...]:
    kind = _listed(feature.values) if feature.values else feature.kind
    return f"`{feature.name}`", kind, "may be null" if feature.nullable else "", feature.description


def _event(event: str, features: Mapping[str, Feature]) -> str:
    table = _table(("feature", "kind", "", "meaning"), map(_feature, features.values()))
    return f"### `{event}`\n\n{EVENTS[event]}.\n\n{table}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    texts = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([texts[0], "|" + "---|" * len(head), *texts[1:]])
