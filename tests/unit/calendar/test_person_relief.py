"""What does not fit into a person's weeks: what gives way, what is only proposed, what is escalated, what comes back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from services.calendar.person_book import PersonBook, PlannedTouch
from services.calendar.person_levelling import level_person
from services.calendar.person_relief import Action
from services.calendar.shortages import describe_shortages
from services.calendar.windows import LEVELLED
from tests.unit.calendar.plans import NOW, OFFICE

DAY = timedelta(days=1)
MONDAY = NOW - (NOW.weekday() % 7) * DAY
"""Of this week, at the same time of day."""


def touch(number: int, week: int, priority: int = 0, **changed: object) -> PlannedTouch:
    """It can lie in one week only, counted from this one."""
    target_at = MONDAY + (7 * week + 2) * DAY
    planned = PlannedTouch(
        f"t{number:03d}", f"acc-{number:03d}", "check_in", target_at, target_at, target_at - 2 * DAY,
        target_at + 2 * DAY, 2, 60, priority, is_new=False,
    )  # fmt: skip
    return planned._replace(**changed)


def person(touches: Sequence[PlannedTouch], minutes: int = 120, **changed: object) -> PersonBook:
    return PersonBook("ada", OFFICE, minutes, tuple(touches), (), {})._replace(**changed)


def actions(book: PersonBook, now: datetime = NOW) -> dict[str, Action]:
    return {each.touch.id: each.action for each in level_person(book, now).relief.without_room}


def test_what_yields_first_gives_way_and_is_not_levelled_any_more() -> None:
    """`yields`: first and normal before last."""
    book = person([touch(1, 1, 2), touch(2, 1, 0), touch(3, 1, 1), touch(4, 1, 2)])

    levelled = level_person(book, NOW)

    assert [each.touch.id for each in levelled.relief.given_up] == ["t002", "t003"]
    assert levelled.relief.gone == {"t002", "t003"}
    assert not {move.id for move in levelled.moves} & levelled.relief.gone
    (conflict,) = levelled.relief.conflicts
    assert (conflict.needed, conflict.available) == (240, 120)
    assert [each.touch.id for each in conflict.relief] == ["t002", "t003"]


@pytest.mark.parametrize("protected", [{"priority": 3}, {"priority": 0, "is_never_skipped": True}])
def test_what_is_protected_goes_before_what_yields_last_and_is_escalated(
    protected: dict[str, object],
) -> None:
    last = [touch(number, 1, 2) for number in (1, 2)]
    firm = [touch(number, 1, **protected) for number in (3, 4, 5)]  # type: ignore[arg-type]

    levelled = level_person(person([*last, *firm]), NOW)

    assert [each.touch.id for each in levelled.relief.given_up] == ["t001", "t002"]
    assert [each.touch.id for each in levelled.relief.escalated] == ["t005"]
    assert "t005" not in levelled.relief.gone


def test_weeks_in_more_than_fourteen_days_are_proposed_and_reviewed_when_they_are_near() -> None:
    book = person([touch(number, 4) for number in (1, 2, 3)])

    relief = level_person(book, NOW).relief

    assert (actions(book), relief.gone) == ({"t003": Action.PROPOSED}, frozenset())
    assert relief.review_at is not None
    midnight = (MONDAY + 14 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    assert relief.review_at == midnight
    assert actions(book, midnight - timedelta(minutes=1)) == {"t003": Action.PROPOSED}
    assert actions(book, midnight) == {"t003": Action.GAVE_WAY}


def test_people_hear_of_protected_work_without_room_four_weeks_before() -> None:
    book = person([touch(number, 5, 3) for number in (1, 2, 3)])

    assert actions(book) == {"t003": Action.PROPOSED}
    assert actions(book, MONDAY + 7 * DAY) == {"t003": Action.ESCALATED}


def test_what_gave_way_comes_back_when_it_fits_but_takes_no_room_from_one_like_it() -> None:
    yielded = touch(0, 1, has_yielded=True, is_new=True)
    full = person([touch(1, 1), touch(2, 1)], yielded=(yielded,))
    less = person([touch(1, 1)], yielded=(yielded,))

    assert "t000" not in {move.id for move in level_person(full, NOW).moves}
    assert level_person(full, NOW).relief.gone == {"t000"}
    assert level_person(full, NOW).relief.given_up == []
    (back,) = level_person(less, NOW).moves
    assert (back.id, back.reason) == ("t000", f"{LEVELLED}there is room for it again in the week 2026-W11")
    assert level_person(less, NOW).relief.gone == frozenset()


def test_what_gave_way_comes_back_before_what_yields_before_it() -> None:
    yielded = touch(0, 1, 2, has_yielded=True)

    levelled = level_person(person([touch(1, 1), touch(2, 1)], yielded=(yielded,)), NOW)

    assert [move.id for move in levelled.moves] == ["t000"]
    assert [each.touch.id for each in levelled.relief.given_up] == ["t002"]


def test_the_days_of_this_week_that_have_passed_hold_nothing() -> None:
    """Else what gave way would come back in the middle of its week, because what was done does not count any more."""
    wednesday = MONDAY + 2 * DAY
    yielded = touch(0, 0, has_yielded=True)

    assert level_person(person([], 145, yielded=(yielded,)), wednesday).relief.gone == {"t000"}
    assert level_person(person([], 150, yielded=(yielded,)), wednesday).relief.gone == frozenset()


def test_what_stays_on_its_day_is_never_given_up() -> None:
    fixed = [touch(number, 1, earliest_at=None, latest_at=None) for number in (1, 2, 3)]

    levelled = level_person(person(fixed), NOW)

    assert levelled.relief.without_room == ()
    assert len(levelled.relief.conflicts) == 1


def test_an_escalation_of_the_calendar_is_no_cause_of_its_own() -> None:
    fitting = [touch(1, 1, 3), touch(2, 1, 3)]
    escalation = touch(3, 1, 3, is_by_calendar=True, minutes=30, earliest_at=None, latest_at=None)

    assert level_person(person([*fitting, escalation]), NOW).relief.conflicts == ()


def test_a_shortage_names_the_demand_the_weeks_and_the_person() -> None:
    book = person([touch(number, 1, 3, account_id="acme") for number in (1, 2, 3)])

    (difficulty,) = describe_shortages(book, level_person(book, NOW).relief.escalated)

    assert difficulty.text == (
        "No room is left for 1 of type check in: the weeks of ada are full, and what is protected is not given up. The "
        "check in has no room in 2026-W11: 120 minutes, 120 of them needed by what goes before it, 60 by itself. What "
        "helps: a colleague leads one of them, more hours in these weeks, or a later date."
    )
    assert (difficulty.account_id, difficulty.csm_id, difficulty.cause) == ("acme", "ada", "ada/room/2026-03")
