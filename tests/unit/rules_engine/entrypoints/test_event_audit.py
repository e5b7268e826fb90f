"""Events that change consent, pause outreach or merge accounts leave an entry with its key and no personal data."""

from datetime import UTC, datetime

import orjson
import pytest

from schemas.envelope import Envelope
from schemas.ids import derived_id
from services.chassis.keys import ApiKey
from services.rules_engine.domain.event_actor import actor_of
from services.rules_engine.entrypoints.event_audit import actor_headers, change_of

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def sent(kind: str, data: dict[str, object], source: str = "/crm") -> Envelope:
    return Envelope(
        id="e1", source=source, type=f"drumbeat.{kind}.v1", subject="acme", time=NOW, data=orjson.dumps(data)
    )


def test_an_opt_out_over_http_names_the_key_and_the_person_by_derived_id() -> None:
    envelope = sent(
        "preference.changed", {"contact_id": "ann@acme.example", "topic": "training", "opted_in": False}
    )
    headers = actor_headers(envelope, ApiKey("1a2b3c4d", "", frozenset()))
    change = change_of(envelope, headers)
    assert change is not None
    assert (change.action, change.actor) == ("preference.changed", "1a2b3c4d")
    assert change.object == f"contact/{derived_id('contact', 'ann@acme.example')}"
    assert change.after == {"topic": "training", "opted_in": False}
    assert "ann" not in str(change)


def test_a_merge_straight_from_kafka_names_its_source_and_a_repetition_has_the_same_entry() -> None:
    merge = sent("account.merged", {"from": "old"})
    change = change_of(merge, ())
    assert change is not None
    assert change.actor == "source /crm"
    assert change.after == {"from": f"account/{derived_id('account', 'old')}"}
    assert change == change_of(merge, ())


@pytest.mark.parametrize("kind", ["outreach.paused", "outreach.resumed"])
def test_a_pause_names_its_key_and_what_is_paused_and_no_reason(kind: str) -> None:
    """The reason is a text about people, and entries outlive an erasure."""
    until: dict[str, object] = {"reason": "Ann is ill", "until": "2026-04-01T00:00:00Z"}
    whole = sent(kind, until)
    change = change_of(whole, actor_headers(whole, ApiKey("1a2b3c4d", "", frozenset())))
    assert change is not None
    assert (change.action, change.actor) == (kind, "1a2b3c4d")
    assert change.object == f"account/{derived_id('account', 'acme')}"
    assert change.after == {"until": datetime(2026, 4, 1, tzinfo=UTC)}
    assert "ill" not in str(change)
    one = change_of(sent(kind, until | {"contact_id": "ann"}), ())
    assert one is not None
    assert one.object == f"contact/{derived_id('contact', 'ann')}"


@pytest.mark.parametrize("kind", ["account.described", "contact.described", "contact.left", "csm.described"])
def test_a_description_names_its_key_and_has_its_entry_when_it_is_applied(kind: str) -> None:
    envelope = sent(kind, {"contact_id": "ann"})
    headers = actor_headers(envelope, ApiKey("1a2b3c4d", "", frozenset()))
    assert actor_of(headers, "/crm") == "1a2b3c4d"
    assert actor_of((), "/crm") == "source /crm"
    assert change_of(envelope, headers) is None


def test_other_facts_and_what_a_service_of_ours_sends_leave_none() -> None:
    assert change_of(sent("health.scored", {"score": 3}), ()) is None
    assert actor_headers(sent("health.scored", {"score": 3}), ApiKey("k", "", frozenset())) == []
    own = sent("preference.changed", {"contact_id": "ann"}, source="/drumbeat/notifier")
    assert change_of(own, ()) is None
