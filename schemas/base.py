"""The alphabet of the published language: strict where a value is named, tolerant of names it does not know.

Strings, numbers, lists and maps are all bounded, so that no message can be larger than its reader expects.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from schemas.problems import Malformed, explain

DEEPEST: Final = 64
"""Levels of nesting a message may have."""

_NOT_CONTROL: Final = r"[^\x00-\x1f\x7f-\x9f]"

Id = Annotated[str, Field(min_length=1, max_length=200, pattern=rf"^{_NOT_CONTROL}+$")]
"""An identity: 1 to 200 printable characters."""
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=rf"^{_NOT_CONTROL}+$")]
"""A short name on one line."""
Text = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
"""Up to 2,000 characters; tabs and line ends are the only control characters."""
LongText = Annotated[str, Field(max_length=20_000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
"""What a person wrote, line ends of any system allowed."""
Email = Annotated[
    str,
    Field(
        min_length=3,
        max_length=254,
        pattern=r'^[^\s\x00-\x1f\x7f@<>,;:"()\\]+@[^\s\x00-\x1f\x7f@<>,;:"()\\]+$',
    ),
]
Language = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$")]
"""A language tag such as `de` or `pt-BR`."""
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
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
        check_json(data)
        try:
            return cls.model_validate_json(data)
        except ValidationError as invalid:
            raise Malformed(explain(invalid)) from None

    def write(self) -> bytes:
        """The message as JSON, with every declared field (null where nothing is known)."""
        return self.model_dump_json().encode()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Additional properties are welcome and said to be so."""
        schema = handler(core_schema)
        handler.resolve_ref_schema(schema)["additionalProperties"] = True
        return schema


def unknown_fields(model: Wire) -> list[str]:
    """Paths of the fields nobody declared, such as `limits.seats.colour`: kept out of every decision, worth a warning."""
    return list(_unknown(model, ""))


def _unknown(value: object, path: str) -> Iterator[str]:
    match value:
        case Wire():
            yield from (path + name for name in value.model_extra or ())
            for name in value.model_fields_set & type(value).model_fields.keys():
                yield from _unknown(getattr(value, name), f"{path}{name}.")
        case tuple():
            for index, each in enumerate(value):
                yield from _unknown(each, f"{path[:-1]}[{index}].")
        case Mapping():
            for name, each in value.items():
                yield from _unknown(each, f"{path}{name}.")
        case _:
            return


def check_json(raw: bytes) -> None:
    """Refuses what a parser would let through or choke on: deep nesting, NaN, an escaped NUL.

    Costs a few scans of the bytes; parses only when something looks suspicious. Raises Malformed.
    """
    if raw.count(b"{") + raw.count(b"[") > DEEPEST and depth(raw) > DEEPEST:
        raise Malformed(f"data: nested deeper than {DEEPEST} levels; flatten it")
    if b"NaN" in raw or b"Infinity" in raw or b"\\u0000" in raw:
        parse_json(raw)


def parse_json(raw: bytes | str, place: str = "data") -> object:
    """Any JSON value, parsed once with everything dangerous refused. Raises Malformed."""
    raw = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if raw.count(b"{") + raw.count(b"[") > DEEPEST and depth(raw) > DEEPEST:
        raise Malformed(f"{place}: nested deeper than {DEEPEST} levels; flatten it")
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError as broken:
        raise Malformed(f"{place}: not JSON: {broken}") from None
    if b"\\u0000" in raw and _holds_nul(value):
        raise Malformed(f"{place}: a text holds the NUL character (\\u0000); remove it")
    return value


def depth(raw: bytes) -> int:
    """The deepest nesting of brackets outside strings; gives up counting just beyond the limit."""
    level = deepest = 0
    text = escaped = False
    for byte in raw:
        if text:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                text = False
        elif byte == 0x22:
            text = True
        elif byte in b"[{":
            level += 1
            deepest = max(deepest, level)
            if level > DEEPEST:
                return deepest
        elif byte in b"]}":
            level -= 1
    return deepest


def _holds_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case dict():
            return any(_holds_nul(name) or _holds_nul(each) for name, each in value.items())
        case list():
            return any(_holds_nul(each) for each in value)
        case _:
            return False
