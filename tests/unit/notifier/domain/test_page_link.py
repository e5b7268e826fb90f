"""The token of a contact's page: the same all day, for more than a year, and without anything to read in it."""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import shake_256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.link_token import LinkKeys, TokenExpired, TokenRejected
from services.notifier.domain.page_link import make_page_token, read_page_token
from services.notifier.domain.unsubscribe import make_token

KEYS = LinkKeys({1: b"k" * 32})
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def made_by_an_earlier_release(key: bytes, contact_id: str) -> str:
    payload = contact_id.encode()
    tag = hmac.digest(key, b"page:" + payload, "sha256")[:20]
    mask = shake_256(hmac.digest(key, b"page mask:" + tag, "sha256")).digest(len(payload))
    masked = bytes(a ^ b for a, b in zip(payload, mask, strict=True))
    return base64.urlsafe_b64encode(tag + masked).decode().rstrip("=")


@given(st.text(min_size=1, max_size=200))
def test_a_token_leads_back_to_its_contact(contact_id: str) -> None:
    contact_id = contact_id.encode("utf-8", "replace").decode()
    token = make_page_token(KEYS, contact_id, NOON)

    assert token == make_page_token(KEYS, contact_id, NOON + timedelta(hours=11))
    assert read_page_token(KEYS, token, now=NOON) == contact_id


def test_a_token_works_for_more_than_a_year_and_then_says_that_it_is_old() -> None:
    token = make_page_token(KEYS, "ann", NOON)

    assert read_page_token(KEYS, token, now=NOON + timedelta(days=399)) == "ann"
    with pytest.raises(TokenExpired):
        read_page_token(KEYS, token, now=NOON + timedelta(days=401))


def test_nothing_of_the_contact_can_be_read_from_a_token() -> None:
    _, _, sealed = make_page_token(KEYS, "ann@acme.example", NOON).partition("-")

    assert b"ann" not in base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    assert make_page_token(KEYS, "ann@acme.examplf", NOON)[:14] != f"1-{sealed}"[:14]


def test_a_token_outlives_the_rotation_of_its_key_for_as_long_as_the_key_is_kept() -> None:
    token = make_page_token(KEYS, "ann", NOON)
    rotated = LinkKeys({1: b"k" * 32, 2: b"n" * 32}, current=2)

    assert make_page_token(rotated, "ann", NOON).startswith("2-")
    assert read_page_token(rotated, token, now=NOON) == "ann"
    with pytest.raises(TokenRejected):
        read_page_token(LinkKeys({2: b"n" * 32}, current=2), token, now=NOON)


def test_the_link_of_an_earlier_release_goes_on_working() -> None:
    token = made_by_an_earlier_release(b"e" * 32, "ann")

    assert read_page_token(LinkKeys({0: b"e" * 32, 1: b"k" * 32}), token, now=NOON) == "ann"
    for keys in (KEYS, LinkKeys({0: b"o" * 32, 1: b"k" * 32})):
        with pytest.raises(TokenRejected):
            read_page_token(keys, token, now=NOON)


@pytest.mark.parametrize(
    "token",
    [
        *("", "a", "!", "QUJD", "-", "1-", "1-QUJD", "0-QUJD", "x-QUJD", "\u0661-QUJD", "1-" + "A" * 3000),
        make_token(KEYS, "ann", [], NOON),
        make_page_token(LinkKeys({1: b"other" * 8}), "ann", NOON),
        make_page_token(KEYS, "ann", NOON).replace("1-", "01-", 1),
    ],
)
def test_another_token_is_refused(token: str) -> None:
    with pytest.raises(TokenRejected):
        read_page_token(KEYS, token, now=NOON)


@given(st.integers(0, 30))
def test_a_token_with_one_letter_changed_is_refused(at: int) -> None:
    token = make_page_token(KEYS, "ann@acme.example", NOON)
    changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]

    with pytest.raises(TokenRejected):
        read_page_token(KEYS, changed, now=NOON)
