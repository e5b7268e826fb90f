"""The summary counts every week of the period, also those without work, and adds up who is missing in one week."""

from datetime import UTC, datetime
from typing import Any, cast

from schemas.zones import UTC_ZONE
from services.calendar.open_hours import OpenHours, check_hours
from services.console.policy_simulation import person_row
from services.simulation.book import Colleague, Period
from services.simulation.document import make_document
from services.simulation.totals import FoundConflict, Totals, Wanted

BEGIN = datetime(2026, 3, 4, 10, tzinfo=UTC)
"""A Wednesday."""


def document(totals: Totals, days: int = 365) -> dict[str, Any]:
    return make_document(totals, "policy", Period(BEGIN, days), Wanted())


def person(totals: Totals, hours: OpenHours | None = None, days: int = 365) -> dict[str, Any]:
    totals.people.append(Colleague("ada", hours or OpenHours(UTC_ZONE), 1500, is_described=True))
    return cast("list[dict[str, Any]]", document(totals, days)["people"])[0]


def test_one_full_week_of_a_year_is_no_full_year() -> None:
    totals = Totals()
    totals.minutes["ada", "2026-03-09"], totals.meetings["ada", "2026-03-09"] = 1200, 20
    ada = person(totals)

    assert [each["week"] for each in ada["weeks"][:2]] == ["2026-03-02", "2026-03-09"]
    assert len(ada["weeks"]) == 53
    assert sum(each["planned_minutes"] for each in ada["weeks"]) == 1200
    assert ada["weeks"][1] == {
        "week": "2026-03-09", "planned_minutes": 1200, "available_minutes": 1500, "touches": 20,
    }  # fmt: skip
    # 1,200 minutes in 53 weeks, of which the first and the last are part of a week each.
    assert person_row(ada) == ("ada", 1500, 23, "2", 1200, 0)


def test_a_week_that_the_period_has_in_part_holds_the_days_of_that_part() -> None:
    weeks = person(Totals(), days=7)["weeks"]

    assert [(each["week"], each["available_minutes"]) for each in weeks] == [
        ("2026-03-02", 900),  # Wednesday to Friday
        ("2026-03-09", 900),  # Monday to Wednesday, on which it ends
    ]


def test_somebody_without_work_has_their_weeks_and_without_working_days_no_minutes() -> None:
    nobody, _ = check_hours(UTC_ZONE, frozenset(), OpenHours(UTC_ZONE).start, OpenHours(UTC_ZONE).end)

    assert len(person(Totals())["weeks"]) == 53
    assert {each["available_minutes"] for each in person(Totals(), nobody)["weeks"]} == {0}


def short(csm_id: str, first: str, last: str, headcount: int) -> FoundConflict:
    return FoundConflict(csm_id, first, last, 1, 1, headcount, (), ())


def test_people_are_missing_in_the_worst_week_and_not_in_the_sum_of_all_their_worst_weeks() -> None:
    totals = Totals()
    totals.conflicts = [
        short("ada", "2026-03-02", "2026-03-09", 150),
        short("bob", "2026-06-01", "2026-06-01", 150),
        short("cyd", "2026-03-09", "2026-03-16", 120),
    ]

    assert document(totals)["headcount_gap"] == "0.70"
    assert document(Totals())["headcount_gap"] == "0.00"
