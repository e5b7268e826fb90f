"""What an export shows of a contact is what an erasure erases."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent, micros
from services.cadence.account.erasure import erase_contact, is_known
from services.cadence.account.person_facts import person_facts
from tests.unit.cadence.account.test_erasure import ALL, NOON, fact, told


@given(st.lists(st.sampled_from(ALL), unique_by=lambda event: event.provenance.id))
def test_it_is_empty_exactly_when_there_is_nothing_to_erase(events: list[FactEvent]) -> None:
    """Issue 16, point 5."""
    facts = told(*events)
    assert bool(person_facts(facts, "ann")) == is_known(facts, "ann")
    erase_contact(facts, "ann", micros(NOON + timedelta(hours=1)))
    assert not person_facts(facts, "ann")


def test_fields_preferences_pauses_and_entries_come_with_the_events_that_stated_them() -> None:
    shown = person_facts(told(*ALL), "ann")

    fields = {each.field: (each.value, each.provenance.id) for each in shown.described}
    assert fields == {"email": ("ann@acme.example", "0-0"), "role": ("champion", "0-0")}
    (preference,) = shown.preferences
    assert (preference.topic, preference.channel, preference.by_contact) == ("promotion", None, False)
    assert [(each.field, each.value) for each in preference.facts] == [("opted_in", False)]
    assert {each.field: each.value for each in shown.pauses}["reason"] == "ann is away"
    entries = {each.kind: each.fields for each in shown.entries}
    assert entries["nps.answered"] == {"score": 9}
    assert entries["noted"]["notes"] == "ann leaves in May"
    assert "joe" not in str(shown)


def test_an_entry_that_was_told_again_says_when_last() -> None:
    shown = person_facts(told(fact(4), fact(4, minutes=5)), "ann")

    (entry,) = shown.entries
    assert entry.last_at - entry.provenance.time == timedelta(minutes=5)


def test_nothing_is_shown_of_somebody_else() -> None:
    assert not person_facts(told(*ALL), "an")
