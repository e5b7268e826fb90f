"""Any event is read as it was written, and the readers raise nothing but Malformed for any bytes."""

import contextlib
import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import (
    Envelope,
    from_http_binary,
    from_kafka,
    from_structured,
    kafka_headers,
)
from schemas.patterns import BLANKS
from schemas.problems import Malformed
from tests.unit.schemas.structured import to_structured

words = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40).filter(str.strip)
subjects = words.map(lambda word: word.strip(BLANKS)).filter(bool)
names = st.from_regex(r"x[a-z0-9]{1,12}", fullmatch=True)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
payloads = st.dictionaries(words, values, max_size=4).map(
    lambda data: json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
)
envelopes = st.builds(
    Envelope,
    id=words,
    source=words,
    type=words,
    subject=subjects,
    time=st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    data=payloads,
    extensions=st.dictionaries(names, words, max_size=3),
)


@given(envelope=envelopes)
def test_a_binary_record_is_read_as_it_was_written(envelope: Envelope) -> None:
    assert from_kafka(kafka_headers(envelope), envelope.data) == envelope


@given(envelope=envelopes)
def test_a_structured_event_is_read_as_it_was_written(envelope: Envelope) -> None:
    read = from_structured(to_structured(envelope))

    assert json.loads(read.data) == json.loads(envelope.data)
    read.data = envelope.data
    assert read == envelope


@given(envelope=envelopes)
def test_the_fast_path_reads_an_event_like_the_general_path(
    envelope: Envelope,
) -> None:
    envelope.extensions = {}
    event = json.loads(to_structured(envelope))
    plain = {name: value for name, value in event.items() if name != "datacontenttype"}

    assert from_structured(plain) == from_structured(event) == from_structured({**plain, "traceparent": None})


@given(
    headers=st.lists(st.tuples(st.sampled_from(["ce_id", "ce_time", "content-type"]) | words, st.binary())),
    value=st.binary(),
)
def test_no_record_makes_the_reader_fail_otherwise(headers: list[tuple[str, bytes]], value: bytes) -> None:
    with contextlib.suppress(Malformed):
        from_kafka(headers, value)


@given(
    event=st.binary()
    | st.dictionaries(st.text(), values, max_size=6).map(lambda event: json.dumps(event).encode())
)
def test_no_body_makes_the_structured_reader_fail_otherwise(event: bytes) -> None:
    with contextlib.suppress(Malformed):
        from_structured(event)


@given(
    headers=st.lists(st.tuples(st.sampled_from(["ce-id", "ce-time", "content-type"]), st.text())),
    body=st.binary(),
)
def test_no_request_makes_the_binary_reader_fail_otherwise(
    headers: list[tuple[str, str]], body: bytes
) -> None:
    with contextlib.suppress(Malformed):
        from_http_binary(headers, body)
