"""A file of events becomes requests the API takes."""

import json

from services.console.event_batches import LINES, ONE, requests


def test_one_event_travels_alone() -> None:
    (request,) = requests(b'{"id": "1"}')
    assert (request.media_type, request.first) == (ONE, 0)


def test_an_array_travels_in_batches_that_know_their_place() -> None:
    made = list(requests(json.dumps([{"id": str(n)} for n in range(1100)]).encode()))
    assert [request.first for request in made] == [0, 500, 1000]
    assert [len(request.content.splitlines()) for request in made] == [500, 500, 100]


def test_lines_travel_as_lines_without_the_empty_ones() -> None:
    (request,) = requests(b'{"id": 1}\n\n{"id": 2}\n')
    assert request.media_type == LINES
    assert request.content == b'{"id": 1}\n{"id": 2}'


def test_a_large_file_is_cut_between_lines() -> None:
    line = b'{"x": "' + b"a" * 1_000_000 + b'"}'
    made = list(requests(b"\n".join([line] * 40)))
    assert [request.first for request in made] == [0, 16, 32]
    assert all(len(request.content) <= 17_000_000 for request in made)


def test_an_empty_file_needs_no_request() -> None:
    assert list(requests(b"\n\n")) == []
