"""Which events of a batch are parked, and what is saved and recorded."""

import asyncio

from services.cadence.account import FactEvent
from services.cadence.account.codec import encode
from services.cadence.account.issued import Issued
from services.rules_engine.application.apply_events import apply_events
from services.rules_engine.domain.account import Clocks, ReceiptState
from tests.unit.cadence.events import HOUR, NOW, facts_after, make_event
from tests.unit.rules_engine.application.stored_accounts import CONTEXT, StoredAccounts, incoming


def test_scores_that_mean_nothing_new_are_stored_and_lead_to_no_other_plan() -> None:
    work = StoredAccounts("acme")
    for day in range(20):
        asyncio.run(apply_events(work, [incoming(scored_on(day))], CONTEXT, Clocks(NOW, NOW)))

    assert (work.saved, work.recorded) == (20, 1)
    assert work.stored["acme"].state == encode(facts_after(map(scored_on, range(20))), Issued())


def test_a_receipt_says_when_nothing_that_a_plan_rests_on_has_changed() -> None:
    work = StoredAccounts("acme")
    for day in range(2):
        asyncio.run(apply_events(work, [incoming(scored_on(day))], CONTEXT, Clocks(NOW, NOW)))
    red = make_event("health.scored", NOW + HOUR, score=5)
    asyncio.run(apply_events(work, [incoming(red)], CONTEXT, Clocks(NOW + HOUR, NOW)))
    asyncio.run(apply_events(work, [incoming(red)], CONTEXT, Clocks(NOW + HOUR, NOW)))

    folded, unchanged = ReceiptState.FOLDED, ReceiptState.UNCHANGED
    assert [receipt.state for receipt in work.receipts] == [folded, unchanged, folded, unchanged]
    assert [receipt.version is not None for receipt in work.receipts] == [True, False, True, False]


def test_many_events_of_one_account_give_others_their_turn_in_between() -> None:
    work = StoredAccounts("acme")
    asyncio.run(
        apply_events(work, [incoming(scored_on(day)) for day in range(20)], CONTEXT, Clocks(NOW, NOW))
    )

    assert work.pauses >= 20


def test_an_event_that_cannot_be_applied_is_parked_and_the_others_count() -> None:
    work = StoredAccounts("acme")
    broken = make_event("usage.reported", NOW)._replace(fields={"limits": 3})
    batch = [incoming(scored_on(1)), incoming(broken), incoming(scored_on(2))]
    counts = asyncio.run(apply_events(work, batch, CONTEXT, Clocks(NOW, NOW)))

    assert (counts.events, counts.parked) == (3, 1)
    (parked,) = work.parked
    assert parked.incoming.event is broken
    assert parked.reason.startswith("AttributeError: ")
    assert [receipt.state for receipt in work.receipts] == [ReceiptState.FOLDED] * 2
    assert work.stored["acme"].state == encode(facts_after(map(scored_on, (1, 2))), Issued())


def test_all_events_of_an_unreadable_account_are_parked_and_other_accounts_go_on() -> None:
    work = StoredAccounts("acme", "other")
    unreadable = b'{"v":99}'
    work.stored["acme"].state = unreadable
    events = [scored_on(1), scored_on(2), scored_on(2)._replace(account_id="other")]
    counts = asyncio.run(apply_events(work, list(map(incoming, events)), CONTEXT, Clocks(NOW, NOW)))

    assert (counts.parked, counts.undecided, counts.plans) == (2, 1, 1)
    assert [parked.incoming.event for parked in work.parked] == events[:2]
    assert {parked.reason for parked in work.parked} == {work.stored["acme"].undecided}
    account = work.stored["acme"]
    assert account.undecided is not None
    assert account.undecided.startswith("UnreadableState: ")
    assert account.next_evaluation_at == NOW + CONTEXT.retry_after
    assert (account.state, account.decided_under) == (unreadable, CONTEXT.generation)
    assert work.stored["other"].plan_key is not None
    assert [(receipt.account_id, receipt.state) for receipt in work.receipts] == [
        ("other", ReceiptState.FOLDED)
    ]


def test_an_account_without_a_readable_document_is_treated_alike() -> None:
    work = StoredAccounts("acme")
    for state in (b"", b"no JSON", b"{}", b"[]", b'{"v":2}'):
        work.stored["acme"].state = state
        work.stored["acme"].undecided = None
        counts = asyncio.run(apply_events(work, [incoming(scored_on(1))], CONTEXT, Clocks(NOW, NOW)))
        assert (counts.parked, counts.undecided) == (1, 1), state
        assert work.stored["acme"].undecided is not None


def scored_on(day: int) -> FactEvent:
    return make_event("health.scored", NOW - (20 - day) * HOUR, score=80 + day % 5)


def test_what_changes_a_description_is_audited_once_and_what_is_sent_again_is_not() -> None:
    """Issue 11, B: every change of an account, by the names of the fields."""
    work = StoredAccounts("acme")
    described = make_event("account.described", NOW, csm_id="csm-1", arr=5_000)
    again = make_event("account.described", NOW + HOUR, csm_id="csm-1")
    moved = make_event("account.described", NOW + 2 * HOUR, csm_id="csm-2", arr=5_000)
    contact = make_event("contact.described", NOW, contact_id="ann", email="a@x.example")
    broken = make_event("usage.reported", NOW)._replace(fields={"limits": 3})
    events = [described, again, contact, broken, moved, scored_on(1)]
    asyncio.run(apply_events(work, list(map(incoming, events)), CONTEXT, Clocks(NOW, NOW)))
    asyncio.run(apply_events(work, list(map(incoming, events[:3])), CONTEXT, Clocks(NOW, NOW)))

    assert [(change.incoming.event, change.fields) for change in work.described] == [
        (described, ("arr", "csm_id")),
        (contact, ("email",)),
        (moved, ("csm_id",)),
    ]
