"""Headers are the same after they were packed into a row of the outbox and unpacked again."""
# pyright: reportPrivateUsage=false

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.outbox import NOT_OURS, Outbox, Outgoing, Raw, timestamp, unpack

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
printable = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
names = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=255), min_size=1)
any_bytes = st.binary()


def outgoing(key: str, event_id: str) -> Outgoing:
    return Outgoing("topic", key, event_id, "drumbeat.plan.adjusted.v1", NOON, b"{}")


@given(printable, printable)
def test_the_headers_of_an_event_are_utf_8_whatever_its_key_and_id(key: str, event_id: str) -> None:
    headers = dict(unpack(Outbox("/drumbeat/test")._pack(outgoing(key, event_id), {})))
    assert headers == {
        "ce_specversion": b"1.0",
        "ce_id": event_id.encode(),
        "ce_source": b"/drumbeat/test",
        "ce_type": b"drumbeat.plan.adjusted.v1",
        "ce_subject": key.encode(),
        "ce_time": b"2026-03-02T12:00:00Z",
        "content-type": b"application/json",
    }


@given(st.lists(st.tuples(names, any_bytes), max_size=5))
def test_a_raw_record_keeps_its_headers(headers: list[tuple[str, bytes]]) -> None:
    packed = Outbox("/drumbeat/test")._pack(Raw("topic", "key", headers, None), {})
    assert unpack(packed) == [*headers, NOT_OURS], "the relay takes the last one off"


def test_an_instant_has_microseconds_only_where_there_are_any() -> None:
    assert timestamp(NOON) == "2026-03-02T12:00:00Z"
    assert timestamp(NOON.replace(microsecond=5)) == "2026-03-02T12:00:00.000005Z"
    assert timestamp(datetime.fromisoformat("2026-03-02T13:00:00+01:00")) == "2026-03-02T12:00:00Z"
