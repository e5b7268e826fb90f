"""The links with which people of ours act: for one touchpoint and one person, at most 30 days, never forged."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.action_token import (
    LASTS,
    ActionToken,
    make_action_token,
    make_undo,
    read_action_token,
    read_undo,
)
from services.notifier.domain.link_token import LinkKeys, TokenExpired, TokenRejected
from services.notifier.domain.unsubscribe import make_token

KEYS, OTHER = LinkKeys({1: b"k" * 32}), LinkKeys({1: b"o" * 32})
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
tokens = st.builds(
    ActionToken, st.text(max_size=40), st.none() | st.text(min_size=1, max_size=40), st.just(NOON)
)


@given(token=tokens)
def test_a_token_is_read_as_it_was_made_for_thirty_days(token: ActionToken) -> None:
    text = make_action_token(KEYS, token)

    assert read_action_token(KEYS, text, now=NOON + LASTS) == token
    with pytest.raises(TokenExpired):
        read_action_token(KEYS, text, now=NOON + LASTS + timedelta(seconds=1))
    with pytest.raises(TokenRejected):
        read_action_token(OTHER, text, now=NOON)


@given(token=tokens, data=st.data())
def test_a_changed_token_is_rejected(token: ActionToken, data: st.DataObject) -> None:
    text = make_action_token(KEYS, token)
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHabcdefgh0123-_").filter(lambda other: other != text[place]))

    with pytest.raises(TokenRejected):
        read_action_token(KEYS, text[:place] + letter + text[place + 1 :], now=NOON)


@given(text=st.text(max_size=80))
def test_any_other_text_is_rejected(text: str) -> None:
    with pytest.raises(TokenRejected):
        read_action_token(KEYS, text, now=NOON)


def test_a_link_of_a_customer_does_not_act() -> None:
    with pytest.raises(TokenRejected):
        read_action_token(KEYS, make_token(KEYS, "t1", ["account"], NOON), now=NOON)


def test_what_takes_an_act_back_belongs_to_one_link_and_version() -> None:
    undo = make_undo(KEYS, "link", 4)

    assert read_undo(KEYS, "link", undo) == 4
    for wrong in (undo.replace("4.", "5.", 1), "4", "4.", "", "x.y", make_undo(KEYS, "other", 4)):
        with pytest.raises(TokenRejected):
            read_undo(KEYS, "link", wrong)


def test_neither_touchpoint_nor_person_can_be_read_from_a_token() -> None:
    _, _, sealed = make_action_token(KEYS, ActionToken("touchpoint-1", "carl", NOON)).partition("-")
    decoded = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))

    assert b"touchpoint-1" not in decoded
    assert b"carl" not in decoded


def test_the_link_of_an_earlier_release_works_for_its_thirty_days() -> None:
    payload = json.dumps(["t1", "carl", int(NOON.timestamp())], separators=(",", ":")).encode()
    signature = hmac.digest(b"e" * 32, b"action:" + payload, "sha256")[:20]
    text = base64.urlsafe_b64encode(signature + payload).decode().rstrip("=")
    keys = LinkKeys({0: b"e" * 32, 1: b"k" * 32})

    assert read_action_token(keys, text, now=NOON + LASTS) == ActionToken("t1", "carl", NOON)
    with pytest.raises(TokenExpired):
        read_action_token(keys, text, now=NOON + LASTS + timedelta(seconds=1))
    with pytest.raises(TokenRejected):
        read_action_token(KEYS, text, now=NOON)
