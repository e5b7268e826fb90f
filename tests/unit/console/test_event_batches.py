"""A file of events becomes requests the API takes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.event_batches import LINES, ONE_EVENT, EventBatch, event_batches
from services.console.not_events import NotEvents


def batches_of(content: bytes, size: int = 64 << 10) -> list[EventBatch]:
    """The batches of content that comes in blocks of this size."""
    return list(event_batches(content[at : at + size] for at in range(0, len(content), size)))


def test_one_event_is_sent_alone() -> None:
    (batch,) = batches_of(b'{\n"id": "1"\n}')
    assert (batch.media_type, batch.first, batch.content()) == (ONE_EVENT, 0, b'{\n"id": "1"\n}')


def test_an_array_is_sent_as_lines_in_batches_that_know_their_position() -> None:
    batches = batches_of(json.dumps([{"id": str(n)} for n in range(4_500)], indent=1).encode())
    assert [(batch.first, batch.count) for batch in batches] == [(0, 2_000), (2_000, 2_000), (4_000, 500)]
    assert [len(batch.content().splitlines()) for batch in batches] == [2_000, 2_000, 500]
    assert json.loads(batches[2].events[499]) == {"id": "4499"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(events=st.lists(VALUES, max_size=6), size=st.integers(1, 200), indent=st.none() | st.integers(0, 2))
def test_the_elements_of_an_array_are_the_same_however_its_blocks_are_cut(
    events: list[object], size: int, indent: int | None
) -> None:
    content = json.dumps(events, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    lines = [line for batch in batches_of(content, size) for line in batch.events]
    assert [json.loads(line) for line in lines] == events
    assert all(len(line.splitlines()) == 1 for line in lines)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'[{"id": 1} {"id": 2}]', "after event 1 a ',' is missing"),
        (b'[{"id": 1}', "after event 1 a ',' is missing"),
        (b'[{"id": 1}, {"id":', "it ends within event 2"),
        (b'[{"id": 1},, {"id": 2}' + b" " * 99, "event 2 is not JSON"),
        (b'[{"id": 1}, {"id": nul}' + b" " * 99, "event 2 is not JSON"),
        (b'[{"id": 1}]\n{"id": 2}', "something after the end of its array"),
        (b'[{"id": "\xff"}]', "is not UTF-8"),
        (b'[{"id": "' + b"x" * 600_000 + b'"}]', "event 1 has more than 524,288 bytes"),
        (b"[" * 100_000, "event 1"),
    ],
)
def test_a_broken_array_is_refused_with_the_place(content: bytes, words: str) -> None:
    with pytest.raises(NotEvents) as refused:
        batches_of(content)
    assert words in str(refused.value)


def test_lines_are_sent_as_lines_without_the_empty_ones() -> None:
    (batch,) = batches_of(b'{"id": 1}\n\n{"id": 2}\n')
    assert batch.media_type == LINES
    assert batch.content() == b'{"id": 1}\n{"id": 2}'


@given(
    lines=st.lists(st.sampled_from([b"", b" ", b'{"id": 1}', b'{"id": "\xc3\xa4"}', b"{"]), max_size=12),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    size=st.integers(1, 40),
)
def test_lines_are_the_same_however_the_blocks_are_cut(lines: list[bytes], end: bytes, size: int) -> None:
    content = b'{"first": 1}' + end + end.join(lines)
    found = [event for batch in batches_of(content, size) for event in batch.events]
    assert found == [b'{"first": 1}', *filter(bytes.strip, lines)] or found == [content]


def test_a_large_file_is_split_between_lines() -> None:
    line = b'{"x": "' + b"a" * 500_000 + b'"}'
    batches = batches_of(b"\n".join([line] * 40))
    assert [batch.first for batch in batches] == [0, 8, 16, 24, 32]
    assert all(len(batch.content()) <= 4 << 20 for batch in batches)


@pytest.mark.parametrize("after", [b"", b'\n{"id": 2}'])
def test_a_line_that_no_request_may_have_is_refused_with_its_place(after: bytes) -> None:
    with pytest.raises(NotEvents, match="event 3 has more than 524,288 bytes"):
        batches_of(b'{"id": 1}\n\n{"id": 2}\n{"x": "' + b"a" * 2_000_000 + b'"}' + after)


def test_lines_are_sent_in_requests_of_two_thousand_that_know_their_position() -> None:
    batches = batches_of(b"\n".join([b'{"id": 1}'] * 4_500))
    assert [(batch.first, batch.count) for batch in batches] == [(0, 2_000), (2_000, 2_000), (4_000, 500)]


def test_a_byte_order_mark_is_no_part_of_the_first_event() -> None:
    (batch,) = batches_of(b'\xef\xbb\xbf{"id": 1}\n{"id": 2}')
    assert batch.content().startswith(b'{"id": 1}')


def test_an_empty_file_needs_no_request() -> None:
    assert batches_of(b"\n\n") == batches_of(b"") == []


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_is_recognised_and_the_answer_says_once_how_a_row_becomes_an_event(separator: str) -> None:
    """Row 40 of the reported faults."""
    rows = [["id", "name", "arr"], ["acme", "Acme Limited", "50000"], ["beta", "Beta", "7"]]
    table = "\r\n".join(separator.join(row) for row in rows).encode("utf-8-sig")

    with pytest.raises(NotEvents) as refused:
        batches_of(table)

    assert "is a table (CSV) with 3 columns" in str(refused.value)
    assert '"subject": "acme"' in str(refused.value)


@pytest.mark.parametrize(
    "content", ["db_k_{}", "KEY={}\nX={}", "{}, x\n1, {}", "\n\n<a>{}</a>", "{}\tx\n{}\t2"]
)
def test_a_file_that_has_no_events_is_never_quoted(content: str) -> None:
    """It may be a file with a key, or a list of customers."""
    with pytest.raises(NotEvents) as refused:
        batches_of(content.replace("{}", "m4rk3rs3cr3t").encode())
    assert "m4rk3rs3cr3t" not in str(refused.value)


@pytest.mark.parametrize("content", [b"name\nAcme\n", b"PK\x03\x04\xff", b"<xml/>"])
def test_what_holds_no_event_is_refused_once(content: bytes) -> None:
    with pytest.raises(NotEvents, match="has no events: line 1 is not JSON"):
        batches_of(content)
