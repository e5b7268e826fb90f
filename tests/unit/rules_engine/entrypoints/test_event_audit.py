"""Events that change consent, pause outreach or merge accounts leave an entry with its key and no personal data."""

from datetime import UTC, datetime

import orjson
import pytest

from schemas.envelope import Envelope, kafka_headers
from schemas.ids import derived_id
from services.chassis.dead_letters import Record
from services.chassis.keys import ApiKey
from services.chassis.record_signatures import EVENT_SIGNATURE, sign_event
from services.rules_engine.domain.event_actor import ACTOR_HEADER, actor_of
from services.rules_engine.entrypoints.event_audit import change_of, signed_headers, without_claims

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
SECRET, KEY = b"a secret", ApiKey("1a2b3c4d", "", frozenset())
SIGNALS = "account.signals"


def sent(kind: str, data: dict[str, object], source: str = "/crm") -> Envelope:
    return Envelope(
        id="e1", source=source, type=f"drumbeat.{kind}.v1", subject="acme", time=NOW, data=orjson.dumps(data)
    )


def headers_of(envelope: Envelope) -> list[tuple[str, bytes]]:
    return signed_headers(SECRET, SIGNALS, envelope, kafka_headers(envelope), KEY)


def record_of(envelope: Envelope, headers: list[tuple[str, bytes]], topic: str = SIGNALS) -> Record:
    return Record(topic, 0, 0, envelope.subject.encode(), envelope.data, tuple(headers), 0)


def believed(record: Record, type_: str, secrets: tuple[bytes, ...] = (SECRET,)) -> str:
    """Who the log would name."""
    return actor_of(without_claims(secrets, record, type_).headers, "/crm")


def test_an_opt_out_over_http_names_the_key_and_the_person_by_derived_id() -> None:
    envelope = sent(
        "preference.changed", {"contact_id": "ann@acme.example", "topic": "training", "opted_in": False}
    )
    headers = headers_of(envelope)
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
    change = change_of(whole, headers_of(whole))
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
    headers = headers_of(envelope)
    assert actor_of(headers, "/crm") == "1a2b3c4d"
    assert actor_of((), "/crm") == "source /crm"
    assert change_of(envelope, headers) is None


def test_other_facts_and_what_a_service_of_ours_sends_leave_none() -> None:
    assert change_of(sent("health.scored", {"score": 3}), ()) is None
    scored = sent("health.scored", {"score": 3})
    assert headers_of(scored) == kafka_headers(scored)
    own = sent("preference.changed", {"contact_id": "ann"}, source="/drumbeat/notifier")
    signed = [sign_event(SECRET, SIGNALS, own.subject, kafka_headers(own), own.data)]
    assert change_of(own, [*kafka_headers(own), *signed]) is None
    forged = change_of(own, kafka_headers(own))
    assert forged is not None, "whoever writes to Kafka can give an event our source"
    assert forged.actor == "source /drumbeat/notifier"


def test_who_writes_to_kafka_cannot_name_somebody_elses_key() -> None:
    """Issue 11 B: by whom a change was made is signed, for this event and no other."""
    opt_in = sent("preference.changed", {"contact_id": "ann", "topic": "training", "opted_in": True})
    genuine = headers_of(opt_in)
    assert believed(record_of(opt_in, genuine), opt_in.type) == KEY.key_id
    assert believed(record_of(opt_in, genuine), opt_in.type, (b"new", SECRET)) == KEY.key_id, (
        "while keys are rotated"
    )

    unsigned = [*kafka_headers(opt_in), (ACTOR_HEADER, b"1a2b3c4d")]
    other_value = sent("preference.changed", {"contact_id": "ben", "topic": "training", "opted_in": True})
    other_id = [(name, b"e2" if name == "ce_id" else value) for name, value in genuine]
    other_key = [(name, b"9z9z9z9z" if name == ACTOR_HEADER else value) for name, value in genuine]
    for record in (
        record_of(opt_in, unsigned),
        record_of(opt_in, [*unsigned, (EVENT_SIGNATURE, b"v1,0123456789ab,00")]),
        record_of(opt_in, other_id),
        record_of(opt_in, other_key),
        record_of(other_value, genuine),
        record_of(opt_in, genuine, "touchpoint.outcomes"),
        record_of(opt_in, genuine)._replace(key=b"other"),
    ):
        assert believed(record, opt_in.type) == "source /crm", record
    assert believed(record_of(opt_in, genuine), opt_in.type, (b"another deployment",)) == "source /crm"
