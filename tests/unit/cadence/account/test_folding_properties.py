"""Working memory does not care how the post arrived."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Provenance
from services.cadence.account.codec import decode, encode
from services.cadence.account.issued import Issued
from tests.unit.cadence.events import DAY, NOW, facts_after, issued, make_event

maybe = st.none()
fields = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"arr": maybe | st.integers(0, 10**6), "csm_id": maybe | st.sampled_from(["a", "b"])}
    ).map(lambda make_event: ("account.described", make_event)),
    st.fixed_dictionaries({"score": st.integers(0, 100)}, optional={"color": st.just("red")}).map(
        lambda make_event: ("health.scored", make_event)
    ),
    st.fixed_dictionaries({"score": st.integers(0, 10)}).map(lambda make_event: ("nps.answered", make_event)),
    st.fixed_dictionaries(
        {"contract_id": st.sampled_from(["c1", "c2"])},
        optional={"status": st.sampled_from(["draft", "active", "signed"]), "auto_renew": st.booleans()},
    ).map(lambda make_event: ("contract.changed", make_event)),
    st.integers(0, 60).map(
        lambda day: (
            "usage.reported",
            {"period_start": NOW + day * DAY, "period_end": NOW + (day + 1) * DAY, "events": day * 7},
        )
    ),
    st.fixed_dictionaries(
        {"contact_id": st.sampled_from(["ann", "bob"])}, optional={"role": st.just("admin")}
    ).map(lambda make_event: ("contact.described", make_event)),
    st.just(("contact.left", {"contact_id": "ann"})),
    st.fixed_dictionaries(
        {"contact_id": st.just("ann")}, optional={"topic": st.just("education"), "opted_in": st.booleans()}
    ).map(lambda make_event: ("preference.changed", make_event)),
    st.just(("outreach.paused", {"reason": "freeze"})),
    st.just(("outreach.resumed", {"reason": "over"})),
)


@st.composite
def posts(draw: st.DrawFn) -> list[FactEvent]:
    """Events with few sources, ids and moments, so that identities and moments collide."""
    made: dict[str, FactEvent] = {}
    for kind, what in draw(st.lists(fields, max_size=25)):
        at = NOW + timedelta(hours=draw(st.integers(0, 5)))
        provenance = Provenance(at, draw(st.sampled_from(["/a", "/b"])), str(draw(st.integers(0, 8))), "")
        event = FactEvent(kind, "acme", provenance, what)
        content = make_event(kind, at, **what).provenance.hash
        key = f"{provenance}{content}"
        made[key] = FactEvent(
            kind, "acme", Provenance(at, provenance.source, provenance.id, content), event.fields
        )
    return list(made.values())


@given(post=posts(), data=st.data())
def test_any_order_of_arrival_ends_in_the_same_belief(post: list[FactEvent], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(post))

    assert encode(facts_after(shuffled), Issued()) == encode(facts_after(post), Issued())


@given(post=posts(), data=st.data())
def test_hearing_everything_again_changes_nothing(post: list[FactEvent], data: st.DataObject) -> None:
    repeated = post + data.draw(st.permutations(post))

    assert encode(facts_after(repeated), Issued()) == encode(facts_after(post), Issued())


@given(post=posts())
def test_what_was_written_is_read_again(post: list[FactEvent]) -> None:
    facts = facts_after(post)
    data = encode(facts, Issued())

    again, _ = decode("acme", data)

    assert again == facts
    assert encode(again, Issued()) == data


@given(data=st.data())
def test_more_entries_than_are_kept_still_end_in_the_newest(data: st.DataObject) -> None:
    post = [make_event("nps.answered", NOW + day * DAY, score=day % 11) for day in range(24)]
    shuffled = data.draw(st.permutations(post))

    facts = facts_after(shuffled)

    assert len(facts.entries["nps.answered"]) == 16
    assert encode(facts, Issued()) == encode(facts_after(post), Issued())


@given(data=st.data())
def test_what_came_due_and_ended_is_believed_in_any_order(data: st.DataObject) -> None:
    post = [
        make_event(
            "touchpoint.due",
            NOW + hour * DAY,
            touchpoint_id=str(hour % 3),
            touchpoint_type="kickoff",
            due_at=NOW,
        )
        for hour in range(6)
    ]
    post += [
        make_event(
            kind, NOW + hour * DAY, touchpoint_id=str(hour % 3), touchpoint_type="kickoff", outcome=outcome
        )
        for hour, (kind, outcome) in enumerate(
            [
                ("touchpoint.settled", "completed"),
                ("touchpoint.cancelled", None),
                ("touchpoint.settled", "missed"),
                ("touchpoint.settled", "rescheduled"),
                ("delivery.finished", None),
                ("message.engaged", None),
            ]
        )
    ]
    shuffled = data.draw(st.permutations([*post, *post]))

    assert encode(facts_after([]), issued(shuffled)) == encode(facts_after([]), issued(post))
