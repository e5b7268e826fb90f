"""Working memory: whose word counts, field by field."""

from datetime import date

from services.cadence.account import FactEvent, Facts, Provenance, apply_fact, stamp_of
from services.cadence.account.codec import decode, dumps, encode
from services.cadence.account.issued import Issued
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event


def test_the_newest_word_on_a_field_counts_and_an_absent_field_is_unchanged() -> None:
    facts = facts_after(
        [
            make_event("account.described", NOW, arr=5_000, industry="retail"),
            make_event("account.described", NOW + DAY, arr=120_000),
            make_event("account.described", NOW - DAY, arr=1, industry="banking"),
        ]
    )

    known = facts.known()

    assert known["arr"].value == 120_000
    assert known["industry"].value == "retail"
    assert known["arr"].provenance.time == NOW + DAY


def test_null_clears_a_field_and_an_older_value_does_not_come_back() -> None:
    facts = facts_after(
        [
            make_event("account.described", NOW, csm_id=None),
            make_event("account.described", NOW - DAY, csm_id="csm-1"),
        ]
    )

    assert facts.known()["csm_id"].value is None


def test_a_score_without_a_colour_asks_for_the_derived_colour_again() -> None:
    facts = facts_after(
        [make_event("health.scored", NOW, color="green"), make_event("health.scored", NOW + DAY, score=20)]
    )

    assert facts.known()["color"].value is None
    assert facts.known()["health_score"].value == 20


def test_two_contents_under_one_identity_are_told_as_a_conflict_and_the_order_decides() -> None:
    facts = Facts("acme")
    first = FactEvent("nps.answered", "acme", Provenance(NOW, "/survey", "1", "aaaa"), {"score": 3})
    second = FactEvent("nps.answered", "acme", Provenance(NOW, "/survey", "1", "bbbb"), {"score": 9})

    assert apply_fact(facts, second).conflict is None
    change = apply_fact(facts, first)

    assert change.conflict == second.provenance
    assert facts.known()["nps_score"].value == 9


def test_a_repeated_fact_changes_nothing_and_says_so() -> None:
    event = make_event("usage.reported", NOW, period_start=NOW - DAY, period_end=NOW, seats=10, seats_used=9)
    facts = facts_after([event])

    assert not apply_fact(facts, event).changed


def test_a_contact_who_left_is_back_only_when_described_later() -> None:
    left = make_event("contact.left", NOW, contact_id="ann")
    before = make_event("contact.described", NOW - DAY, contact_id="ann", name="Ann")
    after = make_event("contact.described", NOW + DAY, contact_id="ann", email="ann@example.com")

    assert facts_after([left, before]).known_contacts()["ann"]["left"].value is True
    assert facts_after([left, after, before]).known_contacts()["ann"]["left"].value is False
    assert facts_after([left, after, before]).known_contacts()["ann"]["name"].value == "Ann"


def test_dates_and_moments_are_told_as_they_were_said() -> None:
    facts = facts_after(
        [
            make_event("contract.changed", NOW, contract_id="c", renews_on=date(2027, 1, 1), signed_at=NOW),
            make_event("outreach.paused", NOW, until=NOW + DAY, reason="freeze"),
        ]
    )

    assert facts.known_contracts()["c"]["renews_on"].value == date(2027, 1, 1)
    assert facts.known_contracts()["c"]["signed_at"].value == NOW
    assert facts.known_pauses()[None]["until"].value == NOW + DAY


def test_a_preference_stands_for_a_contact_a_topic_and_a_channel() -> None:
    facts = facts_after(
        [
            make_event("preference.changed", NOW, contact_id="ann", opted_in=False),
            make_event("preference.changed", NOW, contact_id="ann", topic="education", frequency="weekly"),
        ]
    )

    known = facts.known_preferences()
    assert known["ann", None, None]["opted_in"].value is False
    assert known["ann", "education", None]["frequency"].value == "weekly"


def test_a_memory_of_the_first_format_is_read_and_written_in_the_new_one() -> None:
    events = [
        make_event("contact.described", NOW, contact_id="ann", role="champion"),
        make_event("contract.changed", NOW, contract_id="c", arr=5, status="active"),
        make_event("milestone.reached", NOW, milestone="m", kind="go_live"),
        make_event("interaction.logged", NOW, channel="call"),
        make_event(
            "touchpoint.settled", NOW, touchpoint_id="t", touchpoint_type="kickoff", outcome="attended"
        ),
        make_event("message.engaged", NOW, delivery_id="d", kind="clicked"),
    ]
    facts = facts_after(events)
    engaged = {stamp_of(events[-1].provenance): {"delivery_id": "d", "kind": "clicked"}}
    kept = {
        kind: entries for kind, entries in facts.entries.items() if kind in {each.type for each in events}
    }
    old = dumps(
        {
            "v": 1,
            "f": facts.first_heard,
            "a": facts.account,
            "e": {**kept, "message.engaged": engaged},
            "c": facts.contacts,
            "k": {key: (each.held, each.terms) for key, each in facts.contracts.items()},
        }
    )

    assert decode("acme", old).facts == facts
    assert decode("acme", encode(facts, Issued())).facts == facts


def test_a_contract_of_which_nothing_is_said_is_none() -> None:
    facts = facts_after([make_event("contract.changed", contract_id="c1")])

    assert facts.contracts == {}
