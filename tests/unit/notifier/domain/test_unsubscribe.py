"""The token of an unsubscribe link: a contact and a topic, which nobody reads from it."""

import base64
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from schemas.vocabulary import Topic
from services.notifier.domain.link_token import LinkKeys, TokenExpired, TokenRejected
from services.notifier.domain.page_link import make_page_token
from services.notifier.domain.unsubscribe import make_token, read_token

KEYS = LinkKeys({1: b"k" * 32})
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def made_by_an_earlier_release(key: bytes, contact_id: str, topic: str | None) -> str:
    payload = json.dumps([contact_id, topic], separators=(",", ":")).encode()
    signature = hmac.digest(key, b"unsubscribe:" + payload, "sha256")[:20]
    return base64.urlsafe_b64encode(signature + payload).decode().rstrip("=")


@pytest.mark.parametrize("topics", [["education"], ["education", "account"], []])
def test_a_token_is_read_only_with_its_key(topics: Sequence[Topic]) -> None:
    token = make_token(KEYS, "ann", topics, NOON)

    assert read_token(KEYS, token, now=NOON) == ("ann", topics)
    for wrong in (token[:-4], make_page_token(KEYS, "ann", NOON)):
        with pytest.raises(TokenRejected):
            read_token(KEYS, wrong, now=NOON)
    with pytest.raises(TokenRejected):
        read_token(LinkKeys({1: b"j" * 32}), token, now=NOON)


def test_a_token_works_for_more_than_a_year() -> None:
    token = make_token(KEYS, "ann", [], NOON)

    assert read_token(KEYS, token, now=NOON + timedelta(days=399)) == ("ann", [])
    with pytest.raises(TokenExpired):
        read_token(KEYS, token, now=NOON + timedelta(days=401))


def test_neither_contact_nor_topic_can_be_read_from_a_token() -> None:
    _, _, sealed = make_token(KEYS, "ann@acme.example", ["education"], NOON).partition("-")
    decoded = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))

    assert b"ann" not in decoded
    assert b"education" not in decoded


def test_the_link_of_an_earlier_release_goes_on_working() -> None:
    token = made_by_an_earlier_release(b"e" * 32, "ann", "education")

    assert read_token(LinkKeys({0: b"e" * 32, 1: b"k" * 32}), token, now=NOON) == ("ann", ["education"])
    with pytest.raises(TokenRejected):
        read_token(KEYS, token, now=NOON)
