"""Point 6 and row 9: merged accounts and moved contacts, whatever the order of events and batches."""

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Provenance
from services.cadence.account.codec import decode, encode
from services.rules_engine.application.apply_events import apply_events
from services.rules_engine.domain.account import Clocks
from tests.unit.cadence.events import NOW
from tests.unit.rules_engine.application.stored_accounts import CONTEXT, StoredAccounts, incoming


def fact(number: int, account_id: str, kind: str, **fields: object) -> FactEvent:
    provenance = Provenance(NOW.replace(minute=number), "/crm", f"e{number}", "0" * 16)
    return FactEvent(kind, account_id, provenance, fields)


def merge(number: int, stays: str, ended: str) -> FactEvent:
    return fact(number, stays, "account.merged", from_=ended)


FACTS = (
    fact(1, "a", "account.described", name="A", arr=10_000.0),
    fact(2, "b", "account.described", name="B", csm_id="ada"),
    fact(3, "a", "contact.described", contact_id="ann", role="champion", email="ann@a.example"),
    fact(4, "b", "contact.described", contact_id="bob", role="user"),
    fact(5, "a", "contract.changed", contract_id="k", status="active", arr=9.0),
    fact(6, "c", "health.scored", score=20),
    fact(7, "b", "nps.answered", contact_id="bob", score=3),
    fact(8, "c", "contact.described", contact_id="ann", phone="+49 1"),
)
MERGES = (merge(9, "b", "a"), merge(10, "c", "b"))


def apply(work: StoredAccounts, events: Sequence[FactEvent]) -> None:
    asyncio.run(apply_events(work, list(map(incoming, events)), CONTEXT, Clocks(NOW, NOW)))


def state(work: StoredAccounts, account_id: str) -> bytes:
    return encode(*decode(account_id, work.stored[account_id].state))


def batches(data: st.DataObject, events: Sequence[FactEvent]) -> list[list[FactEvent]]:
    """The events in any order, some twice, in batches of one account each or of several."""
    order = data.draw(st.permutations([*events, *data.draw(st.lists(st.sampled_from(events), max_size=4))]))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(order) - 1), max_size=6)))
    return [order[start:end] for start, end in zip([0, *cuts], [*cuts, len(order)], strict=True)]


@settings(deadline=None)
@given(st.data())
def test_merges_in_any_order_with_other_facts_lead_to_the_state_of_one_account(data: st.DataObject) -> None:
    work = StoredAccounts()
    for batch in batches(data, [*FACTS, *MERGES]):
        apply(work, batch)

    alone = StoredAccounts()
    apply(alone, [event._replace(account_id="c") for event in FACTS])
    stored, expected = decode("c", work.stored["c"].state), decode("c", alone.stored["c"].state)
    assert stored.facts.merged.keys() == {"a", "b"}
    stored.facts.merged, stored.facts.first_event_at = {}, expected.facts.first_event_at
    assert encode(*stored) == encode(*expected)
    assert work.stored["a"].merged_into == work.stored["b"].merged_into == "c"
    assert work.stored["a"].state is work.stored["b"].state is None
    assert not work.parked


HOMES = (
    fact(1, "a", "contact.described", contact_id="ann", role="champion"),
    fact(2, "b", "contact.described", contact_id="ann", email="ann@b.example"),
    fact(3, "a", "contact.left", contact_id="ann"),
    fact(4, "c", "contact.described", contact_id="ann", name="Ann"),
    fact(5, "b", "contact.described", contact_id="ann", phone="1"),
    fact(6, "a", "account.described", name="A"),
    fact(7, "a", "outreach.paused", contact_id="ann", reason="on leave"),
    fact(8, "c", "preference.changed", contact_id="ann", topic="events", opted_in=False),
)


@settings(deadline=None)
@given(st.data())
def test_a_contact_ends_where_the_later_statement_says_in_any_order(data: st.DataObject) -> None:
    """Row 9."""
    work, expected = StoredAccounts(), StoredAccounts()
    for batch in batches(data, HOMES):
        apply(work, batch)
    for event in HOMES:
        apply(expected, [event])

    for account_id in ("a", "b", "c"):
        assert state(work, account_id) == state(expected, account_id)
        shown = decode(account_id, work.stored[account_id].state).facts.contact_values()
        assert ("ann" in shown) is (account_id == "b")
    ann = decode("b", work.stored["b"].state).facts.contact_values()["ann"]
    assert {name: value.value for name, value in ann.items()} == {
        "role": "champion", "email": "ann@b.example", "name": "Ann", "phone": "1", "left": False,
    }  # fmt: skip


def test_a_merge_in_a_circle_and_a_second_merge_elsewhere_are_parked_and_say_why() -> None:
    work = StoredAccounts()
    apply(work, [FACTS[0], FACTS[1], merge(9, "b", "a")])

    apply(work, [merge(20, "a", "b")])
    apply(work, [merge(21, "c", "a"), fact(22, "c", "health.scored", score=80)])

    circle, elsewhere = work.parked
    assert circle.reason == "account 'a' was merged into 'b' before, which therefore stays"
    assert elsewhere.reason.startswith("account 'a' was merged into 'b' before: merge that one")
    assert work.stored["c"].state is not None
    assert decode("b", work.stored["b"].state).facts.merged.keys() == {"a"}


def test_a_merge_with_a_state_that_cannot_be_read_is_parked_with_what_was_told_of_the_ended_account() -> None:
    work = StoredAccounts("a", "b")
    work.stored["a"].state = b'{"v": 99}'
    later = fact(22, "a", "health.scored", score=80)

    apply(work, [FACTS[1], merge(9, "b", "a"), later])

    assert [parked.incoming.event.type for parked in work.parked] == ["account.merged", "health.scored"]
    assert work.stored["a"].merged_into is None
    assert decode("b", work.stored["b"].state).facts.account_values()["name"].value == "B"
