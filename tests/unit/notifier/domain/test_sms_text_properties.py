"""The text of a text message: segments are counted as telephones do, and what is written fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.sms_text import MOST_SEGMENTS, SmsSize, measure_sms, write_sms

LINK = "https://drumbeat.example.com/p/1-hb3oViBoPuGRwVzmdAfR-kUtqzjWVZz4bU3RJMHp6Q_vEA"
STOP = "Responda STOP para no recibir más SMS."
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=500)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", SmsSize("gsm", 0, 1)),
        ("a" * 160, SmsSize("gsm", 160, 1)),
        ("a" * 161, SmsSize("gsm", 161, 2)),
        ("a" * 306, SmsSize("gsm", 306, 2)),
        ("a" * 307, SmsSize("gsm", 307, 3)),
        ("€" * 80, SmsSize("gsm", 160, 1)),
        ("a" * 152 + "€" + "a" * 152, SmsSize("gsm", 306, 3)),  # the sign is not divided: 152 + 153 + 1
        ("äöüñàèéìòù@£$¥", SmsSize("gsm", 14, 1)),
        ("á", SmsSize("ucs2", 1, 1)),
        ("á" * 70, SmsSize("ucs2", 70, 1)),
        ("á" * 71, SmsSize("ucs2", 71, 2)),
        ("á" * 134, SmsSize("ucs2", 134, 2)),
        ("á" * 135, SmsSize("ucs2", 135, 3)),
        ("😀" * 35, SmsSize("ucs2", 70, 1)),
        ("😀" * 66, SmsSize("ucs2", 132, 2)),  # 33 in each: the pair at the end of 67 is not divided
        ("😀" * 67, SmsSize("ucs2", 134, 3)),
    ],
)
def test_a_text_is_measured_as_telephones_count_it(text: str, size: SmsSize) -> None:
    assert measure_sms(text) == size


def test_a_short_message_goes_whole_with_typographic_marks_made_plain() -> None:
    text = write_sms("Acme: \u201cNews\u201d \u2013 now\u2026", "It\u2019s here.", LINK)

    assert text is not None
    assert text == f'Acme: "News" - now... It\'s here.\n{LINK}'
    assert measure_sms(text) == SmsSize("gsm", len(text), 1)


def test_the_body_is_cut_between_words_and_the_ending_stays_whole() -> None:
    text = write_sms("Acme: Your report.", "one two three four " * 60, LINK)

    assert text is not None
    opening, _, ending = text.partition("\n")
    assert ending == LINK
    assert opening.startswith("Acme: Your report. one two three")
    assert opening.endswith(("one...", "two...", "three...", "four..."))
    assert measure_sms(text).segments == MOST_SEGMENTS
    assert measure_sms(f"{opening} four\n{ending}").segments in (MOST_SEGMENTS, MOST_SEGMENTS + 1)


def test_letters_lose_their_accents_only_where_the_opening_would_not_fit() -> None:
    short = write_sms("Acme: Reunião amanhã", "", f"{LINK}")
    long = write_sms("Acme: " + "Reunião de avaliação " * 8, "", LINK)

    assert short is not None
    assert "Reunião amanhã" in short
    assert long is not None
    assert long.startswith("Acme: Reuniao de avaliacao Reuniao")
    assert measure_sms(long).encoding == "gsm"


def test_an_opening_that_is_too_long_is_cut_and_an_ending_that_is_too_long_is_refused() -> None:
    cut = write_sms("word " * 200, "body", LINK)

    assert cut is not None
    assert cut.endswith(f"word...\n{LINK}")
    assert write_sms("Acme", "", "x" * 460) is None


@given(TEXTS, TEXTS)
def test_what_is_written_fits_and_ends_with_its_link(opening: str, body: str) -> None:
    text = write_sms(opening, body, f"{LINK}\n{STOP}")

    assert text is not None
    assert measure_sms(text).segments <= MOST_SEGMENTS
    assert text.endswith(f"{LINK}\n{STOP}")


@given(TEXTS, TEXTS)
def test_a_longer_text_takes_no_fewer_segments(text: str, more: str) -> None:
    assert measure_sms(text + more).segments >= measure_sms(text).segments
