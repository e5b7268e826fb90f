"""The cadence in the customer's words: how often, for how long, and what comes then (S187)."""

from datetime import date

import pytest

from schemas.notices import NoticePhase, NoticeRhythm
from schemas.zones import UTC_ZONE
from services.cadence.content.values import Items
from services.notifier.adapters.phrases import load_phrases
from services.notifier.application.cadence_lines import cadence_values
from services.notifier.domain.event import Notice


def rhythm(kind: str, every_days: int) -> NoticeRhythm:
    return NoticeRhythm(touchpoint_type=kind, every_days=every_days, channel="call", owner="csm")


CHECK_IN, REVIEW = rhythm("check_in", 7), rhythm("business_review", 90)
PHASES = (
    NoticePhase(begins_on=date(2026, 3, 2), rhythms=(CHECK_IN,)),
    NoticePhase(begins_on=date(2026, 4, 27), rhythms=(rhythm("check_in", 30), REVIEW)),
    NoticePhase(begins_on=date(2026, 12, 1), rhythms=(rhythm("check_in", 14), REVIEW)),
)


def lines(language: str, *phases: NoticePhase, kind: str = "cadence_told") -> list[str]:
    notice = Notice("acme", kind, "", (), None, (CHECK_IN,), phases)
    values = cadence_values(notice, load_phrases().phrases(language, UTC_ZONE))
    listed = values["cadence.list"]
    assert isinstance(listed, Items)
    return list(listed.lines)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Check-in: every week for the first 8 weeks, then every month until 30 November 2026, then every 2 weeks"),
        ("de", ("Kurzes Gespräch: jede Woche in den ersten 8 Wochen, danach jeden Monat bis 30. November 2026, "
         "danach alle 2 Wochen")),
    ],
)  # fmt: skip
def test_a_rhythm_that_changes_is_one_line_through_the_year(language: str, expected: str) -> None:
    first, _ = lines(language, *PHASES)
    assert first == expected


def test_a_rhythm_that_begins_later_says_from_when_and_one_that_ends_until_when() -> None:
    later = lines("en", *PHASES)[1]
    ended = lines("en", PHASES[0], NoticePhase(begins_on=date(2027, 2, 1), rhythms=(REVIEW,)))

    assert later == "Business review: from 27 April 2026 every 3 months"
    assert ended[0] == "Check-in: every week until 31 January 2027"


def test_a_change_says_how_long_from_now_on() -> None:
    first, _ = lines("en", *PHASES, kind="cadence_changed")
    assert first.startswith("Check-in: every week for the next 8 weeks, then")


@pytest.mark.parametrize("language", ["en", "de", "es", "pt", "id"])
def test_every_language_has_the_words_for_each_form(language: str) -> None:
    written = lines(language, *PHASES)
    assert not any("{" in line or "#" in line for line in written)
    assert len(written) == 2


def test_a_notice_without_phases_has_its_rhythms() -> None:
    assert lines("en") == ["Check-in: every week"]
