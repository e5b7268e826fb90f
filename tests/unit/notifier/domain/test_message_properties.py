"""No account name writes a header of its own, and nothing a template speaks of is undefined."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.event import Announcement, Owner
from services.notifier.domain.message import (
    MAX_HEADER,
    HeaderInjection,
    context_for,
    csm_family,
    customer_family,
    header,
    one_line,
    spoken_day,
)


@given(value=st.text(max_size=400))
def test_any_text_becomes_one_printable_line(value: str) -> None:
    line = one_line(value)

    assert len(line) <= MAX_HEADER
    assert header(line) == line


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nBcc: x", "a\x00b", "a\u2028b"])
def test_a_line_break_in_a_header_is_refused(value: str) -> None:
    with pytest.raises(HeaderInjection):
        header(value)


def test_a_context_is_whole() -> None:
    heard = Announcement(
        event_id="e",
        kind="due",
        time=datetime(2026, 1, 5, tzinfo=UTC),
        touchpoint_id="t",
        account_id="acme",
        touchpoint_type="business_review",
        status="due",
        sequence=1,
        owner=Owner("csm", None, None),
        channel="meeting",
        data=b"{}",
        due_at=datetime(2026, 1, 5, tzinfo=UTC),
    )

    context = context_for(heard, account_name="Acme", recipient_name=None, links={})

    assert context["kind"] == "business review"
    assert context["title"] == "Business review"
    assert context["due"] == "Monday, 5 January 2026"
    assert all(value is not None for value in context.values())


def test_every_type_has_a_family() -> None:
    assert customer_family("welcome") == "welcome"
    assert customer_family("renewal_reminder") == "renewal"
    assert customer_family("something_of_their_own") == "note"
    assert csm_family("escalation") == "csm_alert"
    assert csm_family("executive_review") == "csm_meeting"
    assert csm_family("check_in") == "csm_task"
    assert spoken_day(None) == ""
