"""The rules engine's explanation is shown as sentences; fields that are missing are left out."""

from datetime import UTC, datetime

from services.console.explanation_view import explanation_view
from services.console.json_fields import Json

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
EVENT: Json = {"type": "nps.answered", "source": "/survey", "id": "n1", "time": "2026-11-23T13:30:00Z"}
NOT_PLANNED: Json = {
    "fires": False,
    "rule": "advocacy-by-nps",
    "text": "advocacy-by-nps does not fire: too low. Higher.",
    "clauses": [
        {"text": "nps_score >= 9", "holds": False, "values": {"nps_score": 3}, "events": [EVENT, EVENT]},
        {"text": 'stage != "churned"', "holds": None, "values": {}, "events": []},
    ],
    "stopped_by": {"cause": "clause", "text": "`nps_score >= 9` does not hold (nps_score is 3)"},
    "smallest_change": {"text": "nps_score would have to be 9 or more"},
    "others": [
        {"rule": "advocacy-by-milestone", "text": "advocacy-by-milestone does not fire: no milestone."},
        {"rule": "other", "fires": False, "text": "the cool-down has not ended"},
        {"rule": "silent", "fires": False},
    ],
}


def test_what_is_not_planned_shows_one_cause_and_the_smallest_change() -> None:
    view = explanation_view(NOT_PLANNED, NOW)
    assert (view.verdict, view.rule, view.text) == ("not planned", "advocacy-by-nps", "")
    assert view.cause == "`nps_score >= 9` does not hold (nps_score is 3)"
    assert view.change == "nps_score would have to be 9 or more"


def test_a_clause_shows_its_values_and_each_event_behind_it_once() -> None:
    failed, unevaluated = explanation_view(NOT_PLANNED, NOW).clauses
    assert (failed.holds, failed.values) == (False, "NPS score: 3")
    assert failed.events == (("NPS answered · today 13:30 UTC (1 hour ago)", "/survey · n1"),)
    assert unevaluated.holds is None


def test_other_rules_are_named_once_with_what_stops_them() -> None:
    assert explanation_view(NOT_PLANNED, NOW).others == (
        "advocacy-by-milestone does not fire: no milestone.",
        "other: the cool-down has not ended",
        "silent: not planned",
    )


def test_what_is_planned_shows_its_reason_and_no_cause() -> None:
    view = explanation_view({"fires": True, "rule": "red", "text": "Health is red.", "stopped_by": None}, NOW)
    assert (view.verdict, view.text, view.cause, view.change) == ("planned", "Health is red.", "", "")


def test_a_cause_begins_with_a_capital_and_a_fact_name_stays_as_written() -> None:
    view = explanation_view(
        {"stopped_by": {"text": "contact is paused"}, "smallest_change": {"text": "x_y"}}, NOW
    )
    assert (view.cause, view.change) == ("Contact is paused", "x_y")


def test_an_empty_answer_has_a_view() -> None:
    view = explanation_view({}, NOW)
    assert (view.verdict, view.cause, view.clauses) == ("not planned", "", ())


def test_dates_in_its_sentences_are_written_as_people_write_them() -> None:
    stopped: dict[str, object] = {"text": "it came due on 2026-12-04"}
    view = explanation_view({"fires": False, "stopped_by": stopped, "text": "Renews on 2026-12-01."}, NOW)

    assert (view.cause, view.text) == ("It came due on 4 Dec 2026", "Renews on 1 Dec 2026.")
