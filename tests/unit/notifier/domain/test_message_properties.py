"""Messages: no account name adds a header, and every value that a template uses is defined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.message import (
    MAX_HEADER,
    HeaderInjection,
    csm_template,
    header,
    make_context,
    one_line,
    readable_day,
)
from tests.unit.notifier.events import due


@given(value=st.text(max_size=400))
def test_any_text_becomes_one_printable_line(value: str) -> None:
    line = one_line(value)

    assert len(line) <= MAX_HEADER
    assert header(line) == line


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nBcc: x", "a\x00b", "a\u2028b"])
def test_a_line_break_in_a_header_is_refused(value: str) -> None:
    with pytest.raises(HeaderInjection):
        header(value)


def test_a_context_has_every_value() -> None:
    event = due("csm", "meeting", touchpoint_type="business_review")

    context = make_context(event, account="Acme", recipient="")

    assert context["kind"] == "business review"
    assert context["title"] == "Business review"
    assert context["due"] == "Monday, 5 January 2026"
    assert all(isinstance(value, str) for value in context.values())


def test_every_type_has_a_template() -> None:
    assert csm_template("escalation") == "csm_alert"
    assert csm_template("executive_review") == "csm_task"
    assert csm_template("check_in") == "csm_task"
    assert readable_day(None) == ""
