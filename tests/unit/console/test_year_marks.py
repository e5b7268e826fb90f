"""Marks of an account's year: whose day it is, what it is called, and from when to when."""

from datetime import date

from services.console.year_marks import YearMark, legend, year_marks

CLOSED: dict[str, object] = {
    "csm_id": "kim",
    "customer_holidays": [
        {"on": "2026-12-25", "name": "Christmas Day"},
        {"on": "2026-11-26", "name": "Thanksgiving Day"},
    ],
    "csm_holidays": [
        {"on": "2026-12-25", "name": "Christmas Day"},
        {"on": "2026-10-03", "name": "German Unity Day"},
    ],
    "csm_time_off": [{"from": "2026-08-31", "to": "2026-09-04"}],
}
SEASON: dict[str, object] = {
    "name": "retail-fourth-quarter",
    "from": "2026-11-15T00:00:00Z",
    "to": "2027-01-01T00:00:00Z",
    "text": "Retailers sell most.",
}


def test_every_mark_says_whose_day_it_is_and_what_it_is_called() -> None:
    marks = year_marks(CLOSED, [SEASON], "Kim")

    assert [(mark.days(2026), mark.name, mark.detail) for mark in marks] == [
        ("31 Aug to 4 Sep", "Kim is away", ""),
        ("3 Oct", "German Unity Day", "public holiday of Kim"),
        ("15 Nov to 31 Dec", "Retail fourth quarter", "Retailers sell most."),
        ("26 Nov", "Thanksgiving Day", "public holiday of the customer"),
        ("25 Dec", "Christmas Day", "public holiday of the customer and of Kim"),
    ]


def test_every_kind_has_a_symbol_of_its_own_and_the_legend_names_those_that_are_there() -> None:
    marks = year_marks(CLOSED, [SEASON], "Kim")

    assert [(entry.symbol, entry.text) for entry in legend(marks, "Kim")] == [
        ("●", "public holiday of the customer"),
        ("○", "public holiday of Kim"),
        ("△", "Kim is away"),
        ("▤", "closed season or pause"),
    ]
    assert legend([mark for mark in marks if mark.kind == "season"], "Kim")[0].kind == "season"
    assert legend([], "Kim") == []


def test_a_pause_until_further_notice_has_no_last_day() -> None:
    (pause,) = year_marks({}, [{"name": "pause", "from": "2026-03-02T10:00:00Z", "to": None}], "nobody")

    assert pause.last is None
    assert pause.days(2026) == "from 2 Mar"
    assert pause.touches(date(2030, 1, 1), date(2030, 1, 2))
    assert not pause.touches(date(2026, 3, 1), date(2026, 3, 1))


def test_days_in_one_month_name_it_once_and_other_years_are_named() -> None:
    assert YearMark("time-off", date(2026, 3, 9), date(2026, 3, 13), "x").days(2026) == "9 to 13 Mar"
    assert (
        YearMark("time-off", date(2025, 12, 29), date(2026, 1, 2), "x").days(2026) == "29 Dec 2025 to 2 Jan"
    )


def test_a_date_that_cannot_be_read_is_no_mark() -> None:
    closed: dict[str, object] = {
        "customer_holidays": [{"on": "soon", "name": "x"}],
        "csm_time_off": [{"from": ""}],
    }

    assert year_marks(closed, [{"name": "x", "from": "never"}], "Kim") == []
