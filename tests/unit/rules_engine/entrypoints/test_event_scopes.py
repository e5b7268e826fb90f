"""Each type of event needs a scope of its kind."""

import pytest

from schemas.events import FACTS, OUTCOMES
from services.chassis.keys import ApiKey
from services.rules_engine.entrypoints.event_scopes import EVENT_SCOPES, missing_scope


def test_every_type_that_may_be_sent_has_scopes() -> None:
    assert EVENT_SCOPES.keys() == {*FACTS, *OUTCOMES}


@pytest.mark.parametrize(
    ("event", "scopes"),
    [
        ("account.described", {"directory", "events", "admin"}),
        ("account.merged", {"directory", "events", "admin"}),
        ("contact.left", {"directory", "events", "admin"}),
        ("csm.described", {"directory", "events", "admin"}),
        ("preference.changed", {"consent", "events", "admin"}),
        ("outreach.paused", {"consent", "events", "admin"}),
        ("usage.reported", {"signals", "events", "admin"}),
        ("touchpoint.settled", {"signals", "act", "events", "admin"}),
        ("message.engaged", {"signals", "act", "events", "admin"}),
    ],
)
def test_a_key_sends_what_its_scopes_cover(event: str, scopes: set[str]) -> None:
    for scope in ("signals", "directory", "consent", "act", "read", "policy", "admin", "events"):
        problem = missing_scope(f"drumbeat.{event}.v1", ApiKey("k", "", frozenset({scope})))
        assert (problem is None) is (scope in scopes)
        assert problem is None or "does not have the scope" in problem
