"""Row 9: a contact is in the account that described it last, in whatever order the accounts hear of it."""

from collections.abc import Mapping, Sequence
from itertools import permutations

import pytest

from services.cadence.account import FactEvent, Facts, Provenance, apply_fact, stamp_of
from services.cadence.account.codec import decode, encode
from services.cadence.account.homes import (
    Person,
    join_persons,
    latest_descriptions,
    named_contact,
    place_contact,
    placing_stamp,
)
from services.cadence.account.issued import Issued
from services.cadence.features.contacts import newcomers_of
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event

EVENTS: tuple[tuple[str, str, Mapping[str, object]], ...] = (
    ("old", "contact.described", {"email": "ann@acme.example", "role": "champion"}),
    ("new", "contact.described", {"role": "user"}),
    ("old", "contact.left", {}),
    ("old", "contact.described", {"phone": "+49 1"}),
    ("new", "contact.described", {"name": "Ann"}),
    ("new", "contact.left", {}),
    ("old", "outreach.paused", {"reason": "on leave"}),
    ("old", "preference.changed", {"topic": "events", "opted_in": False}),
)


def fact(number: int) -> FactEvent:
    account_id, kind, fields = EVENTS[number]
    provenance = Provenance(NOW.replace(minute=number), "/crm", str(number), "")
    return FactEvent(kind, account_id, provenance, {"contact_id": "ann", **fields})


def accounts_after(events: Sequence[FactEvent]) -> dict[str, Facts]:
    """Both accounts, as if the engine had heard of one event after the other."""
    accounts = {name: Facts(name) for name in ("old", "new")}
    latest: dict[str, str] = {}
    for event in events:
        apply_fact(accounts[event.account_id], event)
        stamp = placing_stamp(event)
        if stamp is not None:
            latest[event.account_id] = max(latest.get(event.account_id, ""), stamp)
        if named_contact(event) is not None and len(latest) > 1:
            person = join_persons(accounts.values(), "ann")
            for name, facts in accounts.items():
                place_contact(facts, "ann", person, is_home=latest[name] == max(latest.values()))
    return accounts


@pytest.mark.parametrize("count", [2, 3, 4, 5, 6])
def test_any_order_leads_to_the_same_home_and_the_same_states(count: int) -> None:
    expected = accounts_after([fact(number) for number in range(count)])
    home = EVENTS[{2: 1, 3: 1, 4: 3, 5: 4, 6: 4}[count]][0]
    for numbers in permutations(range(count)):
        arrived = accounts_after([fact(number) for number in (*numbers, *numbers[:2])])
        for name, facts in arrived.items():
            assert encode(facts, Issued()) == encode(expected[name], Issued())
            assert ("ann" in facts.contact_values()) is (name == home)


def test_who_moves_keeps_what_was_described_before_and_is_not_gone_when_the_old_account_says_so() -> None:
    new = accounts_after([fact(number) for number in range(3)])["new"].contact_values()["ann"]

    assert {name: value.value for name, value in new.items()} == {
        "email": "ann@acme.example", "role": "user", "left": False,
    }  # fmt: skip


def test_a_contact_that_is_away_is_stored_with_the_account() -> None:
    old = accounts_after([fact(0), fact(1)])["old"]

    again = decode("old", encode(old, Issued())).facts
    assert again.away == old.away
    assert not again.contacts


def test_a_pause_and_a_refusal_go_with_the_contact() -> None:
    new = accounts_after([fact(number) for number in (0, 1, 6, 7)])["new"]

    assert new.pause_values()["ann"]["reason"].value == "on leave"
    assert new.preference_values()["ann", "events", None, False]["opted_in"].value is False


def test_the_latest_description_counts_with_its_last_telling_and_leaving_describes_nobody() -> None:
    facts = facts_after(
        [
            make_event("contact.described", NOW, contact_id="ann", role="user"),
            again := make_event("contact.described", NOW + DAY, contact_id="ann", role="user"),
            make_event("contact.left", NOW + 2 * DAY, contact_id="ann"),
            make_event("contact.left", NOW + 2 * DAY, contact_id="ben"),
        ]
    )

    assert latest_descriptions(facts) == {"ann": stamp_of(again.provenance)}


def test_who_came_later_stays_a_newcomer_when_the_first_contact_moves_away() -> None:
    facts = facts_after(
        [
            make_event("contact.described", NOW, contact_id="ann"),
            ben := make_event("contact.described", NOW + 30 * DAY, contact_id="ben"),
        ]
    )

    place_contact(facts, "ann", Person({}, {}, {}), is_home=False)

    assert newcomers_of(facts) == {"ben": stamp_of(ben.provenance)}
