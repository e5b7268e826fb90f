"""A contact that is erased stays away, whatever arrives afterwards and in whatever order."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Facts, Provenance, apply_fact, micros
from services.cadence.account.codec import decode, encode
from services.cadence.account.erasure import erase_contact, is_known
from services.cadence.account.issued import Issued

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ABOUT_ANN = (
    ("contact.described", {"contact_id": "ann", "email": "ann@acme.example", "role": "champion"}),
    ("contact.left", {"contact_id": "ann"}),
    ("preference.changed", {"contact_id": "ann", "topic": "promotion", "opted_in": False}),
    ("outreach.paused", {"contact_id": "ann", "reason": "ann is away"}),
    ("nps.answered", {"contact_id": "ann", "score": 9}),
    ("interaction.logged", {"contact_id": "ann", "channel": "call", "notes": "ann leaves in May"}),
    ("touchpoint.settled", {"touchpoint_type": "check_in", "outcome": "completed", "notes": "asked for ann"}),
    ("contact.described", {"contact_id": "joe", "email": "joe@acme.example", "role": "user"}),
    ("health.scored", {"score": 70}),
)


def fact(number: int, minutes: int = 0) -> FactEvent:
    kind, fields = ABOUT_ANN[number]
    time = NOON + timedelta(minutes=minutes, seconds=number)
    return FactEvent(kind, "acme", Provenance(time, "/crm", f"{number}-{minutes}", "0" * 16), fields)


def told(*events: FactEvent) -> Facts:
    facts = Facts("acme")
    for event in events:
        apply_fact(facts, event)
    return facts


def stored(facts: Facts) -> bytes:
    return encode(facts, Issued())


ALL = [fact(number) for number in range(len(ABOUT_ANN))]
ERASED_AT = micros(NOON + timedelta(hours=1))


@given(st.permutations(ALL), st.integers(0, len(ALL)))
def test_facts_told_before_the_erasure_lead_to_one_state_whenever_they_arrive(
    events: list[FactEvent], before: int
) -> None:
    """Point 6."""
    facts = told(*events[:before])
    erase_contact(facts, "ann", ERASED_AT)
    for event in events[before:]:
        apply_fact(facts, event)

    assert b'"ann' not in stored(facts)
    assert b"notes" not in stored(facts)
    at_once = told(*ALL)
    erase_contact(at_once, "ann", ERASED_AT)
    assert stored(facts) == stored(at_once)


def test_what_others_and_the_account_said_stays_and_answers_count_without_a_name() -> None:
    facts = told(*ALL)

    erase_contact(facts, "ann", ERASED_AT)

    assert list(facts.contact_values()) == ["joe"]
    assert facts.account_values()["nps_score"].value == 9
    assert list(facts.entries["nps.answered"].values()) == [{"score": 9}]
    assert not is_known(facts, "ann")


def test_a_fact_told_after_the_erasure_starts_the_contact_anew() -> None:
    facts = told(*ALL)
    erase_contact(facts, "ann", ERASED_AT)

    apply_fact(facts, fact(0, minutes=61))

    assert set(facts.contact_values()) == {"ann", "joe"}


def test_the_mark_of_an_erasure_is_stored_and_an_account_without_one_is_stored_as_before() -> None:
    facts = told(*ALL)
    assert b"erased" not in stored(facts)

    erase_contact(facts, "ann", ERASED_AT)

    again = decode("acme", stored(facts)).facts
    assert again == facts
    apply_fact(again, fact(0))
    assert "ann" not in again.contacts


def test_what_was_told_ahead_of_the_clock_is_erased_too() -> None:
    facts = told(fact(0, minutes=64))

    erase_contact(facts, "ann", ERASED_AT)
    apply_fact(facts, fact(0, minutes=64))

    assert b'"ann' not in stored(facts)
