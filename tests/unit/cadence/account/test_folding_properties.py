"""The facts do not depend on the order and the repetition of events."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Provenance
from services.cadence.account.codec import decode, encode
from services.cadence.account.issued import Issued
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event

maybe = st.none()
fields = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"arr": maybe | st.integers(0, 10**6), "csm_id": maybe | st.sampled_from(["a", "b"])}
    ).map(lambda data: ("account.described", data)),
    st.fixed_dictionaries({"score": st.integers(0, 100)}, optional={"color": st.just("red")}).map(
        lambda data: ("health.scored", data)
    ),
    st.fixed_dictionaries({"score": st.integers(0, 10)}).map(lambda data: ("nps.answered", data)),
    st.fixed_dictionaries(
        {"contract_id": st.sampled_from(["c1", "c2"])},
        optional={"status": st.sampled_from(["draft", "active", "signed"]), "auto_renew": st.booleans()},
    ).map(lambda data: ("contract.changed", data)),
    st.integers(0, 60).map(
        lambda day: (
            "usage.reported",
            {
                "period_start": NOW + day * DAY,
                "period_end": NOW + (day + 1) * DAY,
                "events": day * 7,
                "features": {"search": day},
                "limits": {"seats": {"used": day, "limit": 50}},
            },
        )
    ),
    st.fixed_dictionaries(
        {"touchpoint_type": st.just("check_in"), "outcome": st.sampled_from(["completed", "missed"])},
        optional={
            "touchpoint_id": st.sampled_from(["t1", "t2", "t3", "t4", "t5"]),
            "notes": st.text("ab", min_size=1),
        },
    ).map(lambda data: ("touchpoint.settled", data)),
    st.fixed_dictionaries(
        {"channel": st.just("call")}, optional={"notes": st.text("ab", min_size=1), "at": st.just(NOW)}
    ).map(lambda data: ("interaction.logged", data)),
    st.fixed_dictionaries(
        {"contact_id": st.sampled_from(["ann", "bob"])}, optional={"role": st.just("admin")}
    ).map(lambda data: ("contact.described", data)),
    st.just(("contact.left", {"contact_id": "ann"})),
    st.fixed_dictionaries(
        {"contact_id": st.just("ann")}, optional={"topic": st.just("education"), "opted_in": st.booleans()}
    ).map(lambda data: ("preference.changed", data)),
    st.just(("outreach.paused", {"reason": "freeze"})),
    st.just(("outreach.resumed", {"reason": "over"})),
)


@st.composite
def event_lists(draw: st.DrawFn) -> list[FactEvent]:
    """Events with few sources, ids and moments, so that identities and moments collide."""
    by_content: dict[str, FactEvent] = {}
    for kind, data in draw(st.lists(fields, max_size=25)):
        at = NOW + timedelta(hours=draw(st.integers(0, 5)))
        provenance = Provenance(at, draw(st.sampled_from(["/a", "/b"])), str(draw(st.integers(0, 8))), "")
        event = FactEvent(kind, "acme", provenance, data)
        content = make_event(kind, at, **data).provenance.hash
        key = f"{provenance}{content}"
        by_content[key] = FactEvent(
            kind, "acme", Provenance(at, provenance.source, provenance.id, content), event.fields
        )
    return list(by_content.values())


@given(events=event_lists(), data=st.data())
def test_any_order_of_arrival_gives_the_same_state(events: list[FactEvent], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(events))

    assert encode(facts_after(shuffled), Issued()) == encode(facts_after(events), Issued())


@given(events=event_lists(), data=st.data())
def test_applying_all_events_again_changes_nothing(events: list[FactEvent], data: st.DataObject) -> None:
    repeated = events + data.draw(st.permutations(events))

    assert encode(facts_after(repeated), Issued()) == encode(facts_after(events), Issued())


@given(events=event_lists())
def test_a_state_is_read_as_it_was_written(events: list[FactEvent]) -> None:
    facts = facts_after(events)
    data = encode(facts, Issued())

    again, _ = decode("acme", data)

    assert again == facts
    assert encode(again, Issued()) == data


@given(data=st.data())
def test_beyond_the_limit_the_newest_entries_are_kept(data: st.DataObject) -> None:
    events = [make_event("nps.answered", NOW + day * DAY, score=day % 11) for day in range(64)]
    shuffled = data.draw(st.permutations(events))

    facts = facts_after(shuffled)

    assert len(facts.entries["nps.answered"]) == 48
    assert encode(facts, Issued()) == encode(facts_after(events), Issued())
