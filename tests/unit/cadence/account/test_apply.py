"""One event into the state of its account: facts, issued touchpoints or both, by the event's type."""

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Provenance
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState, decode, encode
from tests.unit.cadence.events import DAY, NOW, make_event

due = make_event("touchpoint.due", touchpoint_id="t", touchpoint_type="kickoff", due_at=NOW, occurrence=3)
settled = make_event(
    "touchpoint.settled", NOW + DAY, touchpoint_id="t", touchpoint_type="kickoff", outcome="attended"
)
scored = make_event("health.scored", score=40)
events = st.sampled_from(
    [
        due,
        settled,
        scored,
        make_event("health.scored", NOW + DAY, color="green"),
        make_event(
            "touchpoint.cancelled",
            NOW + DAY,
            touchpoint_id="u",
            touchpoint_type="kickoff",
            note="expired: late",
        ),
        make_event("delivery.finished", touchpoint_id="u", delivery_id="d", channel="email", state="sent"),
        make_event("message.engaged", NOW + DAY, touchpoint_id="u", delivery_id="d", kind="opened"),
        make_event("contact.described", contact_id="ann", role="champion"),
    ]
)


def empty_state() -> AccountState:
    return decode("acme", None)


def test_a_fact_changes_the_facts_only_and_names_the_fields() -> None:
    state = empty_state()

    result = apply_event(state, scored)

    assert result.changed
    assert {"health_score", "color"} <= set(result.fields)
    assert state.issued == empty_state().issued


def test_a_touchpoint_event_changes_the_issued_touchpoints_only() -> None:
    state = empty_state()

    result = apply_event(state, due)

    assert (result.changed, result.fields) == (True, ())
    assert state.facts == empty_state().facts
    assert state.issued.times["kickoff"].keys() == {"t"}


def test_an_outcome_changes_both() -> None:
    state = empty_state()

    result = apply_event(state, settled)

    assert result.changed
    assert "touchpoint.settled" in result.fields
    assert state.facts.entries.keys() >= {"touchpoint.settled", "touched"}
    assert state.issued.times["kickoff"].keys() == state.issued.one_offs.keys() == {"t"}


def test_an_outcome_that_only_changes_issued_touchpoints_counts_as_a_change() -> None:
    def attended(day: int) -> FactEvent:
        return make_event(
            "touchpoint.settled",
            NOW + day * DAY,
            touchpoint_id=str(day),
            touchpoint_type="tips",
            outcome="attended",
        )

    state = empty_state()
    for day in (0, *range(2, 60)):
        apply_event(state, attended(day))

    result = apply_event(state, attended(1))  # the facts keep newer ones

    assert (result.changed, result.fields) == (True, ())
    assert "1" in state.issued.times["tips"]


def test_two_contents_of_one_identity_are_reported() -> None:
    state = empty_state()
    first = FactEvent("nps.answered", "acme", Provenance(NOW, "/survey", "1", "aaaa"), {"score": 3})
    second = FactEvent("nps.answered", "acme", Provenance(NOW, "/survey", "1", "bbbb"), {"score": 9})

    assert apply_event(state, second).conflict is None
    assert apply_event(state, first).conflict == second.provenance


@given(arrived=st.lists(events, max_size=12), data=st.data())
def test_the_order_and_the_repetition_of_events_do_not_change_the_state(
    arrived: list[FactEvent], data: st.DataObject
) -> None:
    state, other = empty_state(), empty_state()
    for event in arrived:
        apply_event(state, event)
    for event in data.draw(st.permutations(arrived + arrived[:3])):
        apply_event(other, event)

    assert encode(*state) == encode(*other)
    assert not any(apply_event(state, event).changed for event in arrived)
