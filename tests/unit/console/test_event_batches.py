"""A file of events becomes requests the API takes."""

import json

import pytest

from services.console.event_batches import LINES, ONE_EVENT, NotEvents, event_batches


def test_one_event_is_sent_alone() -> None:
    (batch,) = event_batches(b'{"id": "1"}')
    assert (batch.media_type, batch.first) == (ONE_EVENT, 0)


def test_an_array_is_sent_in_batches_that_know_their_position() -> None:
    batches = list(event_batches(json.dumps([{"id": str(n)} for n in range(1100)]).encode()))
    assert [batch.first for batch in batches] == [0, 500, 1000]
    assert [len(batch.content.splitlines()) for batch in batches] == [500, 500, 100]


def test_lines_are_sent_as_lines_without_the_empty_ones() -> None:
    (batch,) = event_batches(b'{"id": 1}\n\n{"id": 2}\n')
    assert batch.media_type == LINES
    assert batch.content == b'{"id": 1}\n{"id": 2}'


def test_a_large_file_is_split_between_lines() -> None:
    line = b'{"x": "' + b"a" * 1_000_000 + b'"}'
    batches = list(event_batches(b"\n".join([line] * 40)))
    assert [batch.first for batch in batches] == [0, 16, 32]
    assert all(len(batch.content) <= 17_000_000 for batch in batches)


def test_lines_are_sent_in_requests_of_two_thousand_that_know_their_position() -> None:
    batches = list(event_batches(b"\n".join([b'{"id": 1}'] * 4_500)))
    assert [(batch.first, batch.count) for batch in batches] == [(0, 2_000), (2_000, 2_000), (4_000, 500)]


def test_a_byte_order_mark_is_no_part_of_the_first_event() -> None:
    (batch,) = event_batches(b'\xef\xbb\xbf{"id": 1}\n{"id": 2}')
    assert batch.content.startswith(b'{"id": 1}')


def test_an_empty_file_needs_no_request() -> None:
    assert list(event_batches(b"\n\n")) == []


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_recognised_and_the_answer_says_once_how_a_row_becomes_an_event(separator: str) -> None:
    """Row 40 of the reported faults."""
    rows = [["id", "name", "arr"], ["acme", "Acme Limited", "50000"], ["beta", "Beta", "7"]]
    table = "\r\n".join(separator.join(row) for row in rows).encode("utf-8-sig")

    with pytest.raises(NotEvents) as refused:
        list(event_batches(table))

    assert "is a table (CSV) with 3 columns" in str(refused.value)
    assert '"subject": "acme"' in str(refused.value)


@pytest.mark.parametrize(
    "content", ["db_k_{}", "KEY={}\nX={}", "{}, x\n1, {}", "\n\n<a>{}</a>", "{}\tx\n{}\t2"]
)
def test_a_file_that_has_no_events_is_never_quoted(content: str) -> None:
    """It may be a file with a key, or a list of customers."""
    with pytest.raises(NotEvents) as refused:
        list(event_batches(content.replace("{}", "m4rk3rs3cr3t").encode()))
    assert "m4rk3rs3cr3t" not in str(refused.value)


@pytest.mark.parametrize("content", [b"name\nAcme\n", b"PK\x03\x04\xff", b"<xml/>"])
def test_what_holds_no_event_is_refused_once(content: bytes) -> None:
    with pytest.raises(NotEvents, match="has no events: line 1 is not JSON"):
        list(event_batches(content))
