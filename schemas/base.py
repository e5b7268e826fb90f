"""The base of all models and their field types: strict about declared fields, tolerant of unknown ones.

Strings, numbers, lists and maps are all bounded, so that no message is larger than its reader expects.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, ClassVar, Final, Self, cast, get_args

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.addresses import MAX_ADDRESS, check_address
from schemas.patterns import (
    CURRENCY,
    EMAIL,
    LANGUAGE,
    ONE_LINE,
    TEXT,
    TRIMMED_LINE,
    TRIMMED_TEXT,
    WEB_ADDRESS,
)
from schemas.problems import Malformed, explain

MAX_DEPTH: Final = 64
"""Levels of nesting that a message may have."""

_BRACKETS_AND_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Spelling:
    """Marks a text field of which harmless variants are cleaned: `respell` returns the usual spelling of a text."""

    respell: Callable[[str], str]


Id = Annotated[str, Field(min_length=1, max_length=200, pattern=ONE_LINE)]
"""An identifier: 1 to 200 characters without control characters."""
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=ONE_LINE)]
"""A short name on one line."""
Text = Annotated[str, Field(max_length=2000, pattern=TEXT)]
"""Up to 2,000 characters without control characters, apart from tabs and line ends."""
LongText = Annotated[str, Field(max_length=20_000, pattern=TEXT)]
"""A text that a person wrote, up to 20,000 characters."""
TrimmedId = Annotated[str, Field(min_length=1, max_length=200, pattern=TRIMMED_LINE)]
"""An identifier in an event from outside: an `Id` without blanks around it; `schemas.cleaning` cuts them off."""
TrimmedName = Annotated[str, Field(min_length=1, max_length=200, pattern=TRIMMED_LINE)]
Phone = Annotated[str, Field(min_length=1, max_length=64, pattern=TRIMMED_LINE)]
TrimmedText = Annotated[str, Field(min_length=1, max_length=2000, pattern=TRIMMED_TEXT)]
TrimmedLongText = Annotated[str, Field(min_length=1, max_length=20_000, pattern=TRIMMED_TEXT)]
Email = Annotated[
    str,
    AfterValidator(check_address),
    WithJsonSchema({"type": "string", "minLength": 3, "maxLength": MAX_ADDRESS, "pattern": EMAIL}),
]
"""An address that mail can be sent to; see `schemas.addresses`."""
WebAddress = Annotated[str, Field(max_length=2000, pattern=WEB_ADDRESS)]
"""An `https` or `http` URL (RFC 3986)."""
Language = Annotated[str, Field(max_length=35, pattern=LANGUAGE)]
"""A language tag such as `de` or `pt-BR`."""
Currency = Annotated[str, Field(pattern=CURRENCY), Spelling(str.upper)]
"""An ISO 4217 code."""
Money = Annotated[float, Field(ge=0, le=1e15)]
"""An amount in whole units of its currency."""
Quantity = Annotated[float, Field(ge=0, le=1e15)]
Count = Annotated[int, Field(ge=0, le=10**15)]
Version = Annotated[int, Field(ge=0, le=2**62)]
Minutes = Annotated[int, Field(ge=0, le=10_080)]
"""At most the minutes of a week."""


class SchemaModel(BaseModel):
    """A message or a part of one. Frozen. Absent and null differ: `model_fields_set` has the fields that were present."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        strict=True,
        frozen=True,
        extra="allow",
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )

    absent_means_all: ClassVar[frozenset[str]] = frozenset()
    """Fields whose absence widens what the message says; a blank in one of them is refused, not read as absence."""

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read raw JSON. Raises Malformed with all its problems."""
        check_depth(data)
        try:
            message = cls.__pydantic_validator__.validate_json(data)
        except ValidationError as invalid:
            raise Malformed(explain(invalid)) from None
        if message.model_extra:
            # No model bounds the undeclared fields: they may have a NUL or a number beyond a double.
            parse_json(data)
        return message

    @classmethod
    def read_stored(cls, data: bytes) -> Self:
        """Reads JSON that this code wrote itself: without the bounds that foreign data is checked for."""
        return cls.__pydantic_validator__.validate_json(data)

    @classmethod
    def of_valid(cls, **values: object) -> Self:
        """Builds a message without validation, from values of the right types; a field left out has its default.

        Several times as fast as the constructor, for messages with hundreds of parts. Tested equal to it.
        """
        message = cls.__new__(cls)
        defaults, names = _template(cls)
        vars(message).update(defaults)  # in declared order: equal messages write equal bytes
        vars(message).update(values)
        _set_names(message, names if len(values) == len(names) else set(values))
        _set_extra(message, _NO_EXTRA)
        _set_private(message, None)
        return message

    def write(self) -> bytes:
        """Write JSON with every declared field, null for one without a value."""
        return self.__pydantic_serializer__.to_json(self)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Declare in the JSON Schema that additional properties are allowed."""
        schema = handler(core_schema)
        handler.resolve_ref_schema(schema)["additionalProperties"] = True
        return schema


# Messages are frozen; these set the slots of a new one.
_set_names: Final = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra: Final = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private: Final = BaseModel.__dict__["__pydantic_private__"].__set__
_NO_EXTRA: Final[dict[str, object]] = {}


@lru_cache(maxsize=256)
def _template(model: type[SchemaModel]) -> tuple[dict[str, object], set[str]]:
    """Every field with its default (None for a required one), and the names of all, shared by messages that have all."""
    defaults: dict[str, object] = {
        name: None if field.is_required() else field.default for name, field in model.model_fields.items()
    }
    return defaults, set(defaults)


def unknown_fields(model: SchemaModel) -> list[str]:
    """The paths of undeclared fields, such as `limits.seats.colour`."""
    paths: list[str] = []
    _collect_unknown_of(model, "", paths)
    return paths


@lru_cache(maxsize=256)
def nesting_fields(model: type[SchemaModel]) -> tuple[str, ...]:
    """The fields of a model that can have further models in them; the others have no undeclared fields."""
    return tuple(name for name, field in model.model_fields.items() if _nests(field.annotation))


def _nests(annotation: object) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, SchemaModel):
        return True
    return any(_nests(argument) for argument in get_args(annotation))


def _collect_unknown_of(model: SchemaModel, path: str, paths: list[str]) -> None:
    if model.model_extra:
        paths += [path + name for name in model.model_extra]
    values = vars(model)
    for name in nesting_fields(type(model)):
        if value := values[name]:
            _collect_unknown(value, f"{path}{name}.", paths)


def _collect_unknown(value: object, path: str, paths: list[str]) -> None:
    # Models come last: to ask whether a value is one takes longest.
    if isinstance(value, tuple):
        for index, element in enumerate(cast("tuple[object, ...]", value)):
            if type(element) is not str:
                _collect_unknown(element, f"{path[:-1]}[{index}].", paths)
    elif isinstance(value, dict):
        for name, member in cast("dict[str, object]", value).items():
            _collect_unknown(member, f"{path}{name}.", paths)
    elif isinstance(value, SchemaModel):
        _collect_unknown_of(value, path, paths)


def check_depth(raw: bytes, path: str = "data") -> None:
    """Raise Malformed for JSON nested deeper than `MAX_DEPTH`. Costs two scans of the bytes."""
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
        raise Malformed(_too_deep(path))


def parse_json(raw: bytes, path: str = "data") -> object:
    """Parse any JSON value without NaN, lone surrogates, NUL and numbers beyond a double. Raises Malformed.

    Only the parser's own limit (1,024 levels) bounds the nesting here; the limit of `check_depth` is lower.
    """
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError as broken:
        if "depth" in str(broken) or "recursion" in str(broken):
            raise Malformed(_too_deep(path)) from None
        hint = "; NaN and Infinity are not JSON" if b"NaN" in raw or b"Infinity" in raw else ""
        raise Malformed(f"{path}: is not JSON: {broken}{hint}") from None
    if b"\\u0000" in raw and _contains_nul(value):
        raise Malformed(f"{path}: a text contains the NUL character (\\u0000); remove it")
    return value


def dump_json(value: object, path: str = "data") -> bytes:
    """Write a value of `parse_json` as JSON. Raises Malformed for a value that JSON cannot represent."""
    try:
        raw = orjson.dumps(value)
    except TypeError as wrong:
        raise Malformed(
            _too_deep(path) if "ecursion" in str(wrong) else f"{path}: is not JSON: {wrong}"
        ) from None
    check_depth(raw, path)
    return raw


def _too_deep(path: str) -> str:
    return f"{path}: nested deeper than {MAX_DEPTH} levels; flatten it"


def _depth(raw: bytes) -> int:
    """The deepest nesting of brackets outside strings, counted to one beyond the limit. Linear in the length."""
    level = deepest = 0
    for token in _BRACKETS_AND_STRINGS.finditer(raw):
        match token[0][:1]:
            case b"[" | b"{":
                level += 1
                deepest = max(deepest, level)
                if level > MAX_DEPTH:
                    break
            case b"]" | b"}":
                level -= 1
            case _:
                continue
    return deepest


def _contains_nul(root: object) -> bool:
    """Search without recursion: the value may be nested deeper than Python's stack."""
    pending = [root]
    while pending:
        value = pending.pop()
        if isinstance(value, str) and "\0" in value:
            return True
        if isinstance(value, dict):
            members = cast("dict[str, object]", value)
            pending += [*members, *members.values()]
        elif isinstance(value, list):
            pending += cast("list[object]", value)
    return False
