"""The token of a contact's page: signed, the same each time, and without anything to read in it."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.page_link import make_page_token, read_page_token
from services.notifier.domain.unsubscribe import TokenRejected, make_token

KEY = b"k" * 32


@given(st.text(min_size=1, max_size=200))
def test_a_token_leads_back_to_its_contact(contact_id: str) -> None:
    contact_id = contact_id.encode("utf-8", "replace").decode()
    token = make_page_token(KEY, contact_id)

    assert token == make_page_token(KEY, contact_id)
    assert read_page_token(KEY, token) == contact_id


def test_nothing_of_the_contact_can_be_read_from_a_token() -> None:
    token = make_page_token(KEY, "ann@acme.example")

    assert b"ann" not in base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert make_page_token(KEY, "ann@acme.examplf")[:12] != token[:12]


@pytest.mark.parametrize(
    "token", ["", "a", "!", "QUJD", make_token(KEY, "ann", None), make_page_token(b"other", "ann")]
)
def test_another_token_is_refused(token: str) -> None:
    with pytest.raises(TokenRejected):
        read_page_token(KEY, token)


@given(st.integers(0, 30))
def test_a_token_with_one_letter_changed_is_refused(at: int) -> None:
    token = make_page_token(KEY, "ann@acme.example")
    changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]

    with pytest.raises(TokenRejected):
        read_page_token(KEY, changed)
