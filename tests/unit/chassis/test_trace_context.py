"""W3C Trace Context: what is a traceparent, what is none, and what rows keep of one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.trace_context import Carrier, origin_of, read_traceparent, step_before, traceparent_of

ONE, OTHER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", f"00-{'a' * 32}-{'b' * 16}-00"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.integers(0, 3))
def test_what_is_written_is_read_again(trace_id: int, span_id: int, flags: int) -> None:
    text = f"00-{trace_id:032x}-{span_id:016x}-0{flags}"
    assert traceparent_of(read_traceparent(text)) == text


@given(st.text())
def test_any_other_text_begins_a_new_trace(text: str) -> None:
    assert not read_traceparent(text).is_valid


@pytest.mark.parametrize(
    "text",
    [
        "", "00", ONE.upper(), f"ff{ONE[2:]}", f"{ONE}-more", ONE.replace("b7ad6b7169203331", "0" * 16),
        ONE.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32), ONE[:-1], f"x{ONE}",
    ],
)  # fmt: skip
def test_the_invalid_ones_of_the_recommendation_are_none(text: str) -> None:
    assert not read_traceparent(text).is_valid


def test_a_later_version_may_say_more_and_only_known_flags_go_on() -> None:
    assert traceparent_of(read_traceparent(f"cc{ONE[2:]}-what-follows")) == ONE
    assert traceparent_of(read_traceparent(f"{ONE[:-2]}fd")) == ONE
    assert traceparent_of(read_traceparent(f" {ONE} ")) == ONE


def test_the_step_before_counts_before_the_beginning_of_the_event() -> None:
    step, began = ("traceparent", ONE.encode()), ("ce_traceparent", OTHER.encode())
    assert traceparent_of(step_before([began, step])) == ONE
    assert traceparent_of(step_before([began])) == OTHER
    assert traceparent_of(origin_of([began, step])) == OTHER
    assert not step_before([("traceparent", b"\xff"), ("traceparent-x", ONE.encode())]).is_valid


def test_a_row_knows_how_long_it_has_waited() -> None:
    carrier = Carrier.written(ONE, NOON)
    assert traceparent_of(carrier.span_context) == ONE
    assert not carrier.is_older_than(3600, NOON + timedelta(hours=1))
    assert carrier.is_older_than(3600, NOON + timedelta(hours=1, seconds=1))
    assert not Carrier(ONE).is_older_than(0, NOON)
    assert list(Carrier("").links()) == []
