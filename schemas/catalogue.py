"""The catalogue of events, docs/events.md: each type with its fields, its writers and readers, what each field changes.

Made of the models, of the topics and of `readers.yaml`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Annotated, Final, Literal, NamedTuple, cast, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo

from schemas.base import SchemaModel
from schemas.events import FACTS, OUTCOMES
from schemas.topics import MODELS, TOPICS, Topic

_READERS: Final = Path(__file__).with_name("readers.yaml")
_WORDS: Final[Mapping[type, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    datetime: "instant",
}
_CONTAINERS: Final[Mapping[object, str]] = {tuple: "list", dict: "map"}
_HEAD: Final = """# Events

Every event type, made by `make generate` from [schemas](../schemas): do not edit. Events from outside are facts and
outcomes ([how to send them](../README.md#load-your-own-data), [over Kafka](producers.md)); the others Drumbeat publishes.
**Bold** fields are required; any other may be absent (unchanged) or null (cleared). *Read by* names the modules below
`services` that read a field; a field without one has no effect: it is *stored only*, *not stored*, or *passed on* to
readers outside. Exact bounds are in [the JSON Schemas](../schemas/generated/jsonschema).
"""


class Reading(NamedTuple):
    """Who reads a field (modules below `services`; empty: nobody), and what it changes."""

    modules: tuple[str, ...]
    effect: str


@cache
def declared_readings() -> Mapping[str, Mapping[str, Reading]]:
    """Model -> field -> who reads it, as `readers.yaml` declares."""
    document = cast("dict[str, dict[str, list[str]]]", yaml.safe_load(_READERS.read_text(encoding="utf-8")))
    return {
        model: {field: Reading(tuple(by.split()), effect) for field, (by, effect) in fields.items()}
        for model, fields in document.items()
    }


@cache
def message_models() -> Mapping[str, type[SchemaModel]]:
    """Every model of a message or of a part of one, by name, in the order of the page."""
    models: dict[str, type[SchemaModel]] = {}
    for model in MODELS.values():
        _collect(model, models)
    return models


def page() -> str:
    """The page as Markdown."""
    outside = {**FACTS, **OUTCOMES}
    published = [event_type for event_type in MODELS if event_type not in outside]
    parts = [_HEAD, "## Events in\n", *map(_event, outside), "## Events out\n", *map(_event, published)]
    whole = {model.__name__ for model in MODELS.values()}
    parts.append("## Parts\n\nObjects inside the fields above.\n")
    parts += [
        f"### {name}\n\n{_summary(model)}\n\n{_fields(model)}"
        for name, model in sorted(message_models().items())
        if name not in whole
    ]
    return "\n".join(parts)


def _event(event_type: str) -> str:
    model, topic = MODELS[event_type], _topic_of(event_type)
    first = next(other for other, its in MODELS.items() if its is model)
    parties = f"Writers: {', '.join(topic.writers)}. Readers: {', '.join(topic.readers)}."
    head = f"### {event_type}\n\n{_summary(model)}\n\nTopic `{topic.name}`, key: {topic.key}. {parties}\n"
    if first != event_type:
        return f"{head}\nThe fields of [{first}](#{first.replace('.', '')}).\n"
    return f"{head}\n{_fields(model)}"


def _topic_of(event_type: str) -> Topic:
    return next(topic for topic in TOPICS if event_type in topic.types)


def _fields(model: type[SchemaModel]) -> str:
    readings = declared_readings().get(model.__name__, {})
    rows = ["| field | type | read by | what it changes |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        reading = readings.get(name, Reading((), "not declared"))
        shown = f"`{field.serialization_alias or name}`"
        by = ", ".join(f"`{module}`" for module in reading.modules) or "nobody"
        kind = " or ".join(dict.fromkeys(_kinds(field.annotation)))
        rows.append(
            f"| {f'**{shown}**' if field.is_required() else shown} | {kind} | {by} | {_effect(reading, field)} |"
        )
    return "\n".join(rows) + "\n"


def _effect(reading: Reading, field: FieldInfo) -> str:
    about = " ".join((field.description or "").split()).replace("|", "\\|")
    return f"{reading.effect}. {about}" if about else reading.effect


def _summary(model: type[SchemaModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _kinds(annotation: object) -> Iterator[str]:
    """The type of a field in words, such as `text`, `list of Driver`, `map of number`."""
    arguments = get_args(annotation)
    match get_origin(annotation):
        case None if isinstance(annotation, type):
            if annotation is not NoneType:
                yield _kind_of(annotation)
        case None:
            yield "any JSON"
        case origin if origin is Literal:
            yield ", ".join(f"`{value}`" for value in arguments)
        case origin if origin in _CONTAINERS:
            yield f"{_CONTAINERS[origin]} of " + " or ".join(_kinds(arguments[-2 if origin is tuple else -1]))
        case origin:
            for argument in arguments[:1] if origin is Annotated else arguments:
                yield from _kinds(argument)


def _kind_of(annotation: type) -> str:
    if issubclass(annotation, SchemaModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    names = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false"}
    return names.get(
        annotation.__name__, {"datetime": "instant"}.get(annotation.__name__, annotation.__name__)
    )


def _collect(annotation: object, models: dict[str, type[SchemaModel]]) -> None:
    if isinstance(annotation, type) and issubclass(annotation, SchemaModel):
        if annotation.__name__ not in models:
            models[annotation.__name__] = annotation
            for field in annotation.model_fields.values():
                _collect(field.annotation, models)
        return
    for argument in get_args(annotation):
        _collect(argument, models)
