"""Connectors that send every record again every night, under other ids and in another order, change no plan."""

import hashlib
import os
import random
from collections.abc import Iterable

import pytest

from schemas.envelope import from_structured
from services.cadence.account import FactEvent, Facts, Provenance
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState, decode, encode
from services.cadence.account.events import read_event
from services.cadence.account.issued import TYPES, Issued
from services.cadence.evaluation import Decision, evaluate_account
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.events import shipped
from tests.unit.cadence.frozen_plans import generator

SOAK = bool(os.environ.get("DRUMBEAT_SOAK"))
ACCOUNTS = 10_000 if SOAK else 100
RESYNCED = 100 if SOAK else 12
NIGHTS = 30
pytestmark = pytest.mark.timeout(3600 if SOAK else 120)
_OTHERS = {"program.announced", "csm.described"}
_OWN = {*TYPES, "delivery.finished", "message.engaged"}
"""What Drumbeat itself and its mail provider report, once each."""


def events_by_account() -> dict[str, list[FactEvent]]:
    accounts: dict[str, list[FactEvent]] = {}
    for generated in generator.events(accounts=ACCOUNTS, count=100 * ACCOUNTS):
        event = read_event(from_structured(generated))
        if event.type not in _OTHERS:
            accounts.setdefault(event.account_id, []).append(event)
    return accounts


def sent_again(event: FactEvent, night: int) -> FactEvent:
    """The same record in that night's run: a new id, and so a new hash."""
    time, source, event_id, content = event.provenance
    return event._replace(provenance=Provenance(time, source, f"{night}-{event_id}", content[::-1]))


def decision_after(account_id: str, events: Iterable[FactEvent]) -> Decision:
    state = AccountState(Facts(account_id), Issued())
    for event in events:
        apply_event(state, event)
    return evaluate_account(shipped(), *state, Portfolio(), generator.NOW)


def test_thirty_nights_of_every_record_again_change_nothing() -> None:
    """Issue 9, prove it."""
    dice = random.Random(30)
    for account_id, events in list(events_by_account().items())[:RESYNCED]:
        records = [event for event in events if event.type not in _OWN]
        nights = [sent_again(event, night) for night in range(NIGHTS) for event in records]
        dice.shuffle(nights)

        before, after = decision_after(account_id, events), decision_after(account_id, [*events, *nights])

        assert after.key == before.key, account_id
        items = [item.id for item in before.plan.touchpoints]
        assert [item.id for item in after.plan.touchpoints] == items, account_id
        assert after.state.view.values == before.state.view.values, account_id


def test_a_shuffled_and_doubled_history_leads_to_one_hash() -> None:
    """Issue 9, prove it: a million events in `make soak`, a part of it otherwise."""
    events = [event for events in events_by_account().values() for event in events]
    shuffled = [*events, *events]
    random.Random(9).shuffle(shuffled)

    assert hash_after(shuffled) == hash_after(events)


def hash_after(events: Iterable[FactEvent]) -> str:
    """Of the stored states of all accounts."""
    states: dict[str, AccountState] = {}
    for event in events:
        apply_event(states.setdefault(event.account_id, decode(event.account_id, None)), event)
    digest = hashlib.sha256()
    for account_id in sorted(states):
        digest.update(encode(*states[account_id]))
    return digest.hexdigest()
