"""Contacts of which only digests are known are found in dead letters."""

from schemas.ids import derived_id
from services.chassis.dead_letters import Record, is_about
from services.scheduler.adapters.erasure import KnownByDigest

ANN = KnownByDigest(frozenset({derived_id("contact", "ann")}))


def letter(value: bytes) -> Record:
    return Record("directory.accounts", 0, 1, b"acme", value, (), 0)


def test_a_letter_whose_json_has_the_id_is_about_the_contact() -> None:
    """Issue 16, point 5."""
    assert is_about(letter(b'{"contacts": [{"contact_id": "ann"}]}'), ANN)
    assert not is_about(letter(b'{"contacts": [{"contact_id": "anna"}]}'), ANN)
    assert not is_about(letter(b"no JSON, ann"), ANN)
