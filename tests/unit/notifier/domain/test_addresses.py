"""Addresses: spellings of one mailbox are one address, and only the key's owner can compute its hash."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.addresses import AddressKey, clean_address


@pytest.mark.parametrize(
    "spelling",
    [
        "ann.lee@bücher.example",
        " Ann.Lee@Bücher.Example ",
        "ANN.LEE@BÜCHER.EXAMPLE",
        "ann.lee@xn--bcher-kva.example",
        "Ann.Lee@XN--BCHER-KVA.EXAMPLE",
        "ann.lee@bu\u0308cher.example",
        "ann.lee@bücher.example.",
        "\tann.lee@bücher\u3002example\n",
    ],
)
def test_spellings_of_one_mailbox_are_one_address(spelling: str) -> None:
    """Rows 7 and 8."""
    assert clean_address(spelling) == "ann.lee@bücher.example"


@pytest.mark.parametrize("other", ["annlee@acme.example", "ann.lee+tips@acme.example", "ann.lee@acme.test"])
def test_other_mailboxes_are_other_addresses(other: str) -> None:
    assert clean_address(other) != clean_address("ann.lee@acme.example")


@given(address=st.text(max_size=60))
def test_cleaning_takes_any_text_and_a_clean_address_stays(address: str) -> None:
    cleaned = clean_address(address)

    assert clean_address(cleaned.strip()) == clean_address(cleaned)


def test_a_hash_needs_the_key_and_tells_no_spelling() -> None:
    key = AddressKey(b"k" * 32)

    assert key.hash_address("Ann@acme.example ") == key.hash_address("ann@acme.example")
    assert key.hash_address("ann@acme.example") != AddressKey(b"j" * 32).hash_address("ann@acme.example")
    assert key.hash_address("ann@acme.example") != sha256(b"ann@acme.example").digest()


@given(address=st.emails())
def test_what_an_earlier_version_stored_is_recognised(address: str) -> None:
    key = AddressKey(b"k" * 32)
    stored = key.hash_digest(sha256(address.lower().encode()).digest())

    assert stored in key.hashes_of(address)
