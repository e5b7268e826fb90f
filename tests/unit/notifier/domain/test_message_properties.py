"""Messages: no account name adds a header, and every value that a template uses is defined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.adapters.templates import Templates
from services.notifier.domain.message import (
    MAX_HEADER,
    HeaderInjection,
    compose_message,
    csm_template,
    customer_template,
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


def test_a_mail_leaves_out_what_is_unknown() -> None:
    context = make_context(due(purpose="Import faster"), account="", recipient="")

    message = compose_message("learning", context, Templates())

    assert message.subject == "Tips"
    assert message.text.startswith("Hello,\n\nThis may help you get more out of the product.\n")
    assert "\nYou get educational messages from us.\n" in message.text


@pytest.mark.parametrize(
    "template", ["cadence", "learning", "note", "renewal", "report", "survey", "welcome"]
)
def test_a_mail_names_the_account_and_offers_to_stop(template: str) -> None:
    event = due(topic="account", purpose="Import faster")
    context = make_context(
        event, account="Acme & Sons", recipient="Ann", unsubscribe_url="https://drumbeat.example/u/1"
    )

    message = compose_message(template, context, Templates())

    assert "Acme & Sons" in message.text
    assert "Import faster" in message.text
    assert "works with us and you get account updates from us." in message.text
    assert "Stop account updates: https://drumbeat.example/u/1" in message.text
    assert "Acme &amp; Sons" in message.html
    assert 'href="https://drumbeat.example/u/1"' in message.html


def test_every_type_has_a_template() -> None:
    assert customer_template("welcome") == "welcome"
    assert customer_template("renewal_reminder") == "renewal"
    assert customer_template("something_of_their_own") == "note"
    assert csm_template("escalation") == "csm_alert"
    assert csm_template("executive_review") == "csm_task"
    assert csm_template("check_in") == "csm_task"
    assert readable_day(None) == ""
