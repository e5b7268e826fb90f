"""CloudEvents 1.0: written in Kafka's binary mode, read in binary and structured mode from Kafka and HTTP.

The envelope has source, type, subject and time; `data` stays raw JSON until a consumer parses it.
Sources: CloudEvents 1.0.2, its Kafka protocol binding and its HTTP protocol binding.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Final, cast
from urllib.parse import unquote_to_bytes

from schemas.base import dump_json, parse_json
from schemas.patterns import BLANKS
from schemas.problems import Malformed, excerpt
from schemas.times import format_instant, parse_instant

JSON: Final = "application/json"
STRUCTURED: Final = "application/cloudevents+json"
_MAX_EXTENSIONS: Final = 32
_MAX_LENGTHS: Final = {"id": 255, "source": 1024, "type": 255, "subject": 200}
_SMALLEST_MAX_LENGTH: Final = min(_MAX_LENGTHS.values())
_MAX_EXTENSION_LENGTH: Final = 4096
_TIME_HINT: Final = "like 2026-03-31T09:30:00Z"
_CORE: Final = ("specversion", "id", "source", "type", "subject", "time")
_core_attributes: Final = itemgetter(*_CORE)
_CORE_HEADERS: Final = dict.fromkeys(f"ce_{name}" for name in _CORE)
_core_headers: Final = itemgetter(*_CORE_HEADERS)
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ATTRIBUTE: Final = re.compile(r"[a-z0-9]{1,64}", re.ASCII)
_CORE_MEMBERS: Final = dict.fromkeys((*_CORE, "data"))
_NOT_EXTENSIONS: Final = {*_CORE_MEMBERS, "datacontenttype", "data_base64"}

Core = tuple[str | None, str | None, str | None, str | None, str | None, str | None]
"""specversion, id, source, type, subject and time; None for an absent one."""


@dataclass(slots=True)
class Envelope:
    """An event. `time` is aware UTC, `data` a JSON object as raw bytes; extension attributes are strings.

    `subject` has no blanks around it. `cleaned`: what was cleaned of the attributes, for the sender to know.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: bytes
    datacontenttype: str = JSON
    extensions: dict[str, str] = field(default_factory=dict[str, str])
    cleaned: tuple[str, ...] = ()


def from_kafka(headers: Sequence[tuple[str, bytes | None]], value: bytes | None) -> Envelope:
    """Read a Kafka record in either content mode. Raises Malformed."""
    named = dict(headers)
    kind = named.pop("content-type", None) or named.pop("Content-Type", None) or b"application/json"
    if value is None:
        raise Malformed("value: the record has none (it is a tombstone); send data, at least {}")
    if kind.startswith(b"application/cloudevents"):
        _structured_only(kind)
        return from_structured(value)
    if len(named) + 1 < len(headers):
        _refuse_repeated(headers)
    try:
        core, extensions = _from_headers(named)
    except UnicodeDecodeError as wrong:
        raise Malformed(f"headers: are not UTF-8 ({wrong}); encode attribute values as UTF-8") from None
    return _assemble(core, value, extensions=extensions, kind=kind.decode("latin-1"), prefix="header ce_")


def binary_type(headers: Sequence[tuple[str, bytes | None]]) -> str | None:
    """The type of a record in binary content mode, without reading the rest; None where the header is missing."""
    value = next((value for name, value in headers if name == "ce_type"), None)
    return None if value is None else value.decode(errors="replace")


def from_http_binary(headers: Iterable[tuple[str, str]], body: bytes) -> Envelope:
    """Read an HTTP request in binary content mode: percent-encoded `ce-*` headers. Raises Malformed."""
    attributes: dict[str, str] = {}
    kind = JSON
    for raw_name, raw_value in headers:
        name = raw_name.lower()
        if name == "content-type":
            kind = raw_value
        elif name.startswith("ce-"):
            if name[3:] in attributes:
                raise Malformed(f"header {name}: sent twice; send it once")
            attributes[name[3:]] = _percent_decoded(name, raw_value)
    return _assemble(_core(attributes), body, extensions=attributes, kind=kind, prefix="header ce-")


def from_structured(event: bytes | Mapping[str, object]) -> Envelope:
    """Read an event in structured content mode, as raw JSON or as a parsed object. Raises Malformed."""
    parsed = parse_json(event, "event") if isinstance(event, bytes) else event
    if not isinstance(parsed, Mapping):
        raise Malformed(f"event: {excerpt(parsed)} is not a JSON object; send one CloudEvent")
    members = cast("Mapping[str, object]", parsed)
    if members.keys() == _CORE_MEMBERS.keys() and set(map(type, core := _core_attributes(members))) == {str}:
        # Fast path: most events have only the core attributes.
        data = _structured_data(members, JSON)
        return _assemble(core, data, extensions={}, kind=JSON, prefix="")
    attributes: dict[str, str] = {}
    for name, value in members.items():
        if name not in {"data", "data_base64"} and value is not None:
            attributes[name] = _attribute_text(name, value)
    kind = attributes.pop("datacontenttype", JSON)
    data = _structured_data(members, kind)
    return _assemble(_core(attributes), data, extensions=attributes, kind=kind, prefix="")


def kafka_headers(envelope: Envelope) -> list[tuple[str, bytes]]:
    """The headers of a record in binary content mode; the record's value is `envelope.data`."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", envelope.id.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
        ("ce_subject", envelope.subject.encode()),
        ("ce_time", format_instant(envelope.time).encode()),
        ("content-type", envelope.datacontenttype.encode()),
    ]
    if envelope.extensions:
        headers += [(f"ce_{name}", value.encode()) for name, value in envelope.extensions.items()]
    return headers


def _from_headers(named: Mapping[str, bytes | None]) -> tuple[Core, dict[str, str]]:
    if named.keys() == _CORE_HEADERS.keys():
        # Fast path, tens of thousands of times a second: the record has only the core attributes.
        version, event_id, source, event_type, subject, time = _core_headers(named)
        if version and event_id and source and event_type and subject and time:
            texts = version.decode(), event_id.decode(), source.decode()
            return (*texts, event_type.decode(), subject.decode(), time.decode()), {}
    attributes = {
        name[3:]: text.decode() for name, text in named.items() if name.startswith("ce_") and text is not None
    }
    return _core(attributes), attributes


def _core(attributes: dict[str, str]) -> Core:
    """Remove the core attributes from `attributes` and return them; the extensions stay."""
    take = attributes.pop
    first = take("specversion", None), take("id", None), take("source", None)
    return (*first, take("type", None), take("subject", None), take("time", None))


def _assemble(core: Core, data: bytes, *, extensions: dict[str, str], kind: str, prefix: str) -> Envelope:
    version, event_id, source, event_type, subject, time_text = core
    cleaned: tuple[str, ...] = ()
    if version != "1.0":
        raise Malformed(f"{prefix}specversion: {excerpt(version)} is not supported; send CloudEvents 1.0")
    if not (
        event_id
        and source
        and event_type
        and subject
        and _is_surely_valid(event_id + source + event_type + subject)
    ):
        event_id = _checked("id", event_id, prefix)
        source = _checked("source", source, prefix)
        event_type = _checked("type", event_type, prefix)
        subject, cleaned = _clean_subject(subject, prefix)
    if time_text is None:
        raise Malformed(f"{prefix}time: is required and absent; add the time of the event, {_TIME_HINT}")
    try:
        time = parse_instant(time_text)
    except ValueError as wrong:
        raise Malformed(f"{prefix}time: {wrong}") from None
    if kind != JSON:
        _require_json(kind, prefix)
    if data[:1] != b"{" and not data.lstrip().startswith(b"{"):
        raise Malformed(f"data: {excerpt(data)} is not a JSON object; send an object, at least {{}}")
    if extensions:
        _check_extensions(extensions, prefix)
    return Envelope(event_id, source, event_type, subject, time, data, kind, extensions, cleaned)


def _is_surely_valid(joined: str) -> bool:
    """Whether the joined attributes are so short and plain that none of them can be invalid."""
    return len(joined) <= _SMALLEST_MAX_LENGTH and joined.isprintable() and " " not in joined


def _checked(name: str, value: str | None, prefix: str) -> str:
    if not value or value.isspace():
        raise Malformed(f"{prefix}{name}: is required and {'empty' if value else 'absent'}; add it")
    if len(value) > _MAX_LENGTHS[name]:
        raise Malformed(f"{prefix}{name}: is longer than {_MAX_LENGTHS[name]} characters; shorten it")
    if not value.isprintable() and _FORBIDDEN.search(value):
        raise Malformed(
            f"{prefix}{name}: {excerpt(value)} contains a control character or a lone surrogate; remove it"
        )
    return value


def _clean_subject(value: str | None, prefix: str) -> tuple[str, tuple[str, ...]]:
    """The subject without blanks around it, and what was cleaned."""
    subject = _checked("subject", value and value.strip(BLANKS), prefix)
    if subject == value:
        return subject, ()
    return subject, (f"subject: value cleaned: {excerpt(value)} is read as {excerpt(subject)}",)


def _check_extensions(extensions: Mapping[str, str], prefix: str) -> None:
    if len(extensions) > _MAX_EXTENSIONS:
        raise Malformed(f"{prefix or 'event'}: more than {_MAX_EXTENSIONS} extension attributes; send fewer")
    for name, value in extensions.items():
        if not _ATTRIBUTE.fullmatch(name):
            raise Malformed(
                f"{prefix}{excerpt(name)}: is not an attribute name; use only lower-case letters and digits"
            )
        if name in _NOT_EXTENSIONS:
            raise Malformed(
                f"{prefix}{name}: is not an extension attribute; the content type describes the data"
            )
        if len(value) > _MAX_EXTENSION_LENGTH or _FORBIDDEN.search(value):
            raise Malformed(
                f"{prefix}{name}: is longer than {_MAX_EXTENSION_LENGTH} characters or contains a control "
                "character; shorten it or remove the character"
            )


def _attribute_text(name: str, value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() if name not in _NOT_EXTENSIONS:
            return str(value)
        case _:
            raise Malformed(f"event.{name}: {excerpt(value)} is not a string; put it in quotes")


def _structured_data(event: Mapping[str, object], kind: str) -> bytes:
    if event.get("data_base64") is not None:
        encoded = event["data_base64"]
        if event.get("data") is not None or not isinstance(encoded, str):
            raise Malformed("event.data_base64: must be a string, without `data` beside it; send only `data`")
        _require_json(kind, "event.data")
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as wrong:
            raise Malformed(
                f"event.data_base64: is not base64 ({wrong}); send `data` as a JSON object instead"
            ) from None
    data = event.get("data")
    if not isinstance(data, dict):
        raise Malformed(f"data: {excerpt(data)} is not a JSON object; send an object, at least {{}}")
    return dump_json(cast("object", data))


def _require_json(kind: str, prefix: str) -> None:
    media, _, parameters = kind.partition(";")
    media = media.strip().lower()
    if media not in {JSON, "text/json"} and not (media.endswith("+json") and "/" in media):
        raise Malformed(f"{prefix}content type: {excerpt(kind)} is not JSON; send application/json")
    charset = re.search(r'charset="?([^";\s]+)', parameters.lower())
    if charset and charset[1] not in {"utf-8", "utf8", "us-ascii"}:
        raise Malformed(f"{prefix}content type: charset {excerpt(charset[1])} is not supported; send UTF-8")


def _structured_only(kind: bytes) -> None:
    media = kind.decode("latin-1").partition(";")[0].strip().lower()
    if media != STRUCTURED:
        raise Malformed(
            f"header content-type: {excerpt(media)} is not supported; send one event as {STRUCTURED}"
        )
    _require_json(kind.decode("latin-1"), "header ")


def _refuse_repeated(headers: Sequence[tuple[str, bytes | None]]) -> None:
    names = [name for name, _ in headers]
    for name in dict.fromkeys(names):
        if names.count(name) > 1 and name.startswith("ce_"):
            raise Malformed(f"header {name}: sent {names.count(name)} times; send it once")


def _percent_decoded(name: str, value: str) -> str:
    try:
        return unquote_to_bytes(value.encode("latin-1")).decode()
    except UnicodeError:
        raise Malformed(f"header {name}: is not percent-encoded UTF-8; encode non-ASCII characters") from None
