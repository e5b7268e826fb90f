"""Promises of people: by name, with a share where any has ended."""

from services.console.people import people
from services.console.promise_view import AdherenceLine, adherence_lines

PEOPLE = people([{"csm_id": "ada", "name": "Ada Lind"}])


def row(key: str | None, kept: int, breached: int, adherence: float | None) -> dict[str, object]:
    return {
        "key": key,
        "kept": kept,
        "breached": breached,
        "unsettled": 2,
        "at_risk": 1,
        "adherence": adherence,
    }


def test_everybody_has_a_line_by_name_and_what_nobody_has_comes_last() -> None:
    answer: dict[str, object] = {
        "rows": [row("zoe", 0, 0, None), row("ada", 24, 1, 0.96), row(None, 0, 1, 0.0)]
    }

    assert adherence_lines(answer, PEOPLE) == [
        AdherenceLine("Ada Lind", 24, 1, 2, 1, "96 %"),
        AdherenceLine("zoe", 0, 0, 2, 1, ""),
        AdherenceLine("Nobody", 0, 1, 2, 1, "0 %"),
    ]


def test_without_an_answer_there_are_no_lines() -> None:
    assert adherence_lines({}, PEOPLE) == []
