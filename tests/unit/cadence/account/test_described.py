"""What an event changed of a description: the names of the fields whose values are others now."""

import random

import pytest

from services.cadence.account import FactEvent, Facts, apply_fact
from services.cadence.account.described import changed_names, described_values
from tests.unit.cadence.events import DAY, HOUR, NOW, make_event


def changes_of(facts: Facts, event: FactEvent) -> tuple[str, ...]:
    before = described_values(facts, event)
    apply_fact(facts, event)
    return changed_names(before, described_values(facts, event))


def test_the_fields_that_have_other_values_are_named_and_a_repetition_names_none() -> None:
    facts = Facts("acme")
    first = make_event("account.described", NOW, arr=5_000, segment="strategic", industry=None)
    assert changes_of(facts, first) == ("arr", "segment")
    assert changes_of(facts, first) == ()

    again = make_event("account.described", NOW + DAY, arr=5_000, segment="strategic")
    assert changes_of(facts, again) == ()
    cleared = make_event("account.described", NOW + 2 * DAY, arr=6_000, segment=None)
    assert changes_of(facts, cleared) == ("arr", "segment")


def test_an_event_that_comes_late_changes_only_what_nothing_newer_says() -> None:
    facts = Facts("acme")
    changes_of(facts, make_event("account.described", NOW, arr=5_000))
    late = make_event("account.described", NOW - DAY, arr=1, country="DE")
    assert changes_of(facts, late) == ("country",)


def test_a_contact_that_is_described_leaves_and_comes_back() -> None:
    facts = Facts("acme")
    ann = {"contact_id": "ann", "email": "a@x.example", "role": "champion"}
    assert changes_of(facts, make_event("contact.described", NOW, **ann)) == ("email", "role")
    nightly = make_event("contact.described", NOW + HOUR, **ann)
    assert changes_of(facts, nightly) == ()
    left = make_event("contact.left", NOW + DAY, contact_id="ann")
    assert changes_of(facts, left) == ("left",)
    assert changes_of(facts, left) == ()
    back = make_event("contact.described", NOW + 2 * DAY, **ann | {"role": "end_user"})
    assert changes_of(facts, back) == ("left", "role")


@pytest.mark.parametrize("seed", range(5))
def test_the_names_in_any_order_of_events_are_those_of_what_changed_in_the_facts(seed: int) -> None:
    """Whoever follows the names sees each field change whose value the facts show."""
    dice, facts, shown = random.Random(seed), Facts("acme"), dict[str, object]()
    for number in range(60):
        values = {name: dice.choice((1, 2, None)) for name in dice.sample(("arr", "seats", "employees"), 2)}
        event = make_event("account.described", NOW + dice.randrange(20) * HOUR, number=number, **values)
        before = {name: stored.value for name, stored in facts.account_values().items()}
        names = changes_of(facts, event)
        shown = {name: stored.value for name, stored in facts.account_values().items()}
        assert set(names) == {name for name in before | shown if before.get(name) != shown.get(name)}
    assert shown
