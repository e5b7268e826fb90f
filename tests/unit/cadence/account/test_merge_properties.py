"""Point 6: two merged accounts are what all events of both would have led to in one account."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Provenance, micros
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState, decode, encode
from services.cadence.account.erasure import erase_contact
from services.cadence.account.homes import Person, place_contact
from services.cadence.account.merge import merge_states
from tests.unit.cadence.account.test_folding_properties import event_lists
from tests.unit.cadence.account.test_issued_properties import events as touchpoint_event
from tests.unit.cadence.events import DAY, NOW

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


TOLD: tuple[tuple[str, Mapping[str, object]], ...] = (
    ("nps.answered", {**ANN, "score": 9}),
    ("nps.answered", {**ANN, "score": 3}),
    ("nps.answered", {"score": 9, "answered_at": NOW}),
    ("milestone.reached", {"milestone": "live", "kind": "go_live"}),
    ("expansion.signalled", {"signal": "seat_limit"}),
    ("request.received", {"request_id": "r"}),
    ("interaction.logged", {"channel": "call", "touchpoint_type": "check_in"}),
    ("touchpoint.settled", {"touchpoint_type": "check_in", "outcome": "completed", "at": NOW}),
    (
        "delivery.finished",
        {"delivery_id": "d", "touchpoint_type": "tip", "state": "sent", "channel": "email"},
    ),
    (
        "delivery.finished",
        {
            "delivery_id": "e",
            "touchpoint_id": "t",
            "touchpoint_type": "tip",
            "state": "suppressed",
            "channel": "email",
            "cause": "opt_out",
            "reason": "opted out",
            "recipient": {"kind": "contact"},
        },
    ),
    ("interaction.logged", {"channel": "call", "notes": "moves in autumn"}),
    ("touchpoint.settled", {"touchpoint_type": "check_in", "outcome": "completed", "notes": "all well"}),
    (
        "usage.reported",
        {"period_start": NOW - DAY, "period_end": NOW, "events": 5, "features": {"search": 3}},
    ),
    ("usage.reported", {"period_start": NOW - DAY, "period_end": NOW, "seats": 3, "features": {"search": 4}}),
    (
        "usage.reported",
        {"period_start": NOW - DAY, "period_end": NOW, "limits": {"calls": {"used": 2, "limit": 9}}},
    ),
    ("contact.described", {**ANN, "role": "champion"}),
    ("contact.described", {**ANN, "role": "user"}),
    ("contact.described", ANN),
    ("contact.left", ANN),
    ("contract.changed", {"contract_id": "k", "status": "active", "arr": 5.0}),
)


@st.composite
def tellings(draw: st.DrawFn) -> list[FactEvent]:
    """Equal and other content within and beyond the gaps, corrected under few (source, id)."""
    told: dict[str, FactEvent] = {}
    for number in draw(st.lists(st.integers(0, len(TOLD) - 1), max_size=14)):
        day, event_id = draw(st.integers(0, 60)), str(draw(st.integers(0, 9)))
        kind, fields = TOLD[number]
        provenance = Provenance(NOW + day * DAY, "/crm", event_id, f"{number:016x}")
        told[str(provenance)] = FactEvent(kind, "acme", provenance, fields)
    return list(told.values())


@given(tellings(), st.data())
def test_repeated_and_corrected_tellings_of_two_accounts_merge_to_the_same_statements(
    events: list[FactEvent], data: st.DataObject
) -> None:
    """Fewer than the bound of each kind, as everywhere here: beyond it, what was let go cannot come back."""
    ordered = data.draw(st.permutations(events))
    cut = data.draw(st.integers(0, len(events)))
    one, other = state_after(*ordered[:cut]), state_after(*ordered[cut:])

    assert merged(one, other) == merged(other, one) == encode(*state_after(*events))


@given(tellings(), st.integers(-1, 61), st.data())
def test_a_merge_with_an_erasure_gives_the_state_of_what_was_told_after_it(
    events: list[FactEvent], day: int, data: st.DataObject
) -> None:
    """Each content is told once: of more tellings than two, the state does not know which were before the erasure."""
    events = list({event.provenance.hash: event for event in events}.values())
    at = micros(NOW + day * DAY)
    one, other, whole = state_after(), state_after(), state_after()
    for state in (one, whole):
        erase_contact(state.facts, "ann", at)
    for event in data.draw(st.permutations(events)):
        apply_event(data.draw(st.sampled_from([one, other])), event)
        apply_event(whole, event)

    assert merged(one, other) == merged(other, one) == encode(*whole)


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


def test_an_outcome_under_another_type_leaves_one_state_in_any_order() -> None:
    """An occurrence that came due as `tips` is settled as `check_in`: the outcome makes no one-off of it."""
    at = {"due_at": NOW, "released_at": NOW, "occurrence": 3, "sequence": 2}
    due = FactEvent(
        "touchpoint.due",
        "acme",
        Provenance(NOW, "/drumbeat/scheduler", "due", "1"),
        {"touchpoint_id": "t3", "touchpoint_type": "tips", **at},
    )
    settled = FactEvent(
        "touchpoint.settled",
        "acme",
        Provenance(NOW, "/crm", "settled", "2"),
        {"touchpoint_id": "t3", "touchpoint_type": "check_in", "outcome": "completed"},
    )

    together = encode(*state_after(due, settled))

    assert together == encode(*state_after(settled, due))
    assert together == merged(state_after(due), state_after(settled))
    assert together == merged(state_after(settled), state_after(due))
