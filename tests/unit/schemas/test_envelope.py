"""A CloudEvent is read, or rejected with a message that helps."""

import base64
import json
from datetime import UTC, datetime

import pytest

from schemas.envelope import (
    Envelope,
    from_http_binary,
    from_kafka,
    from_structured,
    kafka_headers,
)
from schemas.problems import Malformed
from tests.unit.schemas.structured import to_structured

SCORED = Envelope(
    id="evt-1",
    source="/telemetry",
    type="drumbeat.health.scored.v1",
    subject="acct-meridian",
    time=datetime(2026, 3, 2, 8, 30, 0, 250_000, tzinfo=UTC),
    data=b'{"score":42}',
)
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=UTF-8")]


def structured(**changes: object) -> bytes:
    event = {**json.loads(to_structured(SCORED)), **changes}
    return json.dumps({name: value for name, value in event.items() if value is not ...}).encode()


def binary(**changes: bytes | None) -> list[tuple[str, bytes | None]]:
    return [(name, changes.get(name.removeprefix("ce_"), value)) for name, value in kafka_headers(SCORED)]


def test_a_binary_record_is_read() -> None:
    assert from_kafka(kafka_headers(SCORED), SCORED.data) == SCORED


def test_a_structured_record_is_read() -> None:
    assert from_kafka(STRUCTURED, structured()) == SCORED


def test_headers_without_the_ce_prefix_are_ignored() -> None:
    assert (
        from_kafka([*kafka_headers(SCORED), ("traceparent", b"00-1"), ("x", b"\xff")], SCORED.data) == SCORED
    )


def test_extensions_are_kept_as_strings_and_written_back() -> None:
    envelope = from_structured(structured(traceparent="00-1", sampled=True, hops=3))

    assert envelope.extensions == {"traceparent": "00-1", "sampled": "true", "hops": "3"}
    assert from_kafka(kafka_headers(envelope), envelope.data) == envelope


def test_http_headers_are_percent_decoded_and_names_ignore_case() -> None:
    headers = [
        ("CE-SpecVersion", "1.0"),
        ("ce-id", "evt%20%E2%82%AC"),
        ("ce-source", "/s"),
        ("ce-type", "t"),
        ("ce-subject", "acct"),
        ("ce-time", "2026-03-02T09:30:00.25+01:00"),
        ("Content-Type", "application/json; charset=utf-8"),
        ("host", "localhost"),
    ]

    envelope = from_http_binary(headers, b"{}")

    assert envelope.id == "evt €"
    assert envelope.time == SCORED.time


def test_base64_data_that_is_json_is_decoded() -> None:
    encoded = base64.b64encode(SCORED.data).decode()

    assert from_structured(structured(data=..., data_base64=encoded)) == SCORED


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-03-02T08:30:00Z", 0),
        ("2026-03-02t08:30:00z", 0),
        ("2026-03-02T10:30:00+02:00", 0),
        ("2026-03-02T08:30:00-00:00", 0),
        ("2026-03-02T08:30:00.5Z", 0.5),
        ("2026-03-02T08:30:00.123456789Z", 0.123456),
    ],
)
def test_all_rfc_3339_spellings_of_a_time_are_read_as_the_same_moment(text: str, seconds: float) -> None:
    moment = from_kafka(binary(time=text.encode()), b"{}").time

    assert moment.tzinfo is UTC
    assert (moment - datetime(2026, 3, 2, 8, 30, tzinfo=UTC)).total_seconds() == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02",
        "2026-03-02T08:30:00",
        "2026-03-02 08:30:00Z",
        "20260302T083000Z",
        "2026-W10-1T08:30:00Z",
        "2026-03-02T08:30:00+0200",
        "2026-02-30T08:30:00Z",
        "2026-03-02T24:00:00Z",
        "2026-03-02T08:30:60Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-01:00",
        "2026-03-02T08:30:00+99:00",
        "٢٠٢٦-03-02T08:30:00Z",
        "1772438400",
        "tomorrow",
    ],
)
def test_a_time_that_is_not_rfc_3339_with_a_zone_is_rejected(text: str) -> None:
    with pytest.raises(Malformed, match=r"^header ce_time: "):
        from_kafka(binary(time=text.encode()), b"{}")


@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "time", "specversion"])
def test_a_missing_attribute_is_named_in_the_error(name: str) -> None:
    with pytest.raises(Malformed, match=f"header ce_{name}: "):
        from_kafka(binary(**{name: None}), b"{}")
    with pytest.raises(Malformed, match=f"^{name}: "):
        from_structured(structured(**{name: ...}))


@pytest.mark.parametrize("name", ["id", "source", "type", "subject"])
@pytest.mark.parametrize("text", ["", " ", "a\0b", "a\nb", "\x7f", "x" * 2000])
def test_a_blank_or_long_attribute_or_one_with_control_characters_is_rejected(name: str, text: str) -> None:
    with pytest.raises(Malformed, match=f"ce_{name}: "):
        from_kafka(binary(**{name: text.encode()}), b"{}")
    with pytest.raises(Malformed):
        from_structured(structured(**{name: text}))


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (structured(specversion="0.3"), "1.0"),
        (structured(id=7), "event.id: 7 is not a string"),
        (structured(extra={"a": 1}), "event.extra: an object is not a string"),
        (structured(Trace="x"), "not an attribute name"),
        (structured(data=[1]), "an array is not a JSON object"),
        (structured(data="text"), "is not a JSON object"),
        (structured(data=...), "null is not a JSON object"),
        (structured(datacontenttype="text/plain"), "is not JSON"),
        (structured(data_base64="e30="), "without `data` beside it"),
        (structured(data=..., data_base64="!"), "not base64"),
        (structured(data=..., data_base64="AAEC"), "is not a JSON object"),
        (structured(data={"a": "\0"}), "NUL"),
        (structured(data={"a": float("nan")}), "NaN"),
        (structured(data={"a": 10**4000}), "is not JSON"),
        (structured(subject="\ud800"), "is not JSON"),
        (structured(**{f"x{n}": "1" for n in range(40)}), "extension"),
        (structured(data=json.loads('{"a":' * 65 + "1" + "}" * 65)), "nested deeper than 64"),
        (structured(data=json.loads('{"a":' * 500 + "1" + "}" * 500)), "nested deeper than 64"),
        (b'{"a":["\\u0000"' + b",[1" * 900 + b"]" * 901 + b"}", "NUL"),
        (b"[" * 100_000, "nested deeper than 64"),
        (b'{"data":' * 100_000, "nested deeper than 64"),
        (b"[]", "an array is not a JSON object"),
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b'{"a":"' + b'\\"' * 100_000, "is not JSON"),
    ],
)
def test_an_unreadable_structured_event_is_rejected_with_a_message(event: bytes, words: str) -> None:
    with pytest.raises(Malformed) as error:
        from_structured(event)

    assert words in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("headers", "value", "words"),
    [
        (kafka_headers(SCORED), None, "tombstone"),
        (kafka_headers(SCORED), b"", "not a JSON object"),
        (kafka_headers(SCORED), b"7", "not a JSON object"),
        ([*kafka_headers(SCORED), ("ce_id", b"evt-2")], b"{}", "sent 2 times"),
        (binary(id=b"\xff"), b"{}", "UTF-8"),
        ([*kafka_headers(SCORED), ("ce_data", b"1")], b"{}", "is not an extension attribute"),
        ([*kafka_headers(SCORED)[:-1], ("content-type", b"text/plain")], b"{}", "is not JSON"),
        (
            [*kafka_headers(SCORED)[:-1], ("content-type", b"application/json; charset=latin-1")],
            b"{}",
            "UTF-8",
        ),
        ([("content-type", b"application/cloudevents-batch+json")], b"[]", "one event"),
        ([("content-type", b"application/cloudevents+avro")], b"{}", "is not supported"),
        ([], b"{}", "specversion"),
    ],
)
def test_an_unreadable_record_is_rejected_with_a_message(
    headers: list[tuple[str, bytes | None]], value: bytes | None, words: str
) -> None:
    with pytest.raises(Malformed) as error:
        from_kafka(headers, value)

    assert words in str(error.value)


def test_an_http_header_sent_twice_is_rejected() -> None:
    with pytest.raises(Malformed, match="twice"):
        from_http_binary([("ce-id", "a"), ("CE-ID", "b")], b"{}")


def test_a_parsed_object_is_checked_by_the_same_rules() -> None:
    for bad in ("\ud800", 10**30, {1: 2}):
        with pytest.raises(Malformed, match="is not JSON"):
            from_structured({**json.loads(structured()), "data": {"a": bad}})


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    event = structured(data={"a": "[" * 1000 + '"{' * 100})

    assert from_structured(event).id == "evt-1"


@pytest.mark.parametrize("subject", [" acct-meridian", "acct-meridian ", "\tacct-meridian\u00a0"])
def test_blanks_around_the_subject_are_cut_in_every_content_mode(subject: str) -> None:
    """Row 12 of the reported faults: one account, whatever the connector puts around its id."""
    headers = [
        (name, subject.encode() if name == "ce_subject" else value) for name, value in kafka_headers(SCORED)
    ]
    for envelope in (from_kafka(headers, SCORED.data), from_structured(structured(subject=subject))):
        assert envelope.subject == "acct-meridian"
        assert envelope.cleaned[0].startswith("subject: value cleaned: ")
    assert from_structured(structured(subject="Acct Meridian")).cleaned == ()
