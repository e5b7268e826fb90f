"""Validate the data of a YAML file with a Pydantic model; every error becomes a mistake with its line, in plain words."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from services.cadence.expressions.checker import did_you_mean
from services.cadence.policy.errors import Fault, Path, excerpt
from services.cadence.policy.yaml_source import YamlFile

Model = TypeVar("Model", bound=BaseModel)
_WORDS = {
    **dict.fromkeys(("model_type", "dict_type"), "a mapping of keys and values is expected here"),
    **dict.fromkeys(("list_type", "tuple_type"), "a list is expected here: begin each item with `- `"),
    "too_short": "this list is empty: begin each item with `- `",
}
Part = tuple[YamlFile, Path, Any]
"""The model of a file or what it has at a path, with the file and the path."""


def parse_file(file: YamlFile, model: type[Model], context: object) -> Model | None:
    """The file as a model, or None with all mistakes added to the file."""
    try:
        return model.model_validate(file.data, context=context)
    except ValidationError as error:
        guessed: set[Path] = set()
        for detail in sorted(error.errors(include_url=False), key=lambda detail: detail["type"] == "missing"):
            if not file.mistakes.are_enough:
                _add_mistakes(file, model, detail, guessed)
    return None


def parts(parents: Iterable[Part], key: str) -> Iterator[Part]:
    """What the parents have under a key: the items of a list, the values of a mapping, or one model."""
    for file, path, parent in parents:
        under: list[Any] | dict[str, Any] | BaseModel | None = getattr(parent, key)
        if isinstance(under, BaseModel):
            yield file, (*path, key), under
            continue
        for name, part in under.items() if isinstance(under, dict) else enumerate(under or ()):
            yield file, (*path, key, name), part


def _add_mistakes(file: YamlFile, model: type[BaseModel], detail: ErrorDetails, guessed: set[Path]) -> None:
    """`guessed`: the keys that unknown ones are taken for, and so are not missing."""
    path, context = detail["loc"], detail.get("ctx", {})
    match detail["type"]:
        case "faults":
            for fault in cast("tuple[Fault, ...]", context["faults"]):
                beside = (*path[:-1], *fault.to[1:]) if ".." in fault.to else (*path, *fault.to)
                file.add_mistake(beside, fault.message, fault.at)
        case "extra_forbidden":
            hint = did_you_mean(str(path[-1]), keys_of(_model_at(model, path[:-1])))
            guessed.add((*path[:-1], hint.partition("'")[2].partition("'")[0]))
            file.add_mistake(path, f"unknown key {excerpt(str(path[-1]))}{hint}", on_key=True)
        case "missing" if path not in guessed:
            text = keys_of(_model_at(model, path[:-1]))[str(path[-1])].description
            meaning = f": {text[0].lower()}{text[1:]}" if text else ""
            file.add_mistake(path, f"{path[-1]!r} is missing{meaning}")
        case "missing":
            pass
        case "too_short" if detail["input"]:
            pass  # it is not empty: its items are wrong
        case _ if path and path[-1] == "[key]":
            file.add_mistake(path[:-1], _worded(detail, context), on_key=True)
        case _:
            file.add_mistake(path, _worded(detail, context))


def _worded(detail: ErrorDetails, context: Mapping[str, object]) -> str:
    match detail["type"]:
        case "choice":
            value, options = str(context["value"]), cast("tuple[str, ...]", context["options"])
            listed = ", ".join(options) if len(options) <= 12 else f"{len(options)} are known"
            return f"{excerpt(value)} is not one of these: {listed}{did_you_mean(value, options)}"
        case "value_error":
            return str(context["error"])
        case kind:
            return _WORDS.get(kind, detail["msg"])


def keys_of(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """The keys of a mapping as they are written, each with its field."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    """The model of the innermost mapping on a path."""
    for part in path:
        field = keys_of(model).get(str(part))
        model = (_model_in(field.annotation) if field else None) or model
    return model


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
