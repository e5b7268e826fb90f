"""The alphabet of the published language: strict where a value is named, tolerant of names it does not know.

Strings, numbers, lists and maps are all bounded, so that no message can be larger than its reader expects.
"""

import re
from functools import lru_cache
from typing import Annotated, ClassVar, Final, Self, cast, get_args

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.forms import CURRENCY, EMAIL, LANGUAGE, ONE_LINE, TEXT
from schemas.problems import Malformed, explain

DEEPEST: Final = 64
"""Levels of nesting a message may have."""

_BRACKETS_AND_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)

Id = Annotated[str, Field(min_length=1, max_length=200, pattern=ONE_LINE)]
"""An identity: 1 to 200 characters, none of them a control character."""
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=ONE_LINE)]
"""A short name on one line."""
Text = Annotated[str, Field(max_length=2000, pattern=TEXT)]
"""Up to 2,000 characters; tabs and line ends are the only control characters."""
LongText = Annotated[str, Field(max_length=20_000, pattern=TEXT)]
"""What a person wrote."""
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=EMAIL)]
Language = Annotated[str, Field(max_length=35, pattern=LANGUAGE)]
"""A language tag such as `de` or `pt-BR`."""
Currency = Annotated[str, Field(pattern=CURRENCY)]
"""An ISO 4217 code."""
Money = Annotated[float, Field(ge=0, le=1e15)]
"""An amount in whole units of its currency."""
Quantity = Annotated[float, Field(ge=0, le=1e15)]
Count = Annotated[int, Field(ge=0, le=10**15)]
Version = Annotated[int, Field(ge=0, le=2**62)]
Minutes = Annotated[int, Field(ge=0, le=10_080)]
"""At most the minutes of a week."""


class Wire(BaseModel):
    """A message or a part of one. Frozen; absent and null differ: `model_fields_set` says what was there."""

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

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Reads raw JSON; raises Malformed with every problem of it."""
        check_depth(data)
        try:
            message = cls.__pydantic_validator__.validate_json(data)
        except ValidationError as invalid:
            raise Malformed(explain(invalid)) from None
        if message.model_extra:
            parse_json(
                data
            )  # nobody bounded what was not declared: a NUL or an endless number may hide there
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
        fields = _fields(cls)
        message = cls.__new__(cls)
        _set_attribute(message, "__dict__", values if len(values) == len(fields) else {**fields, **values})
        _set_attribute(message, "__pydantic_fields_set__", set(values))
        _set_attribute(message, "__pydantic_extra__", _NO_EXTRA)
        _set_attribute(message, "__pydantic_private__", None)
        return message

    def write(self) -> bytes:
        """The message as JSON, with every declared field (null where nothing is known)."""
        return self.__pydantic_serializer__.to_json(self)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Additional properties are welcome and said to be so."""
        schema = handler(core_schema)
        handler.resolve_ref_schema(schema)["additionalProperties"] = True
        return schema


_set_attribute = object.__setattr__
"""Messages are frozen; this sets up a new one."""


_NO_EXTRA: Final[dict[str, object]] = {}


@lru_cache(maxsize=256)
def _fields(model: type[Wire]) -> dict[str, object]:
    """Every field with its default (None for a required one)."""
    return {
        name: None if field.is_required() else field.default for name, field in model.model_fields.items()
    }


def unknown_fields(model: Wire) -> list[str]:
    """Paths of the fields nobody declared, such as `limits.seats.colour`: worth a warning."""
    found: list[str] = []
    _note_unknown(model, "", found)
    return found


@lru_cache(maxsize=256)
def nesting_fields(model: type[Wire]) -> tuple[str, ...]:
    """The fields of a model that can hold further models: nothing undeclared is found in the others."""
    return tuple(name for name, field in model.model_fields.items() if _nests(field.annotation))


def _nests(annotation: object) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, Wire):
        return True
    return any(_nests(each) for each in get_args(annotation))


def _note_unknown(value: object, path: str, found: list[str]) -> None:
    if isinstance(value, Wire):
        found += [path + name for name in value.model_extra or ()]
        for name in nesting_fields(type(value)):
            _note_unknown(getattr(value, name), f"{path}{name}.", found)
    elif isinstance(value, tuple):
        for index, each in enumerate(cast("tuple[object, ...]", value)):
            if not isinstance(each, str):
                _note_unknown(each, f"{path[:-1]}[{index}].", found)
    elif isinstance(value, dict):
        for name, each in cast("dict[str, object]", value).items():
            _note_unknown(each, f"{path}{name}.", found)


def check_depth(raw: bytes, place: str = "data") -> None:
    """Refuses JSON nested deeper than any message is. Costs two scans of the bytes. Raises Malformed."""
    if raw.count(b"{") + raw.count(b"[") > DEEPEST and depth(raw) > DEEPEST:
        raise Malformed(_too_deep(place))


def parse_json(raw: bytes, place: str = "data") -> object:
    """Any JSON value, parsed once: no NaN, no lone surrogate, no NUL, no number beyond a double. Raises Malformed.

    Only the parser's own limit (1,024 levels) bounds the nesting here; `check_depth` asks for less.
    """
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError as broken:
        if "depth" in str(broken) or "recursion" in str(broken):
            raise Malformed(_too_deep(place)) from None
        hint = "; NaN and Infinity are not JSON" if b"NaN" in raw or b"Infinity" in raw else ""
        raise Malformed(f"{place}: is not JSON: {broken}{hint}") from None
    if b"\\u0000" in raw and _holds_nul(value):
        raise Malformed(f"{place}: a text holds the NUL character (\\u0000); remove it")
    return value


def dump_json(value: object, place: str = "data") -> bytes:
    """What `parse_json` gave, as JSON again. Raises Malformed for what cannot be JSON."""
    try:
        raw = orjson.dumps(value)
    except TypeError as wrong:
        raise Malformed(
            _too_deep(place) if "ecursion" in str(wrong) else f"{place}: is not JSON: {wrong}"
        ) from None
    check_depth(raw, place)
    return raw


def _too_deep(place: str) -> str:
    return f"{place}: nested deeper than {DEEPEST} levels; flatten it"


def depth(raw: bytes) -> int:
    """The deepest nesting of brackets outside strings, counted up to just beyond the limit; linear."""
    level = deepest = 0
    for token in _BRACKETS_AND_STRINGS.finditer(raw):
        match token[0][:1]:
            case b"[" | b"{":
                level += 1
                deepest = max(deepest, level)
                if level > DEEPEST:
                    break
            case b"]" | b"}":
                level -= 1
            case _:
                continue
    return deepest


def _holds_nul(root: object) -> bool:
    """Walks without recursion: what it walks may be deeper than Python's own stack."""
    left = [root]
    while left:
        value = left.pop()
        if isinstance(value, str) and "\0" in value:
            return True
        if isinstance(value, dict):
            members = cast("dict[str, object]", value)
            left += [*members, *members.values()]
        elif isinstance(value, list):
            left += cast("list[object]", value)
    return False
