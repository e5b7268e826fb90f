"""The program of a message: the newest for the account, or the next to take place, as it was announced."""

from datetime import UTC, datetime

import orjson

from schemas.vocabulary import ProgramKind
from services.cadence.account import FactEvent, StampedFields
from services.cadence.announcements import portfolio_of
from services.cadence.figures import program_figures
from tests.unit.cadence.events import DAY, NOW, make_event
from tests.unit.cadence.figures.figures_of import chosen_program


def announced(program_id: str, kind: ProgramKind, ahead: float, **more: object) -> FactEvent:
    return make_event(
        "program.announced", NOW - 90 * DAY, program_id=program_id, kind=kind, at=NOW + ahead * DAY, **more
    )


def test_the_newest_release_that_is_out_and_for_the_account_is_presented() -> None:
    portfolio = portfolio_of(
        [
            announced("r-old", "release", -20),
            announced("r-new", "release", -3),
            announced("r-others", "release", -1, audience="arr > 1000000"),
            announced("r-next", "release", 5),
            announced("n", "newsletter", -2),
        ],
        [],
    )

    assert chosen_program("release", portfolio) == "r-new"
    assert chosen_program("tips", portfolio) is None


def test_a_release_of_two_months_ago_is_no_news() -> None:
    assert chosen_program("release", portfolio_of([announced("r", "release", -36)], [])) is None


def test_the_next_webinar_is_presented_and_never_one_that_took_place() -> None:
    past = announced("w-past", "webinar", -1)
    portfolio = portfolio_of(
        [past, announced("w-late", "webinar", 20), announced("w-soon", "webinar", 6)], []
    )

    assert chosen_program("webinar", portfolio) == "w-soon"
    assert chosen_program("webinar", portfolio_of([past], [])) is None


def test_a_program_is_shown_as_it_was_announced() -> None:
    stored: StampedFields = {
        "000000000000000001\x1f/crm\x1f1\x1fa": {
            "title": orjson.dumps("Spring release").decode(),
            "kind": '"release"',
            "at": '"2026-06-09T10:00:00Z"',
            "url": '"https://example.com/spring"',
            "body": orjson.dumps({"en": "**New**", "de": None}).decode(),
        }
    }

    known = program_figures("spring", stored)

    assert (known.title, known.url, known.body) == (
        "Spring release",
        "https://example.com/spring",
        {"en": "**New**"},
    )
    assert known.at == datetime(2026, 6, 9, 10, tzinfo=UTC)
    assert known.ends_at is None
