"""Entries of the audit log in words."""

import pytest

from services.console.audit_view import actor_name, audit_rows, day_range


def test_a_row_shows_what_differs_and_nothing_else() -> None:
    entry: dict[str, object] = {
        "seq": 7,
        "at": "2026-03-02T10:00:00Z",
        "service": "rules_engine",
        "actor": "1a2b~00",
        "action": "policy.rolled_back",
        "object": "policy/3",
        "before": {"version": 2, "files": ["a.yaml"], "name": "one"},
        "after": {
            "version": 3,
            "files": ["a.yaml", "b.yaml"],
            "name": "one",
            "expires_at": "2026-03-03T10:00:00.5Z",
        },
        "detail": "back",
    }
    (row,) = audit_rows([entry])
    assert (row.action, row.service, row.actor) == (
        "policy rolled back",
        "rules engine",
        "key 1a2b, in a session",
    )
    assert row.changes == [
        ("version", "2", "3"),
        ("files", "a.yaml", "a.yaml, b.yaml"),
        ("expires at", "", "2026-03-03 10:00 UTC"),
    ]


def test_a_preference_is_shown_in_words() -> None:
    """Once opted out, then opted in by a link of a mail."""
    unset = {"channel": None, "frequency": None}
    before, after = {"account": {**unset, "opted_in": False}}, {"account": {**unset, "opted_in": True}}
    (row,) = audit_rows([{"seq": 1, "before": before, "after": after}])
    assert row.changes == [("account", "opted in: no", "opted in: yes")]


@pytest.mark.parametrize(
    ("actor", "shown"),
    [
        ("link", "the holder of a link"),
        ("drumbeat", "Drumbeat itself"),
        ("1a2b", "key 1a2b"),
        ("source /crm", "source /crm"),
    ],
)
def test_an_actor_is_named(actor: str, shown: str) -> None:
    assert actor_name(actor) == shown


def test_days_are_whole_and_a_wrong_one_is_named() -> None:
    query, error = day_range({"actor": "a", "from": "2026-03-02", "to": "2026-03-02", "object": ""})
    assert query == {"actor": "a", "from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
    assert error == ""
    assert "2026-13-01" in day_range({"from": "2026-13-01"})[1]
