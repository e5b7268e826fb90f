"""The links with which people of ours act: for one touchpoint and one person, at most 30 days, never forged."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.action_token import (
    LASTS,
    ActionToken,
    ActionTokenExpired,
    ActionTokenRejected,
    make_action_token,
    make_undo,
    read_action_token,
    read_undo,
)
from services.notifier.domain.unsubscribe import make_token

KEY, OTHER = b"k" * 32, b"o" * 32
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
tokens = st.builds(
    ActionToken, st.text(max_size=40), st.none() | st.text(min_size=1, max_size=40), st.just(NOON)
)


@given(token=tokens)
def test_a_token_is_read_as_it_was_made_for_thirty_days(token: ActionToken) -> None:
    text = make_action_token(KEY, token)

    assert read_action_token(KEY, text, now=NOON + LASTS) == token
    with pytest.raises(ActionTokenExpired):
        read_action_token(KEY, text, now=NOON + LASTS + timedelta(seconds=1))
    with pytest.raises(ActionTokenRejected):
        read_action_token(OTHER, text, now=NOON)


@given(token=tokens, data=st.data())
def test_a_changed_token_is_rejected(token: ActionToken, data: st.DataObject) -> None:
    text = make_action_token(KEY, token)
    place = data.draw(st.integers(0, len(text) - 2))  # the last letter may have unused bits
    letter = data.draw(st.sampled_from("ABCDEFGHabcdefgh0123-_").filter(lambda other: other != text[place]))

    with pytest.raises(ActionTokenRejected):
        read_action_token(KEY, text[:place] + letter + text[place + 1 :], now=NOON)


@given(text=st.text(max_size=80))
def test_any_other_text_is_rejected(text: str) -> None:
    with pytest.raises(ActionTokenRejected):
        read_action_token(KEY, text, now=NOON)


def test_a_link_of_a_customer_does_not_act() -> None:
    with pytest.raises(ActionTokenRejected):
        read_action_token(KEY, make_token(KEY, "t1", "carl"), now=NOON)


def test_what_takes_an_act_back_belongs_to_one_link_and_version() -> None:
    undo = make_undo(KEY, "link", 4)

    assert read_undo(KEY, "link", undo) == 4
    for wrong in (undo.replace("4.", "5.", 1), "4", "4.", "", "x.y", make_undo(KEY, "other", 4)):
        with pytest.raises(ActionTokenRejected):
            read_undo(KEY, "link", wrong)
