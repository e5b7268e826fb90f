"""Messages: no account name adds a header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.message import (
    MAX_HEADER,
    HeaderInjection,
    header,
    one_line,
)


@given(value=st.text(max_size=400))
def test_any_text_becomes_one_printable_line(value: str) -> None:
    line = one_line(value)

    assert len(line) <= MAX_HEADER
    assert header(line) == line


def test_marks_without_a_width_leave_no_gap_in_a_subject() -> None:
    """A name that runs from right to left is isolated by such marks."""
    assert one_line("\u2068شركة الشمال\u2069: what you reached") == "شركة الشمال: what you reached"
    assert one_line("Zo\u200bë\tOde") == "Zoë Ode"


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\r\nBcc: x", "a\x00b", "a\u2028b"])
def test_a_line_break_in_a_header_is_refused(value: str) -> None:
    with pytest.raises(HeaderInjection):
        header(value)
