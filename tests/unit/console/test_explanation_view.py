"""Why and why not come as an answer of the rules engine and are read as sentences, however thin the answer is."""

from datetime import UTC, datetime

from services.console.explanation_view import explanation
from services.console.json_fields import Json

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
HEARD: Json = {"type": "nps.answered", "source": "/survey", "id": "n1", "time": "2026-11-23T13:30:00Z"}
ABSENT: Json = {
    "fires": False,
    "rule": "advocacy-by-nps",
    "text": "advocacy-by-nps does not fire: too low. Higher.",
    "clauses": [
        {"text": "nps_score >= 9", "holds": False, "values": {"nps_score": 3}, "events": [HEARD, HEARD]},
        {"text": 'stage != "churned"', "holds": None, "values": {}, "events": []},
    ],
    "stopped_by": {"cause": "clause", "text": "`nps_score >= 9` does not hold (nps_score is 3)"},
    "smallest_change": {"text": "nps_score would have to be 9 or more"},
    "others": [
        {"rule": "advocacy-by-milestone", "text": "advocacy-by-milestone does not fire: nothing was heard."},
        {"rule": "other", "fires": False, "stopped_by": {"cause": "cooldown", "text": ""}},
    ],
}


def test_what_is_absent_tells_its_one_cause_and_the_smallest_change() -> None:
    told = explanation(ABSENT, NOW)
    assert (told.verdict, told.rule, told.text) == ("not planned", "advocacy-by-nps", "")
    assert told.cause == "`nps_score >= 9` does not hold (nps_score is 3)"
    assert told.change == "nps_score would have to be 9 or more"


def test_a_clause_tells_its_values_and_each_event_behind_it_once() -> None:
    said, unjudged = explanation(ABSENT, NOW).clauses
    assert (said.holds, said.values) == (False, "NPS score: 3")
    assert said.events == ("NPS answered · today 13:30 UTC (1 hour ago) · /survey · n1",)
    assert unjudged.holds is None


def test_other_rules_are_named_once_with_what_stops_them() -> None:
    assert explanation(ABSENT, NOW).others == (
        "advocacy-by-milestone does not fire: nothing was heard.",
        "other: it was asked for not long ago",
    )


def test_what_is_planned_says_its_reason_and_names_no_cause() -> None:
    told = explanation({"fires": True, "rule": "red", "text": "Health is red.", "stopped_by": None}, NOW)
    assert (told.verdict, told.text, told.cause, told.change) == ("planned", "Health is red.", "", "")


def test_an_answer_of_words_alone_or_of_nothing_is_no_crash() -> None:
    told = explanation({"stopped_by": "pause", "smallest_change": "lift it"}, NOW)
    assert (told.cause, told.change) == ("Contact is paused", "Lift it")
    assert explanation({}, NOW).clauses == ()
