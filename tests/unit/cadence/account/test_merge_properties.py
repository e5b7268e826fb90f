"""Point 6: two merged accounts are what all events of both would have led to in one account."""

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Provenance
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState, decode, encode
from services.cadence.account.erasure import erase_contact
from services.cadence.account.homes import Person, place_contact
from services.cadence.account.merge import merge_states
from tests.unit.cadence.account.test_folding_properties import event_lists
from tests.unit.cadence.account.test_issued_properties import events as touchpoint_event
from tests.unit.cadence.events import NOW

ANN = {"contact_id": "ann"}


def state_after(*events: FactEvent) -> AccountState:
    state = decode("acme", None)
    for event in events:
        apply_event(state, event)
    return state


def merged(first: AccountState, second: AccountState) -> bytes:
    """The bytes after a merge of both as they are stored."""
    into, ended = (decode("acme", encode(*state)) for state in (first, second))
    merge_states(into, ended)
    return encode(*into)


@given(event_lists(), st.lists(touchpoint_event(), max_size=20), st.data())
def test_a_merge_gives_the_state_of_all_events_together(
    facts: list[FactEvent], touchpoints: list[FactEvent], data: st.DataObject
) -> None:
    events = data.draw(st.permutations([*facts, *touchpoints]))
    cut = data.draw(st.integers(0, len(events)))
    one, other = state_after(*events[:cut]), state_after(*events[cut:])

    assert merged(one, other) == merged(other, one) == encode(*state_after(*events))


@given(event_lists(), event_lists())
def test_a_merge_with_what_is_there_already_changes_nothing(
    facts: list[FactEvent], more: list[FactEvent]
) -> None:
    whole = state_after(*facts, *more)

    assert merged(whole, state_after(*more)) == encode(*whole)


def described(minute: int, **fields: object) -> FactEvent:
    provenance = Provenance(NOW.replace(minute=minute), "/crm", str(minute), "")
    return FactEvent("contact.described", "acme", provenance, {**ANN, **fields})


def test_a_contact_that_is_at_home_in_one_of_the_accounts_is_at_home_in_the_merged_one() -> None:
    here, away = state_after(described(1, role="user")), state_after(described(2, email="ann@acme.example"))
    place_contact(away.facts, "ann", Person({}, {}, {}), is_home=False)

    both = encode(*state_after(described(1, role="user"), described(2, email="ann@acme.example")))
    assert merged(here, away) == merged(away, here) == both


def test_a_contact_that_one_account_erased_does_not_come_back_from_the_other() -> None:
    erased, kept = (
        state_after(described(1)),
        state_after(described(2, role="user"), described(9, role="admin")),
    )
    erase_contact(erased.facts, "ann", 0)
    at = max(erased.facts.erased.values())
    erased.facts.erased = dict.fromkeys(erased.facts.erased, at + 120_000_000)

    state = decode("acme", merged(kept, erased))

    ann = state.facts.contact_values()["ann"]
    assert {name: value.value for name, value in ann.items()} == {"role": "admin", "left": False}
