"""The token of a change that can be taken back: complete, of one contact, and no longer than a form field of a link."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.vocabulary import Channel, Frequency, Topic
from services.notifier.domain.consent import TopicPreference
from services.notifier.domain.link_token import MOST_LENGTH, LinkKeys, TokenExpired, TokenRejected
from services.notifier.domain.undo_link import LASTS, PreferenceUndo, make_undo_token, read_undo_token

KEYS = LinkKeys({1: b"k" * 32})
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TOPICS: tuple[Topic, ...] = get_args(Topic)

preferences = st.builds(
    TopicPreference,
    opted_in=st.booleans(),
    channel=st.none() | st.sampled_from(get_args(Channel)),
    frequency=st.none() | st.sampled_from(get_args(Frequency)),
)


@given(topics=st.sets(st.sampled_from(TOPICS)), contact_id=st.text(min_size=1, max_size=200), data=st.data())
def test_what_is_made_is_read_for_an_hour(topics: set[Topic], contact_id: str, data: st.DataObject) -> None:
    former: dict[Topic, TopicPreference] = {topic: data.draw(preferences) for topic in topics}
    saved: dict[Topic, TopicPreference] = {topic: data.draw(preferences) for topic in topics}
    undo = PreferenceUndo(former, saved)
    token = make_undo_token(KEYS, contact_id, undo, NOW)

    assert len(token) <= MOST_LENGTH
    assert read_undo_token(KEYS, contact_id, token, now=NOW + LASTS) == undo
    with pytest.raises(TokenExpired):
        read_undo_token(KEYS, contact_id, token, now=NOW + LASTS + SECOND)
    with pytest.raises(TokenRejected):
        read_undo_token(KEYS, f"{contact_id}x", token, now=NOW)


@given(text=st.text(max_size=200))
def test_nothing_else_is_a_token(text: str) -> None:
    with pytest.raises(TokenRejected):
        read_undo_token(KEYS, "ann", text, now=NOW)
