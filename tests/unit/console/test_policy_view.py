"""A policy is shown section by section, with every rule as text and a link to its line."""

from services.console.json_fields import Json
from services.console.policy_view import PolicyView, policy_view

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


def view_of(**sections: object) -> PolicyView:
    categories: Json = {
        "segments": [{"name": "enterprise", "when": "true"}, {"name": "other"}],
        "stages": STAGES,
    }
    return policy_view({**categories, **sections}, FILES)


def test_an_empty_document_has_an_empty_view() -> None:
    empty = policy_view({}, {})
    assert (empty.tables, empty.triggers, empty.timelines, empty.catalogue, empty.files) == (
        (),
        (),
        (),
        (),
        (),
    )


def test_rhythms_are_in_a_table_of_their_segment_by_stage_in_the_order_of_a_customers_life() -> None:
    weekly: Json = {**RULE, "rule": "weekly/onboarding", "every_days": 7, "stages": ["onboarding"]}
    monthly: Json = {**RULE, "rule": "weekly/growth", "every_days": 30, "stages": ["growth"]}
    (table,) = view_of(rhythms=[weekly, monthly]).tables
    (row,) = table.rows
    assert (table.segment, table.stages) == ("Enterprise", ("Onboarding", "Growth"))
    assert row.intervals == (("Onboarding", "every week"), ("Growth", "every 30 days"))
    assert (row.title, row.view.rule, row.view.contact) == ("Check in", "weekly", "Call · CSM")


def test_guarantees_are_listed_with_the_segments_and_stages_they_apply_to() -> None:
    floor: Json = {**RULE, "rule": "floor", "every_days": 90, "precedence": "floor"}
    plain: Json = {**RULE, "rule": "plain", "every_days": 7, "precedence": "default"}
    least: Json = {**RULE, "rule": "least", "every_days": 30, "precedence": "floor", "fallback": True}
    guarantees = view_of(rhythms=[plain, floor, least]).guarantees
    assert [(rule.rule, rule.guarantee, rule.terms) for rule in guarantees] == [
        ("floor", "at least", "every 90 days"),
        ("least", "minimum", "every 30 days · unless another rhythm is at least as frequent"),
    ]
    assert guarantees[0].tags == ("Enterprise", "not churned")


def test_triggers_are_grouped_by_their_event_and_shown_with_their_limits() -> None:
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
    (group,) = view_of(triggers=[trigger]).triggers
    (rule,) = group.rules
    assert group.title == "An NPS survey is answered"
    assert rule.terms == "within 2 days · deadline 36 hours · at most once in 90 days · at most 2 in 365 days"
    assert rule.conditions == (("when", "nps_score >= 9"), ("unless", "paused"))


def test_steps_of_all_rules_are_on_one_timeline() -> None:
    step: Json = {**RULE, "anchor": "renewal", "within": "7d"}
    days = ({**step, "rule": str(at), "days": at} for at in (0, -90, 3, -90))
    (timeline,) = view_of(steps=list(days)).timelines
    assert timeline.title == "Around the renewal"
    assert [(day.when, len(day.steps)) for day in timeline.days] == [
        ("90 days before", 2),
        ("The day of the renewal", 1),
        ("3 days after", 1),
    ]


def test_limits_blackouts_feedback_and_the_catalogue_are_shown_as_text() -> None:
    view = view_of(
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
    assert (view.limits[0].title, view.limits[0].terms) == (
        "Advocacy ask and survey",
        "at most 2 in 90 days",
    )
    assert view.blackouts[0].terms == "1 Feb to 15 Apr"
    assert view.adjustments[0].rules[0].title == "A touchpoint is settled: Check in"
    assert view.adjustments[0].rules[0].terms == "1 step less often"
    assert view.feedback == (
        "A step moves an interval to the next of 7 and 14 days. There is at most one step in 60 days."
        " A step lasts 180 days. After the longest interval the touchpoint moves to email."
    )
    assert view.catalogue[0].terms == "internal work · 30 minutes"


def test_a_rule_links_to_its_line() -> None:
    (group,) = view_of(triggers=[{**RULE, "rule": "ask", "on": "nps.answered"}]).triggers
    assert (group.rules[0].link.text, group.rules[0].link.anchor) == ("b.yaml:2", "line-1-2")
