"""Which dead letters are about a name that is erased."""

import pytest

from services.chassis.dead_letters import Record, is_about

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
