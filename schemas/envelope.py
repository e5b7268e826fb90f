"""CloudEvents 1.0: written in the Kafka binary binding, read in binary and in structured mode, over HTTP too.

The envelope says who, what, whom and when; `data` stays raw JSON until the one who needs the letter reads it.
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

import orjson

from schemas.base import dump_json, parse_json
from schemas.problems import Malformed, excerpt
from schemas.times import format_instant, parse_instant

__all__ = [
    "Envelope",
    "Malformed",
    "from_http_binary",
    "from_kafka",
    "from_structured",
    "kafka_headers",
    "to_structured",
]

JSON: Final = "application/json"
STRUCTURED: Final = "application/cloudevents+json"
MOST_EXTENSIONS: Final = 32
_LONGEST: Final = {"id": 255, "source": 1024, "type": 255, "subject": 200}
_SHORTEST_LIMIT: Final = min(_LONGEST.values())
_LONGEST_EXTENSION: Final = 4096
_LIKE_THIS: Final = "like 2026-03-31T09:30:00Z"
_PLAIN: Final = ("specversion", "id", "source", "type", "subject", "time")
_plain_of: Final = itemgetter(*_PLAIN)
_CORE_HEADERS: Final = dict.fromkeys(f"ce_{name}" for name in _PLAIN)
_core_of: Final = itemgetter(*_CORE_HEADERS)
_FORBIDDEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ATTRIBUTE: Final = re.compile(r"[a-z0-9]{1,64}", re.ASCII)
_PLAIN_MEMBERS: Final = dict.fromkeys((*_PLAIN, "data"))
_NOT_EXTENSIONS: Final = {*_PLAIN_MEMBERS, "datacontenttype", "data_base64"}

Core = tuple[str | None, str | None, str | None, str | None, str | None, str | None]
"""specversion, id, source, type, subject, time, as far as they are there."""


@dataclass(slots=True)
class Envelope:
    """One event. `time` is aware UTC, `data` a JSON object as raw bytes; extensions are kept as strings."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    data: bytes
    datacontenttype: str = JSON
    extensions: dict[str, str] = field(default_factory=dict[str, str])


def from_kafka(headers: Sequence[tuple[str, bytes | None]], value: bytes | None) -> Envelope:
    """Reads a record in either content mode. Raises Malformed."""
    named = dict(headers)
    kind = named.pop("content-type", None) or named.pop("Content-Type", None) or b"application/json"
    if value is None:
        raise Malformed("value: the record has none (a tombstone); an event needs data, {} at the least")
    if kind.startswith(b"application/cloudevents"):
        _structured_only(kind)
        return from_structured(value)
    if len(named) + 1 < len(headers):
        _refuse_repeated(headers)
    try:
        core, extensions = _from_headers(named)
    except UnicodeDecodeError as wrong:
        raise Malformed(f"headers: not UTF-8 ({wrong}); encode attribute values as UTF-8") from None
    return _assemble(core, value, extensions=extensions, kind=kind.decode("latin-1"), place="header ce_")


def from_http_binary(headers: Iterable[tuple[str, str]], body: bytes) -> Envelope:
    """Reads a request in binary content mode: `ce-*` headers, percent-encoded. Raises Malformed."""
    attributes: dict[str, str] = {}
    kind = JSON
    for raw_name, raw_value in headers:
        name = raw_name.lower()
        if name == "content-type":
            kind = raw_value
        elif name.startswith("ce-"):
            if name[3:] in attributes:
                raise Malformed(f"header {name}: given twice; send it once")
            attributes[name[3:]] = _percent_decoded(name, raw_value)
    return _assemble(_core(attributes), body, extensions=attributes, kind=kind, place="header ce-")


def from_structured(event: bytes | Mapping[str, object]) -> Envelope:
    """Reads an event in structured content mode, raw JSON or an object already parsed. Raises Malformed."""
    parsed = parse_json(event, "event") if isinstance(event, bytes) else event
    if not isinstance(parsed, Mapping):
        raise Malformed(f"event: {excerpt(parsed)} is not a JSON object; send one CloudEvent")
    members = cast("Mapping[str, object]", parsed)
    if members.keys() == _PLAIN_MEMBERS.keys() and set(map(type, plain := _plain_of(members))) == {str}:
        data = _structured_data(members, JSON)  # nothing but what every event has: most come this way
        return _assemble(plain, data, extensions={}, kind=JSON, place="")
    attributes: dict[str, str] = {}
    for name, value in members.items():
        if name not in {"data", "data_base64"} and value is not None:
            attributes[name] = _attribute_text(name, value)
    kind = attributes.pop("datacontenttype", JSON)
    data = _structured_data(members, kind)
    return _assemble(_core(attributes), data, extensions=attributes, kind=kind, place="")


def kafka_headers(envelope: Envelope) -> list[tuple[str, bytes]]:
    """The headers of the binary content mode; the record's value is `envelope.data`."""
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


def to_structured(envelope: Envelope) -> bytes:
    """The event as one JSON object (`application/cloudevents+json`)."""
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": envelope.id,
            "source": envelope.source,
            "type": envelope.type,
            "subject": envelope.subject,
            "time": format_instant(envelope.time),
            "datacontenttype": envelope.datacontenttype,
            **envelope.extensions,
            "data": orjson.Fragment(envelope.data),
        }
    )


def _from_headers(named: Mapping[str, bytes | None]) -> tuple[Core, dict[str, str]]:
    if named.keys() == _CORE_HEADERS.keys():
        # Nothing but what every event has: tens of thousands a second come this way.
        version, event_id, source, event_type, subject, moment = _core_of(named)
        if version and event_id and source and event_type and subject and moment:
            texts = version.decode(), event_id.decode(), source.decode()
            return (*texts, event_type.decode(), subject.decode(), moment.decode()), {}
    attributes = {
        name[3:]: text.decode() for name, text in named.items() if name.startswith("ce_") and text is not None
    }
    return _core(attributes), attributes


def _core(attributes: dict[str, str]) -> Core:
    """Takes what every event has out of the attributes; the extensions stay."""
    take = attributes.pop
    known = take("specversion", None), take("id", None), take("source", None)
    return (*known, take("type", None), take("subject", None), take("time", None))


def _assemble(core: Core, data: bytes, *, extensions: dict[str, str], kind: str, place: str) -> Envelope:
    version, event_id, source, event_type, subject, moment = core
    if version != "1.0":
        raise Malformed(f"{place}specversion: {excerpt(version)} is not supported; send CloudEvents 1.0")
    if not (
        event_id and source and event_type and subject and _harmless(event_id + source + event_type + subject)
    ):
        event_id = _checked("id", event_id, place)
        source = _checked("source", source, place)
        event_type = _checked("type", event_type, place)
        subject = _checked("subject", subject, place)
    if moment is None:
        raise Malformed(f"{place}time: is required and absent; give the moment it happened, {_LIKE_THIS}")
    try:
        time = parse_instant(moment)
    except ValueError as wrong:
        raise Malformed(f"{place}time: {wrong}") from None
    if kind != JSON:
        _require_json(kind, place)
    if data[:1] != b"{" and not data.lstrip().startswith(b"{"):
        raise Malformed(f"data: {excerpt(data)} is not a JSON object; send an object, {{}} at the least")
    if extensions:
        _check_extensions(extensions, place)
    return Envelope(event_id, source, event_type, subject, time, data, kind, extensions)


def _harmless(together: str) -> bool:
    """Nothing to look for in any of the parts: together no longer than each may be, printable, no white space."""
    return len(together) <= _SHORTEST_LIMIT and together.isprintable() and " " not in together


def _checked(name: str, value: str | None, place: str) -> str:
    if not value or value.isspace():
        raise Malformed(f"{place}{name}: is required and {'empty' if value else 'absent'}; add it")
    if len(value) > _LONGEST[name]:
        raise Malformed(f"{place}{name}: is longer than {_LONGEST[name]} characters; shorten it")
    if not value.isprintable() and _FORBIDDEN.search(value):
        raise Malformed(
            f"{place}{name}: {excerpt(value)} holds a control character or a lone surrogate; remove it"
        )
    return value


def _check_extensions(extensions: Mapping[str, str], place: str) -> None:
    if len(extensions) > MOST_EXTENSIONS:
        raise Malformed(f"{place or 'event'}: more than {MOST_EXTENSIONS} extension attributes; send fewer")
    for name, value in extensions.items():
        if not _ATTRIBUTE.fullmatch(name):
            raise Malformed(
                f"{place}{excerpt(name)}: not an attribute name; use lower-case letters and digits only"
            )
        if name in _NOT_EXTENSIONS:
            raise Malformed(f"{place}{name}: does not belong here; the content type says what the data is")
        if len(value) > _LONGEST_EXTENSION or _FORBIDDEN.search(value):
            raise Malformed(
                f"{place}{name}: longer than {_LONGEST_EXTENSION} characters or holds a control character"
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
            raise Malformed("event.data_base64: must be a string and stand alone; send `data` instead")
        _require_json(kind, "event.data")
        try:
            return base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as wrong:
            raise Malformed(
                f"event.data_base64: not base64 ({wrong}); send `data` as a JSON object instead"
            ) from None
    data = event.get("data")
    if not isinstance(data, dict):
        raise Malformed(f"data: {excerpt(data)} is not a JSON object; send an object, {{}} at the least")
    return dump_json(cast("object", data))


def _require_json(kind: str, place: str) -> None:
    media, _, parameters = kind.partition(";")
    media = media.strip().lower()
    if media not in {JSON, "text/json"} and not (media.endswith("+json") and "/" in media):
        raise Malformed(f"{place}content type: {excerpt(kind)} is not JSON; send application/json")
    charset = re.search(r'charset="?([^";\s]+)', parameters.lower())
    if charset and charset[1] not in {"utf-8", "utf8", "us-ascii"}:
        raise Malformed(f"{place}content type: charset {excerpt(charset[1])} is not supported; send UTF-8")


def _structured_only(kind: bytes) -> None:
    media = kind.decode("latin-1").partition(";")[0].strip().lower()
    if media != STRUCTURED:
        raise Malformed(
            f"header content-type: {excerpt(media)} cannot be read here; send one event, {STRUCTURED}"
        )
    _require_json(kind.decode("latin-1"), "header ")


def _refuse_repeated(headers: Sequence[tuple[str, bytes | None]]) -> None:
    names = [name for name, _ in headers]
    for name in dict.fromkeys(names):
        if names.count(name) > 1 and name.startswith("ce_"):
            raise Malformed(f"header {name}: given {names.count(name)} times; send it once")


def _percent_decoded(name: str, value: str) -> str:
    try:
        return unquote_to_bytes(value.encode("latin-1")).decode()
    except UnicodeError:
        raise Malformed(f"header {name}: not percent-encoded UTF-8; encode what is beyond ASCII") from None
