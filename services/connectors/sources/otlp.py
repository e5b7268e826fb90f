"""OpenTelemetry: what a Collector or an SDK exports as OTLP/JSON: an item for each log record and point of a metric.

Attributes become plain objects, moments RFC 3339. Source: "OTLP Specification", section "JSON Protobuf Encoding", and
the messages of opentelemetry-proto: `LogsData`, `MetricsData`, `AnyValue`.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, cast

from schemas.problems import Malformed
from schemas.times import format_instant
from services.connectors.sources.items import Item, mapping_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MICROSECONDS: Final = int((datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) / timedelta(microseconds=1))
_METRIC_KINDS: Final = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")


def split_otlp(document: object) -> list[Item]:
    """Raises Malformed for a body of another kind, such as traces."""
    body = mapping_of(document)
    if "resourceLogs" not in body and "resourceMetrics" not in body:
        raise Malformed(
            "body: has neither `resourceLogs` nor `resourceMetrics`; export logs or metrics as JSON (traces are not read)"
        )
    return [*_log_items(body), *_metric_items(body)]


def _log_items(body: Item) -> Iterator[Item]:
    for shared, scope in _scopes(body, "resourceLogs", "scopeLogs"):
        for record in _objects(scope, "logRecords"):
            attributes = _attributes(record)
            yield {
                **shared,
                "signal": "log",
                "kind": "log",
                "name": record.get("eventName") or attributes.get("event.name"),
                "time": _instant(record, "timeUnixNano") or _instant(record, "observedTimeUnixNano"),
                "severity": record.get("severityText"),
                "attributes": attributes,
                "body": _value(record.get("body")),
            }


def _metric_items(body: Item) -> Iterator[Item]:
    for shared, scope in _scopes(body, "resourceMetrics", "scopeMetrics"):
        for metric in _objects(scope, "metrics"):
            kind = next((each for each in _METRIC_KINDS if each in metric), "unknown")
            for point in _objects(mapping_of(metric.get(kind)), "dataPoints"):
                yield {
                    **shared,
                    "signal": "metric",
                    "kind": kind,
                    "name": metric.get("name"),
                    "unit": metric.get("unit"),
                    "time": _instant(point, "timeUnixNano"),
                    "start_time": _instant(point, "startTimeUnixNano"),
                    "attributes": _attributes(point),
                    "value": _number(point),
                }


def _scopes(body: Item, of_resources: str, of_scopes: str) -> Iterator[tuple[Item, Item]]:
    """Each scope, with what its items share."""
    for resource in _objects(body, of_resources):
        attributes = _attributes(mapping_of(resource.get("resource")))
        for scope in _objects(resource, of_scopes):
            name = mapping_of(scope.get("scope")).get("name")
            yield {"resource": attributes, "scope": name}, scope


def _objects(parent: Item, member: str) -> Iterator[Item]:
    found = parent.get(member)
    if found is None:
        return
    if not isinstance(found, list):
        raise Malformed(f"body: `{member}` is no list")
    for each in cast("list[object]", found):
        if not isinstance(each, dict):
            raise Malformed(f"body: `{member}` has something else than objects")
        yield cast("dict[str, object]", each)


def _attributes(parent: Item) -> Mapping[str, object]:
    return {str(each.get("key")): _value(each.get("value")) for each in _objects(parent, "attributes")}


def _value(value: object) -> object:
    """The plain value of an `AnyValue`: 64-bit integers may be text, bytes are text in base64."""
    for kind, content in mapping_of(value).items():
        match kind:
            case "intValue":
                return _integer(content)
            case "arrayValue":
                return [_value(each) for each in _objects(mapping_of(content), "values")]
            case "kvlistValue":
                pairs = _objects(mapping_of(content), "values")
                return {str(each.get("key")): _value(each.get("value")) for each in pairs}
            case _:
                return content
    return None


def _number(point: Item) -> object:
    """The value of a point; None for one of several, as histograms have."""
    return _integer(point["asInt"]) if "asInt" in point else point.get("asDouble")


def _integer(value: object) -> object:
    """Protobuf's JSON writes 64-bit integers as text. What is no integer stays as it is, and its field refuses it."""
    if isinstance(value, str) and len(value) <= 20 and value.removeprefix("-").isdecimal():
        return int(value)
    return value


def _instant(parent: Item, member: str) -> str | None:
    """Nanoseconds since 1970 as RFC 3339; None for 0, which says that there is no moment, and for what is none."""
    nanoseconds = _integer(parent.get(member))
    if not isinstance(nanoseconds, int) or isinstance(nanoseconds, bool):
        return None
    microseconds = nanoseconds // 1000
    if not 0 < microseconds < _LATEST_MICROSECONDS:
        return None
    return format_instant(_EPOCH + timedelta(microseconds=microseconds))
