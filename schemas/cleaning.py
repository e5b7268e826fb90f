"""Read the data of an event after harmless variants in it were cleaned: the same for events over HTTP and from Kafka.

Cleaned are: blanks around a text; a blank in an optional field, which means that the field was not sent; letter case,
blanks and hyphens of a word from a closed list; letter case of a currency or a time zone; a whole number written with a
fraction of zero, which JSON Schema counts as an integer. Undeclared fields stay as they are. Nothing else is guessed.

Data is looked at field by field only when the models refuse it as it stands: what is clean costs nothing. So the models
of events take no text with a blank around it (`schemas.base.TrimmedText` and its like).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from types import UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
)

from schemas.base import SchemaModel, Spelling, dump_json, parse_json
from schemas.patterns import BLANKS
from schemas.problems import Malformed, excerpt

MAX_CLEANINGS: Final = 20
"""Cleanings of one event that are listed."""
LARGEST_WHOLE: Final = 2**53
"""Beyond it a double no longer tells one whole number from the next."""
M = TypeVar("M", bound=SchemaModel)
_Cleaner = Callable[[object, str, "Report"], object]


class Cleaning(NamedTuple):
    """One value that was cleaned: its path, how it came and what it became (None: the field counts as not sent)."""

    path: str
    old: object
    new: object

    def __str__(self) -> str:
        became = "is blank: it counts as not sent" if self.new is None else f"is read as {excerpt(self.new)}"
        return f"{self.path}: value cleaned: {excerpt(self.old)} {became}"


class CleanData(NamedTuple, Generic[M]):
    """A message, the JSON it was read from once that was clean, and what was cleaned."""

    message: M
    data: bytes
    cleanings: tuple[Cleaning, ...] = ()


Report = list[Cleaning]


def read_clean(model: type[M], data: bytes) -> CleanData[M]:
    """Read raw JSON as the model, cleaned where needed. Raises Malformed with all the problems that are left."""
    try:
        return CleanData(model.read(data), data)
    except Malformed as problem:
        cleaned = _clean(model, data)
        if cleaned is None:
            raise problem from None
        return cleaned


def _clean(model: type[M], data: bytes) -> CleanData[M] | None:
    """The data read again after cleaning; None when there was nothing to clean."""
    try:
        document = parse_json(data)
    except Malformed:
        return None
    report: Report = []
    document = _clean_fields(model, document, "data", report)
    if not report:
        return None
    raw = dump_json(document)
    return CleanData(model.read(raw), raw, tuple(report[:MAX_CLEANINGS]))


@dataclass(frozen=True, slots=True)
class _Field:
    """How a field is cleaned; `may_be_absent`: a blank in it means that it was not sent."""

    clean: _Cleaner
    may_be_absent: bool


@lru_cache(maxsize=256)
def _fields_of(model: type[SchemaModel]) -> Mapping[str, _Field]:
    """Name in JSON -> how the field is cleaned."""
    fields: dict[str, _Field] = {}
    for name, declared in model.model_fields.items():
        annotation = (
            Annotated[declared.annotation, *declared.metadata] if declared.metadata else declared.annotation
        )
        may_be_absent = not declared.is_required() and name not in model.absent_means_all
        fields[declared.serialization_alias or name] = _Field(_cleaner_of(annotation), may_be_absent)
    return fields


def _clean_fields(model: type[SchemaModel], value: object, path: str, report: Report) -> object:
    if not isinstance(value, dict):
        return _clean_text(_as_it_is, value, path, report)
    cleaned: dict[str, object] = {}
    fields = _fields_of(model)
    for name, member in cast("dict[str, object]", value).items():
        declared = fields.get(name)
        if declared is None:
            cleaned[name] = member
        elif declared.may_be_absent and isinstance(member, str) and not member.strip(BLANKS):
            report.append(Cleaning(f"{path}.{name}", member, None))
        else:
            cleaned[name] = declared.clean(member, f"{path}.{name}", report)
    return cleaned


def _cleaner_of(annotation: Any) -> _Cleaner:
    """The cleaner of a type; it leaves values of other types, and what it cannot clean, as they are."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _cleaner_of_annotated(arguments[0], arguments[1:])
    if origin in (Union, UnionType):
        return _all_of([_cleaner_of(member) for member in arguments if member is not type(None)])
    if origin is Literal:
        return partial(
            _clean_text, partial(_choose_word, {_plain_word(str(word)): str(word) for word in arguments})
        )
    if origin is tuple:
        return partial(_clean_elements, _cleaner_of(arguments[0]))
    if origin is dict:
        return partial(_clean_members, _cleaner_of(arguments[0]), _cleaner_of(arguments[1]))
    return _cleaner_of_class(annotation)


def _cleaner_of_annotated(base: Any, metadata: tuple[object, ...]) -> _Cleaner:
    for mark in metadata:
        if isinstance(mark, Spelling):
            return partial(_clean_text, mark.respell)
    return _cleaner_of(base)


def _cleaner_of_class(annotation: type) -> _Cleaner:
    if annotation is int:
        return _clean_whole
    if issubclass(annotation, SchemaModel):
        return partial(_clean_fields, annotation)
    return partial(_clean_text, _as_it_is) if issubclass(annotation, str | date) else _keep


def _all_of(cleaners: list[_Cleaner]) -> _Cleaner:
    if len(cleaners) == 1:
        return cleaners[0]

    def clean(value: object, path: str, report: Report) -> object:
        for cleaner in cleaners:
            value = cleaner(value, path, report)
        return value

    return clean


def _keep(value: object, _path: str, _report: Report) -> object:
    return value


def _clean_text(respell: Callable[[str], str], value: object, path: str, report: Report) -> object:
    if not isinstance(value, str):
        return value
    cleaned = respell(value.strip(BLANKS))
    if cleaned != value:
        report.append(Cleaning(path, value, cleaned))
    return cleaned


def _clean_whole(value: object, path: str, report: Report) -> object:
    if not isinstance(value, float) or not value.is_integer() or abs(value) > LARGEST_WHOLE:
        return value
    report.append(Cleaning(path, value, int(value)))
    return int(value)


def _clean_elements(clean: _Cleaner, value: object, path: str, report: Report) -> object:
    if not isinstance(value, list):
        return value
    elements = cast("list[object]", value)
    return [clean(element, f"{path}[{index}]", report) for index, element in enumerate(elements)]


def _clean_members(clean_name: _Cleaner, clean: _Cleaner, value: object, path: str, report: Report) -> object:
    """The members of a map; a name is cleaned unless another member has the clean name already."""
    if not isinstance(value, dict):
        return value
    members = cast("dict[str, object]", value)
    cleaned: dict[str, object] = {}
    for name, member in members.items():
        renamed: Report = []
        plain = str(clean_name(name, f"{path} (the name itself)", renamed))
        if plain in members or plain in cleaned:
            plain, renamed = name, []
        report += renamed
        cleaned[plain] = clean(member, f"{path}.{plain}", report)
    return cleaned


def _as_it_is(text: str) -> str:
    return text


def _choose_word(words: Mapping[str, str], text: str) -> str:
    return words.get(_plain_word(text), text)


def _plain_word(text: str) -> str:
    return "_".join(re.split(r"[\s_-]+", text.casefold()))
