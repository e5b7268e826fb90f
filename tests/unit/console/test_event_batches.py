"""A file of events becomes requests the API takes."""

import json

from services.console.event_batches import LINES, ONE_EVENT, event_batches


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


def test_an_empty_file_needs_no_request() -> None:
    assert list(event_batches(b"\n\n")) == []
