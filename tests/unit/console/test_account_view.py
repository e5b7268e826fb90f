"""A portrait says in words what is planned, why, and what is known, however thin the document is."""

from datetime import UTC, datetime, timedelta

from services.console.account_view import Mark, accounts, decisions, portrait
from services.console.json_fields import Json
from services.console.touchpoints import touchpoints

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
SCORE: Json = {"value": 31.0, "time": "2026-11-23T13:30:00Z", "source": "/crm", "id": "h3"}
REASON: Json = {
    "rule": "red-check-in",
    "text": "Health is red, so the CSM calls every week.",
    "facts": [{"name": "health_score", **SCORE}],
}
ACCOUNT: Json = {
    "id": "halcyon",
    "segment": "mid_market",
    "stage": "adoption",
    "color": "red",
    "csm_id": "csm-joe",
    "facts": {"name": {"value": "Halcyon Health"}, "health_score": SCORE, "currency": {"value": None}},
    "contacts": [
        {"contact_id": "c1", "name": "Maria", "role": "decision_maker", "email": "m@x.example"},
        {"contact_id": "c2", "name": "Gone", "left": True},
    ],
    "contracts": [{"contract_id": "k", "status": "active", "renews_on": "2027-06-21"}],
    "decided_at": "2026-11-23T14:28:00Z",
    "plan": {
        "rhythms": [
            {
                "touchpoint_type": "check_in",
                "every_days": 7,
                "channel": "call",
                "owner": "csm",
                "csm_id": "csm-joe",
                "reason": REASON,
            }
        ],
        "touchpoints": [
            {
                "id": "t1",
                "touchpoint_type": "advocacy_ask",
                "channel": "email",
                "owner": "csm",
                "window": {"from": "2026-11-25T00:00:00Z", "to": "2026-11-27T00:00:00Z"},
                "deadline": "2026-11-28T00:00:00Z",
                "reason": {"rule": "promoter", "text": "They like us."},
            }
        ],
    },
}


def test_a_rhythm_tells_how_often_when_next_by_whom_and_why() -> None:
    coming = touchpoints(
        [
            {
                "id": "o",
                "type": "check_in",
                "status": "planned",
                "due_at": (NOW + timedelta(days=7)).isoformat(),
            }
        ]
    )

    (rhythm,) = portrait(ACCOUNT, coming, NOW).rhythms

    assert rhythm.when == "Every week · next Mon 30 Nov, 14:30 UTC (in 7 days)"
    assert rhythm.how == "Call · csm-joe"
    assert rhythm.why == "Health is red, so the CSM calls every week."
    assert [(each.name, each.value, each.since, each.source) for each in rhythm.facts] == [
        ("Health score", "31", "today 13:30 UTC (1 hour ago)", "/crm · h3")
    ]


def test_a_one_off_tells_its_window_and_its_deadline() -> None:
    (one_off,) = portrait(ACCOUNT, [], NOW).one_offs
    expected = "Window from Wed 25 Nov to Fri 27 Nov · deadline Sat 28 Nov, 00:00 UTC (in 4 days)"
    assert one_off.when == expected


def test_a_one_off_that_came_due_tells_since_when() -> None:
    due = touchpoints([{"id": "t1", "type": "advocacy_ask", "status": "due", "due_at": NOW.isoformat()}])
    (one_off,) = portrait(ACCOUNT, due, NOW).one_offs
    assert one_off.when.startswith("Due since today 14:30 UTC (just now)")


def test_who_they_are_stands_beside_the_name() -> None:
    found = portrait(ACCOUNT, [], NOW)
    assert found.name == "Halcyon Health"
    assert found.marks == (
        Mark("Segment", "Mid market"),
        Mark("Stage", "Adoption"),
        Mark("Health", "red (31)", "bad"),
        Mark("CSM", "csm-joe"),
    )
    assert found.people == ("Maria, decision maker · m@x.example",)
    assert found.contracts == ("k · active · renews on 2027-06-21",)
    assert [(each.name, each.value) for each in found.facts] == [("Health score", "31"), ("Currency", "none")]


def test_an_undecided_or_paused_account_warns_until_the_pause_is_over() -> None:
    pauses: list[Json] = [
        {"contact_id": "c1", "until": "2026-11-01T00:00:00Z", "reason": "holiday"},
        {"contact_id": None, "until": "2026-12-01T14:30:00Z", "reason": "a merger"},
    ]
    found = portrait({**ACCOUNT, "undecided": "rule x divides by zero", "pauses": pauses}, [], NOW)
    assert found.warnings == (
        "No decision could be made: rule x divides by zero. The facts are kept and it is tried again.",
        "The account is left alone until Tue 1 Dec, 14:30 UTC (in 8 days): a merger.",
    )


def test_an_account_of_which_almost_nothing_is_known_has_a_portrait() -> None:
    found = portrait({"id": "x", "plan": None}, [], NOW)
    assert (found.name, found.marks, found.rhythms, found.facts) == ("x", (), (), ())


def test_a_decision_tells_what_was_heard_what_changed_and_what_was_set_aside() -> None:
    document: Json = {
        "id": "d",
        "decided_at": NOW.isoformat(),
        "policy": "0123456789abcdef",
        "events": [{"type": "account.described"}, {"type": "health.scored"}],
        "changes": [{"kind": "added", "text": "Check in every 7 days by call."}],
        "suppressed": [{"rule": "calm", "touchpoint_type": "check_in", "reason": "red-check-in comes first"}],
    }

    (found,) = decisions([document], NOW)

    assert found.heard == "Heard: Health scored and Account described"
    assert [each.text for each in found.changes] == ["Check in every 7 days by call."]
    assert found.set_aside == ("Check in (rule calm): red-check-in comes first",)


def test_a_decision_without_events_came_with_time() -> None:
    (found,) = decisions([{"id": "d"}], NOW)
    assert found.heard == "Time passed, or the policy changed"


def test_accounts_are_listed_by_name_or_id() -> None:
    assert [each[:2] for each in accounts([{"id": "a", "name": None}, {"id": "b", "name": "B"}, {}])] == [
        ("a", "a"),
        ("b", "B"),
    ]
