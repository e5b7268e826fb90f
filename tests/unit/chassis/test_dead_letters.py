"""Which dead letters are about a name that is erased."""

import pytest

from services.chassis.dead_letters import Record, is_about, without_excerpts

NAMES = {"acme", "ann@acme.example"}


def record(
    value: bytes | None, *, key: bytes | None = None, headers: tuple[tuple[str, bytes], ...] = ()
) -> Record:
    return Record("account.signals", 0, 1, key, value, headers, 0)


@pytest.mark.parametrize(
    "letter",
    [
        record(b"{", key=b"acme"),
        record(b"{", headers=(("ce_subject", b"acme"),)),
        record(b'{"subject": "acme"}'),
        record(b'{"data": {"contacts": [{"email": "ann@acme.ex\\u0061mple"}]}}'),
        record(b'{"acme": 1}'),
        record(b'{"subject": "acme", '),
        record(b"acme;1;2"),
    ],
)
def test_a_letter_that_names_it_anywhere_is_about_it(letter: Record) -> None:
    """Point 6."""
    assert is_about(letter, NAMES)


@pytest.mark.parametrize(
    "letter",
    [
        record(None),
        record(b"{", key=b"acme-2"),
        record(b'{"subject": "acme2", "data": {"name": "acme and sons"}}'),
        record(b"broken acme2"),
        record(b"\xff\xfe", headers=(("empty", b""),)),
    ],
)
def test_a_letter_about_another_one_stays(letter: Record) -> None:
    assert not is_about(letter, NAMES)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("data.role: 'Ann' is not one of 'user'", "data.role: … is not one of …"),
        ('data.name: "O\'Hara" is too long', "data.name: … is too long"),
        ("data.name: 'a long name that is cut…", "data.name: …"),
        (
            "data.phone: 4915155512345 is not a string; put it in quotes",
            "data.phone: … is not a string; put it in quotes",
        ),
        ("data.phone: +49 (151) 555-12345 has no area", "data.phone: … has no area"),
        ("value: ann@acme.example is no event", "value: … is no event"),
        ("data.score: 130 is greater than 100", "data.score: 130 is greater than 100"),
        ("headers: don't repeat them", "headers: don't repeat them"),
    ],
)
def test_the_header_with_the_reason_repeats_nothing_of_the_record(reason: str, shown: str) -> None:
    """Issue 16, point 5: no header names a person."""
    assert without_excerpts(reason) == shown
