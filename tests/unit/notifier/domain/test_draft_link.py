"""The link to a draft: its token opens nothing else, and nothing else opens a draft."""

from datetime import UTC, datetime, timedelta

import pytest

from services.notifier.domain.action_token import LASTS, ActionToken, make_action_token
from services.notifier.domain.draft_link import DraftToken, draft_links, read_draft_token
from services.notifier.domain.link_token import LinkKeys, TokenExpired, TokenRejected

KEYS = LinkKeys({1: b"k" * 32})
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("person", ["carl", None])
def test_a_link_leads_to_its_draft_and_names_who_decides(person: str | None) -> None:
    url = draft_links("https://x", KEYS)("d1", person, AT)
    base, token = url.rsplit("/", 1)
    assert base == "https://x/a"
    assert read_draft_token(KEYS, token, now=AT + LASTS) == DraftToken("d1", person, AT)
    with pytest.raises(TokenExpired):
        read_draft_token(KEYS, token, now=AT + LASTS + timedelta(seconds=1))


def test_the_link_to_a_touchpoint_opens_no_draft() -> None:
    token = make_action_token(KEYS, ActionToken("t1", "carl", AT))
    with pytest.raises(TokenRejected):
        read_draft_token(KEYS, token, now=AT)
