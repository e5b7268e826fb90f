"""The text that somebody edits: what is refused, with its place, and the figures that a draft keeps."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.figures import AccountFigures
from services.notifier.application.draft_text import (
    DraftText,
    TextRefused,
    edit_content,
    file_of,
    read_content,
    read_facts,
    read_text,
    write_facts,
)
from services.notifier.application.message_facts import ComingTouchpoint, MessageFacts

FILE = file_of("en", "tips")
CONTENT = """---
subject: "A tip: {{ program.title }}"
preheader: "Read {{ program.title }}"
program: tips
needs: [program.title]
---
{{ program.body }}
"""


def test_the_text_of_a_content_file_is_its_subject_and_its_body() -> None:
    assert read_text(CONTENT, FILE) == DraftText("A tip: {{ program.title }}", "{{ program.body }}")


def test_an_edit_keeps_the_program_and_drops_what_was_of_the_text_before() -> None:
    edited = read_content(edit_content(CONTENT, FILE, DraftText("Hello", "One\r\n\r\nTwo")), FILE)
    assert (edited.program, edited.needs, edited.preheader.text) == ("tips", (), "")
    assert (
        read_text(edit_content(CONTENT, FILE, DraftText("Hello", "One\r\n\r\nTwo")), FILE).body
        == "One\n\nTwo"
    )


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="{}"), min_size=1),
    st.lists(st.from_regex(r"[a-z]+( [a-z]+)*", fullmatch=True), min_size=1),
)
def test_what_was_written_is_read_again(subject: str, paragraphs: list[str]) -> None:
    text = DraftText(subject, "\n\n".join(paragraphs))
    assert read_text(edit_content(CONTENT, FILE, text), FILE) == text


@pytest.mark.parametrize(
    ("subject", "body", "problem"),
    [
        ("Hello", "One\n\nTwo {{ usage.actve_users }}", "body:3:5: unknown placeholder 'usage.actve_users'"),
        ("Hello {{ conversation.notes }}", "One", "subject:1:7: 'conversation.notes' is for owners only"),
        ("Hello", "<script>alert(1)</script>", "body:1:1: raw HTML is not allowed"),
        ("Hello", "One {{ broken", "body:1:5: "),
    ],
)
def test_a_mistake_is_refused_with_its_place(subject: str, body: str, problem: str) -> None:
    with pytest.raises(TextRefused) as refused:
        edit_content(CONTENT, FILE, DraftText(subject, body))
    assert problem in str(refused.value)


def test_the_figures_of_a_draft_are_those_that_it_was_written_from() -> None:
    at = datetime(2026, 3, 10, 9, tzinfo=UTC)
    coming = [
        ComingTouchpoint("check_in", at, "call", is_with_customer=True),
        ComingTouchpoint("escalation", at, "in_app", is_with_customer=False),
    ]
    facts = MessageFacts(AccountFigures.of_valid(account_id="acme"), coming)
    assert read_facts(write_facts(facts)) == facts
    assert read_facts(write_facts(MessageFacts())) == MessageFacts()
