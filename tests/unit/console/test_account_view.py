"""The view of an account says what is planned, why, and what is known, even when the document has few fields."""

from datetime import UTC, datetime, timedelta

from services.console.account_view import Property, account_rows, account_view, decision_entries
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


def test_a_rhythm_shows_its_interval_its_next_date_its_owner_and_its_reason() -> None:
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

    (rhythm,) = account_view(ACCOUNT, coming, NOW).rhythms

    assert rhythm.timing == "Every week · next Mon 30 Nov, 14:30 UTC (in 7 days)"
    assert rhythm.contact == "Call · csm-joe"
    assert rhythm.why == "Health is red, so the CSM calls every week."
    assert [(fact.name, fact.value, fact.since, fact.source) for fact in rhythm.facts] == [
        ("Health score", "31", "Today 13:30 UTC (1 hour ago)", "/crm · h3")
    ]


def test_a_one_off_shows_its_window_and_its_deadline() -> None:
    (one_off,) = account_view(ACCOUNT, [], NOW).one_offs
    expected = "Window from Wed 25 Nov to Fri 27 Nov · deadline Sat 28 Nov, 00:00 UTC (in 4 days)"
    assert one_off.timing == expected


def test_a_one_off_that_is_due_shows_since_when() -> None:
    due = touchpoints([{"id": "t1", "type": "advocacy_ask", "status": "due", "due_at": NOW.isoformat()}])
    (one_off,) = account_view(ACCOUNT, due, NOW).one_offs
    assert one_off.timing.startswith("Due since today 14:30 UTC (just now)")


def test_the_properties_of_an_account_are_listed_beside_its_name() -> None:
    view = account_view(ACCOUNT, [], NOW)
    assert view.name == "Halcyon Health"
    assert view.properties == (
        Property("Segment", "Mid market"),
        Property("Stage", "Adoption"),
        Property("Health", "red (31)", "bad"),
        Property("CSM", "csm-joe"),
    )
    assert view.people == ("Maria, decision maker · m@x.example",)
    assert view.contracts == ("k · active · renews on 2027-06-21",)
    assert [(fact.name, fact.value) for fact in view.facts] == [("Health score", "31"), ("Currency", "none")]


def test_an_undecided_or_paused_account_has_warnings_until_the_pause_is_over() -> None:
    pauses: list[Json] = [
        {"contact_id": "c1", "until": "2026-11-01T00:00:00Z", "reason": "holiday"},
        {"contact_id": None, "until": "2026-12-01T14:30:00Z", "reason": "a merger"},
    ]
    view = account_view({**ACCOUNT, "undecided": "rule x divides by zero", "pauses": pauses}, [], NOW)
    assert view.warnings == (
        "The last evaluation failed: rule x divides by zero. The facts are kept, and the evaluation is retried.",
        "Outreach to this account is paused until Tue 1 Dec, 14:30 UTC (in 8 days): a merger.",
    )


def test_an_account_with_few_fields_has_a_view() -> None:
    view = account_view({"id": "x", "plan": None}, [], NOW)
    assert (view.name, view.properties, view.rhythms, view.facts) == ("x", (), (), ())


def test_an_account_without_a_csm_is_unassigned() -> None:
    rhythm: Json = {"touchpoint_type": "check_in", "every_days": 7, "channel": "call", "owner": "csm"}
    (item,) = account_view({"id": "x", "plan": {"rhythms": [rhythm]}}, [], NOW).rhythms
    assert item.contact == "Call · unassigned"


def test_a_decision_shows_what_triggered_it_what_changed_and_what_did_not_apply() -> None:
    document: Json = {
        "id": "d",
        "decided_at": NOW.isoformat(),
        "policy": "0123456789abcdef",
        "events": [{"type": "account.described"}, {"type": "health.scored"}],
        "changes": [{"kind": "added", "text": "Check in every 7 days by call."}],
        "suppressed": [{"rule": "calm", "touchpoint_type": "check_in", "reason": "red-check-in comes first"}],
    }

    (entry,) = decision_entries([document], NOW)

    assert entry.triggered_by == "Triggered by: Health scored and Account described"
    assert entry.changes == (("added", "Check in every 7 days by call."),)
    assert entry.not_applied == ("Check in (rule calm): red-check-in comes first",)


def test_a_decision_without_events_was_triggered_by_time_or_by_a_policy_change() -> None:
    (entry,) = decision_entries([{"id": "d"}], NOW)
    assert entry.triggered_by == "Triggered by time or by a policy change"


def test_accounts_are_listed_by_name_or_id() -> None:
    rows = account_rows([{"id": "a", "name": None}, {"id": "b", "name": "B"}, {}])
    assert [(row.id, row.name) for row in rows] == [("a", "a"), ("b", "B")]
