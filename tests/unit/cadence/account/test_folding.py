"""The facts of an account after events: the newest value of each field counts."""

from datetime import date

from services.cadence.account import FactEvent, Facts, Provenance, apply_fact, stamp_of
from services.cadence.account.codec import decode, dumps, encode
from services.cadence.account.issued import Issued
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event


def test_the_newest_value_of_a_field_counts_and_an_absent_field_is_unchanged() -> None:
    facts = facts_after(
        [
            make_event("account.described", NOW, arr=5_000, industry="retail"),
            make_event("account.described", NOW + DAY, arr=120_000),
            make_event("account.described", NOW - DAY, arr=1, industry="banking"),
        ]
    )

    values = facts.account_values()

    assert values["arr"].value == 120_000
    assert values["industry"].value == "retail"
    assert values["arr"].provenance.time == NOW + DAY


def test_null_clears_a_field_and_an_older_value_does_not_come_back() -> None:
    facts = facts_after(
        [
            make_event("account.described", NOW, csm_id=None),
            make_event("account.described", NOW - DAY, csm_id="csm-1"),
        ]
    )

    assert facts.account_values()["csm_id"].value is None


def test_a_score_without_a_color_clears_an_older_color() -> None:
    facts = facts_after(
        [make_event("health.scored", NOW, color="green"), make_event("health.scored", NOW + DAY, score=20)]
    )

    assert facts.account_values()["color"].value is None
    assert facts.account_values()["health_score"].value == 20


def test_two_contents_of_one_identity_are_reported_as_a_conflict_and_the_greater_wins() -> None:
    facts = Facts("acme")
    first = FactEvent("nps.answered", "acme", Provenance(NOW, "/survey", "1", "aaaa"), {"score": 3})
    second = FactEvent("nps.answered", "acme", Provenance(NOW, "/survey", "1", "bbbb"), {"score": 9})

    assert apply_fact(facts, second).conflict is None
    change = apply_fact(facts, first)

    assert change.conflict == second.provenance
    assert facts.account_values()["nps_score"].value == 9


def test_a_repeated_event_changes_nothing() -> None:
    event = make_event("usage.reported", NOW, period_start=NOW - DAY, period_end=NOW, seats=10, seats_used=9)
    facts = facts_after([event])

    assert not apply_fact(facts, event).changed


def test_a_contact_who_left_is_present_again_only_when_described_later() -> None:
    left = make_event("contact.left", NOW, contact_id="ann")
    before = make_event("contact.described", NOW - DAY, contact_id="ann", name="Ann")
    after = make_event("contact.described", NOW + DAY, contact_id="ann", email="ann@example.com")

    assert facts_after([left, before]).contact_values()["ann"]["left"].value is True
    assert facts_after([left, after, before]).contact_values()["ann"]["left"].value is False
    assert facts_after([left, after, before]).contact_values()["ann"]["name"].value == "Ann"


def test_dates_and_instants_are_returned_as_they_were_in_the_event() -> None:
    facts = facts_after(
        [
            make_event("contract.changed", NOW, contract_id="c", renews_on=date(2027, 1, 1), signed_at=NOW),
            make_event("outreach.paused", NOW, until=NOW + DAY, reason="freeze"),
        ]
    )

    assert facts.contract_values()["c"]["renews_on"].value == date(2027, 1, 1)
    assert facts.contract_values()["c"]["signed_at"].value == NOW
    assert facts.pause_values()[None]["until"].value == NOW + DAY


def test_a_preference_is_stored_by_contact_topic_and_channel() -> None:
    facts = facts_after(
        [
            make_event("preference.changed", NOW, contact_id="ann", opted_in=False),
            make_event("preference.changed", NOW, contact_id="ann", topic="education", frequency="weekly"),
        ]
    )

    preferences = facts.preference_values()
    assert preferences["ann", None, None, False]["opted_in"].value is False
    assert preferences["ann", "education", None, False]["frequency"].value == "weekly"


def test_what_a_tool_reports_does_not_replace_the_contacts_own_opt_out() -> None:
    """Row 41."""
    facts = facts_after(
        [
            make_event("preference.changed", NOW, contact_id="ann", opted_in=False, by_contact=True),
            make_event("preference.changed", NOW + DAY, contact_id="ann", opted_in=True),
        ]
    )

    preferences = facts.preference_values()
    assert preferences["ann", None, None, True]["opted_in"].value is False
    assert preferences["ann", None, None, False]["opted_in"].value is True


def test_a_state_of_format_1_is_read_and_written_in_the_present_format() -> None:
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
    contract_stamp = stamp_of(events[1].provenance)
    engaged = {stamp_of(events[-1].provenance): {"delivery_id": "d", "kind": "clicked"}}
    kept = {
        kind: entries for kind, entries in facts.entries.items() if kind in {event.type for event in events}
    }
    old = dumps(
        {
            "v": 1,
            "f": facts.first_event_at,
            "a": facts.account,
            "e": {**kept, "message.engaged": engaged},
            "c": facts.contacts,
            "k": {"c": [{contract_stamp: {"arr": 5}}, {contract_stamp: {"status": "active"}}]},
        }
    )

    facts.contracts["c"].statements = {
        content: [*span, contract_stamp] for content, span in facts.contracts["c"].statements.items()
    }
    facts.first_event = None
    assert decode("acme", old).facts == facts
    assert decode("acme", encode(facts, Issued())).facts == facts


def test_a_contract_without_any_field_is_not_stored() -> None:
    facts = facts_after([make_event("contract.changed", contract_id="c1")])

    assert facts.contracts == {}
