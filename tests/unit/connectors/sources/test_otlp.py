"""OpenTelemetry as its own messages write it: the published protocol buffers are the sender."""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.json_format import MessageToJson
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from schemas.problems import Malformed
from services.connectors.batch import read_batch
from services.connectors.mapping.facts import map_item
from services.connectors.mapping.model import MappedItem
from services.connectors.sources.otlp import split_otlp
from tests.unit.connectors.mapping.samples import NOW, shipped

AT = datetime(2026, 11, 30, 10, tzinfo=UTC)
DAY = timedelta(days=1)
Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]


def any_value(value: Plain) -> AnyValue:
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=map(any_value, value)))
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=attributes(value)))


def attributes(values: dict[str, Plain]) -> list[KeyValue]:
    return [KeyValue(key=key, value=any_value(value)) for key, value in values.items()]


def nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000


def logs(*records: LogRecord, **resource: Plain) -> bytes:
    request = ExportLogsServiceRequest()
    holder = request.resource_logs.add()
    holder.resource.attributes.extend(attributes(resource))
    holder.scope_logs.add().log_records.extend(records)
    return MessageToJson(request).encode()


def log(name: str, values: dict[str, Plain], **more: object) -> LogRecord:
    fields: dict[str, object] = {"time_unix_nano": nanoseconds(AT), "event_name": name, **more}
    return LogRecord(attributes=attributes(values), **fields)  # pyright: ignore[reportArgumentType]


def mapped(body: bytes) -> list[MappedItem]:
    mapping = shipped("opentelemetry")
    return [map_item(mapping, item, NOW) for item in read_batch(mapping, body).items]


def test_a_log_record_whose_event_name_is_a_type_of_events_becomes_one() -> None:
    usage: dict[str, Plain] = {
        "account.id": "acme",
        "period_start": "2026-11-29T00:00:00Z",
        "period_end": "2026-11-30T00:00:00Z",
        "active_users": 41,
        "seats": 50,
        "features": {"export": 7},
    }
    (item,) = mapped(logs(log("usage.reported", usage)))
    (fact,) = item.facts
    assert (fact.type, fact.account.id, fact.time) == ("drumbeat.usage.reported.v1", "acme", AT)
    del usage["account.id"]
    assert fact.data == usage, "64-bit integers are text in JSON, and numbers here"
    assert not item.problems


def test_the_account_may_stand_at_the_resource_and_the_name_in_an_attribute() -> None:
    old: dict[str, Plain] = {"event.name": "drumbeat.health.scored.v1", "score": 61.5}
    body = logs(
        log("", old, time_unix_nano=0, observed_time_unix_nano=nanoseconds(AT)), **{"account.id": "acme"}
    )
    (item,) = mapped(body)
    (fact,) = item.facts
    assert (fact.type, fact.account.id, fact.time, fact.data) == (
        "drumbeat.health.scored.v1", "acme", AT, {"score": 61.5}
    )  # fmt: skip


def test_the_same_record_has_the_same_id_and_its_own_uid_when_it_has_one() -> None:
    record = log("health.scored", {"account.id": "acme", "score": 3})
    once, again = mapped(logs(record)) + mapped(logs(record))
    assert once.id == again.id
    (named,) = mapped(logs(log("health.scored", {"account.id": "a", "score": 3, "log.record.uid": "01ARZ3"})))
    assert named.facts[0].id.startswith("01ARZ3/")


def test_what_is_no_event_of_ours_is_counted_and_what_names_no_account_is_refused() -> None:
    other, nameless = mapped(
        logs(log("user.login", {"account.id": "acme"}), log("health.scored", {"score": 3}))
    )
    assert (other.facts, other.problems, other.unmapped) == ((), (), ("log user.login",))
    assert "account.id" in nameless.problems[0]


def test_points_of_metrics_are_items_and_one_is_a_health_score() -> None:
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    points = metrics.add(name="customer.health.score", unit="1").gauge.data_points
    points.add(time_unix_nano=nanoseconds(AT), as_double=71.5, attributes=attributes({"account.id": "acme"}))
    points.add(time_unix_nano=nanoseconds(AT), as_int=12, attributes=attributes({"account.id": "beta"}))
    metrics.add(name="http.duration").histogram.data_points.add(count=3, time_unix_nano=nanoseconds(AT))
    acme, beta, histogram = mapped(MessageToJson(request).encode())
    assert [(item.facts[0].account.id, item.facts[0].data) for item in (acme, beta)] == [
        ("acme", {"score": 71.5}),
        ("beta", {"score": 12}),
    ]
    assert (histogram.facts, histogram.unmapped) == ((), ("metric http.duration",))


@given(
    st.recursive(
        st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
        max_leaves=6,
    )
)  # fmt: skip
def test_every_value_of_an_attribute_comes_out_as_it_was(value: Plain) -> None:
    body = logs(log("x", {"value": value}))
    try:
        (item,) = read_batch(shipped("opentelemetry"), body).items
    except Malformed as refused:  # NUL, which no text may have here
        assert "NUL" in str(refused)  # noqa: PT017
        return
    assert item["attributes"] == {"value": value}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"resourceSpans": []}', "traces are not read"),
        (b'{"resourceLogs": {}}', "`resourceLogs` is no list"),
        (b'{"resourceLogs": [7]}', "something else than objects"),
        (
            b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": "x"}]}]}]}',
            "`attributes` is no list",
        ),
    ],
)
def test_a_body_of_another_form_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        read_batch(shipped("opentelemetry"), body)


@pytest.mark.parametrize("stamp", ["0", "-1", "99999999999999999999", "soon", "", None, True, 1.5, []])
def test_a_moment_that_is_none_is_no_time_and_the_item_says_so(stamp: object) -> None:
    record = {"timeUnixNano": stamp, "eventName": "health.scored", "attributes": []}
    (item,) = mapped_document({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})
    assert item.problems


def mapped_document(document: dict[str, object]) -> list[MappedItem]:
    mapping = shipped("opentelemetry")
    return [map_item(mapping, item, NOW) for item in split_otlp(document)]
