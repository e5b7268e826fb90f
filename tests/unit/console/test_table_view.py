"""A checked table as a page shows it."""

from typing import Any

from services.console.table_view import MOST_REFUSED, ColumnRow, ForecastRow, RefusedCell, table_report

CHECKED: dict[str, Any] = {
    "kind": "contracts",
    "rows": 3,
    "accepted": 2,
    "unchanged": 1,
    "refused_rows": 1,
    "columns": {"Close Date": "renews_on", "Owner": None},
    "ignored": {"Owner": "no field of contracts"},
    "refused": [{"line": 4, "column": "Close Date", "problem": "'soon' is not a date"}],
    "notes": ["the day comes first in Close Date"],
    "warnings": [{"line": 2, "warning": "acme is no account yet"}],
    "dry_run": {
        "days": 30,
        "sample": True,
        "touchpoints": {"check_in": {"before": 1, "after": 3}},
        "messages": {"renewal_reminder": {"before": 2, "after": 2}},
    },
}


def test_the_report_says_what_became_of_columns_and_rows() -> None:
    report = table_report(CHECKED)
    assert report.summary == "3 rows: 2 accepted, of which 1 say nothing new, and 1 refused."
    assert report.new == 1
    assert report.columns == [
        ColumnRow("Close Date", "renews_on", ""),
        ColumnRow("Owner", "", "no field of contracts"),
    ]
    assert report.refused == [RefusedCell(4, "Close Date", "'soon' is not a date")]
    assert report.notes == ["the day comes first in Close Date", "Line 2: acme is no account yet"]


def test_the_forecast_says_what_there_would_be_and_how_many_more() -> None:
    report = table_report(CHECKED)
    assert (report.days, report.is_sample) == (30, True)
    assert report.touchpoints == [ForecastRow("Check in", 1, 3)]
    assert [row.difference for row in (*report.touchpoints, *report.messages)] == ["+2", "+0"]


def test_many_refused_cells_are_counted() -> None:
    refused = CHECKED["refused"] * (MOST_REFUSED + 5)
    report = table_report({**CHECKED, "refused": refused, "dry_run": None})
    assert (len(report.refused), report.more_refused) == (MOST_REFUSED, 5)
    assert (report.days, report.touchpoints) == (0, [])
