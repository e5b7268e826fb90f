"""The words that end and begin text messages, in five languages; everything else is an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.sms_keywords import SmsKeyword, read_keyword


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "STOPP!",
        "\u201cSTOP\u201d",
        "Unsubscribe",
        "abmelden",
        "Sair",
        "PARAR",
        "BAJA",
        "Berhenti",
        "stop\n",
    ],
)
def test_a_word_alone_stops_whoever_says_it(text: str) -> None:
    assert read_keyword(text, has_stopped=False) is SmsKeyword.STOP
    assert read_keyword(text, has_stopped=True) is SmsKeyword.STOP


@pytest.mark.parametrize("text", ["START", "começar", "Iniciar", "mulai"])
def test_a_word_alone_starts_again(text: str) -> None:
    assert read_keyword(text, has_stopped=True) is SmsKeyword.START
    assert read_keyword(text, has_stopped=False) is SmsKeyword.START


@pytest.mark.parametrize("text", ["Yes", "ja", "Sí", "sim!", "ya"])
def test_a_yes_starts_again_only_whoever_had_stopped(text: str) -> None:
    assert read_keyword(text, has_stopped=True) is SmsKeyword.START
    assert read_keyword(text, has_stopped=False) is None


@pytest.mark.parametrize("text", ["", "?", "Please stop by tomorrow", "I will not cancel", "Stopper", "12"])
def test_everything_else_is_an_answer(text: str) -> None:
    assert read_keyword(text, has_stopped=True) is None


@given(st.text(max_size=200), st.booleans())
def test_every_text_is_read(text: str, has_stopped: bool) -> None:  # noqa: FBT001
    assert read_keyword(text, has_stopped=has_stopped) in (None, *SmsKeyword)
