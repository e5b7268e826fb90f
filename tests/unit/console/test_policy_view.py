"""A policy is read section by section, with every rule in words and a way to its line."""

from services.console.json_fields import Json
from services.console.policy_view import Edition, edition
from services.console.source_map import Place, Places

FILES = {"b.yaml": "rhythms:\n  - rule: weekly\n", "a.yaml": "segments:\n"}
WHERE: Json = {"file": "/srv/b.yaml", "line": 2}
RULE: Json = {
    "touchpoint": "check_in",
    "owner": "csm",
    "channel": "call",
    "segments": ["enterprise"],
    "stages": ["onboarding", "growth"],
    "because": "They like to talk.",
    "when": None,
    **WHERE,
}
STAGES: list[Json] = [{"name": "churned", "when": "x"}, {"name": "growth"}, {"name": "onboarding"}]


def told(**sections: object) -> Edition:
    named: Json = {"segments": [{"name": "enterprise", "when": "true"}, {"name": "other"}], "stages": STAGES}
    return edition({**named, **sections}, FILES)


def test_a_policy_that_says_nothing_is_empty_and_no_crash() -> None:
    empty = edition({}, {})
    assert (empty.tables, empty.triggers, empty.lines, empty.kinds, empty.files) == ((), (), (), (), ())


def test_rhythms_stand_in_a_table_of_their_segment_by_stage_in_the_order_of_a_customers_life() -> None:
    weekly: Json = {**RULE, "rule": "weekly/onboarding", "every_days": 7, "stages": ["onboarding"]}
    monthly: Json = {**RULE, "rule": "weekly/growth", "every_days": 30, "stages": ["growth"]}
    (table,) = told(rhythms=[weekly, monthly]).tables
    (beat,) = table.beats
    assert (table.segment, table.stages) == ("Enterprise", ("Onboarding", "Growth"))
    assert beat.intervals == (("Onboarding", "every week"), ("Growth", "every 30 days"))
    assert (beat.title, beat.said.rule, beat.said.how) == ("Check in", "weekly", "Call · CSM")


def test_guarantees_are_told_apart_with_where_they_hold() -> None:
    floor: Json = {**RULE, "rule": "floor", "every_days": 90, "precedence": "floor"}
    plain: Json = {**RULE, "rule": "plain", "every_days": 7, "precedence": "default"}
    least: Json = {**RULE, "rule": "least", "every_days": 30, "precedence": "floor", "fallback": True}
    found = told(rhythms=[plain, floor, least]).guarantees
    assert [(each.rule, each.strength, each.terms) for each in found] == [
        ("floor", "at least", "every 90 days"),
        ("least", "minimum", "every 30 days · unless another rhythm is as frequent"),
    ]
    assert found[0].tags == ("Enterprise", "not churned")


def test_triggers_stand_under_the_event_they_answer_with_their_limits() -> None:
    trigger: Json = {
        **RULE,
        "rule": "ask",
        "on": "nps.answered",
        "after": "0d",
        "within": "2d",
        "deadline": "36h",
        "cooldown": "90d",
        "cap": {"at_most": 2, "per": "365d"},
        "when": "nps_score >= 9",
        "unless": "paused",
    }
    (group,) = told(triggers=[trigger]).triggers
    (rule,) = group.rules
    assert group.title == "NPS is answered"
    assert rule.terms == "within 2 days · deadline 36 hours · at most once in 90 days · at most 2 in 365 days"
    assert rule.conditions == (("when", "nps_score >= 9"), ("unless", "paused"))


def test_steps_of_all_rules_stand_on_one_line_of_days() -> None:
    step: Json = {**RULE, "anchor": "renewal", "within": "7d"}
    days = ({**step, "rule": str(at), "days": at} for at in (0, -90, 3, -90))
    (line,) = told(steps=list(days)).lines
    assert line.title == "Around the renewal"
    assert [(stop.when, len(stop.steps)) for stop in line.stops] == [
        ("90 days before", 2),
        ("The day of the renewal", 1),
        ("3 days after", 1),
    ]


def test_limits_seasons_feedback_and_the_catalogue_are_in_words() -> None:
    found = told(
        limits=[{"rule": "few", "at_most": 2, "per": "90d", "touchpoints": ["advocacy_ask", "survey"]}],
        blackouts=[{"rule": "tax", "from": "02-01", "to": "04-15", "touchpoints": ["survey"]}],
        feedback={
            "ladder": [7, 14],
            "spacing": "60d",
            "lasts": "180d",
            "at_the_end": "email",
            "rules": [
                {
                    "rule": "no",
                    "on": "touchpoint.settled",
                    "touchpoints": ["check_in"],
                    "steps": 1,
                    "when": "x",
                }
            ],
        },
        touchpoints=[{"type": "check_in", "owner": "csm", "channel": "call", "topic": None, "minutes": 30}],
    )
    assert (found.limits[0].title, found.limits[0].terms) == (
        "Advocacy ask and survey",
        "at most 2 in 90 days",
    )
    assert found.blackouts[0].terms == "1 Feb to 15 Apr"
    assert found.moves[0].rules[0].title == "A touchpoint is settled: Check in"
    assert found.moves[1].title == (
        "A step moves an interval along 7 and 14 days; at most one step in 60 days; a step lasts 180 days;"
        " past the longest it moves to email."
    )
    assert found.kinds[0].terms == "internal work · 30 minutes"


def test_a_place_leads_to_its_line_where_that_stands_on_the_page() -> None:
    places = Places(FILES)
    assert places.of(WHERE) == Place("b.yaml:2", "line-1-2")
    assert places.at("b.yaml", 99) == Place("b.yaml:99")
    assert places.at("c.yaml", 1) == Place("c.yaml:1")
    assert places.of({}) == Place()
    assert [file.name for file in places.files()] == ["a.yaml", "b.yaml"]
    assert places.files()[1].lines[1] == ("line-1-2", "  - rule: weekly")
